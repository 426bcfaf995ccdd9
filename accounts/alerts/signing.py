"""Webhooks by Standard Webhooks 1.0.0: secrets, signatures, when a delivery is tried again. Pure.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

PREFIX = "whsec_"
_SECRET_BYTES = 32
WAITS_S = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Before each try of a delivery, since the one before: three days in all."""
TRIES = len(WAITS_S)
JITTER = 0.1
"""So much longer at most, so that what failed together does not come back together."""
_LONGEST_WAIT_S = 86_400
# They say that there is too much, not that there is something wrong: the whole channel waits.
SLOW_DOWN = frozenset(
    {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT},
)


def mint_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature, as `webhook-signature` lists it."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def signed_headers(key_texts: Iterable[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """`at` is the instant of the try: receivers refuse what is older than five minutes."""
    timestamp = int(at.timestamp())
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(each, message_id, timestamp, body) for each in key_texts),
    }


def next_try(tries: int, *, at: datetime, chance: float, asked_s: float | None = None) -> datetime | None:
    """When a delivery that failed so often is tried again; None: not any more.

    `chance` is from 0 to 1. `asked_s`: how long its receiver asked to be left alone.
    """
    if tries >= TRIES:
        return None
    wait_s = WAITS_S[tries] * (1 + JITTER * chance)
    return at + timedelta(seconds=max(wait_s, asked_s or 0))


def read_retry_after(text: str, *, at: datetime) -> float | None:
    """Seconds, a day at most, from a number or a date; None for what is neither."""
    text = text.strip()
    if text.isascii() and text.isdecimal():
        return float(min(int(text[:10]), _LONGEST_WAIT_S))
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((until - at).total_seconds(), 0.0), _LONGEST_WAIT_S)
