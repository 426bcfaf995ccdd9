"""Requests for keys that are sent again: an `Idempotency-Key` names one, and it is answered with the same key.

Source: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

import orjson
from cryptography.fernet import InvalidToken
from django.db import transaction
from django.utils import timezone
from rest_framework.request import Request

from accounts.key_facts import with_owners
from accounts.models import Key, KeyRequest
from accounts.revision import Part, take_revision
from accounts.shown_once import KEPT_S, sealing
from gateway.core.errors import ApiError

HEADER = "Idempotency-Key"
KEPT = timedelta(hours=24)
_NAME_MOST = 255


def issue_once(
    request: Request, actor: str, issue: Callable[[], tuple[Key, str]]
) -> tuple[Key, str | None, bool]:
    """The key, its text, and whether it was issued before. The text is None once it was shown too long ago.

    `actor` is whoever asks, for whichever team. Raises ApiError where the header was used for something else; and
    whatever `issue` raises, which is not kept: the request may be sent again, put right.
    """
    header = request.headers.get(HEADER)
    if header is None:
        return *issue(), False
    if not (0 < len(header) <= _NAME_MOST and header.isascii() and header.isprintable()):
        message = f"{HEADER} must be 1 to {_NAME_MOST} printable ASCII characters."
        raise ApiError(message, code="invalid_header", param=HEADER)
    name = _digest(actor, header)
    asked = _digest(request.path, orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS).decode())
    at = timezone.now()
    with transaction.atomic():
        # Of two at once the second waits here for the first.
        take_revision(Part.KEYS)
        before = KeyRequest.objects.filter(name=name).first()
        if before is not None and before.made_at > at - KEPT:
            return *_issued_before(before, asked), True
        key, text = issue()
        sealed = sealing().encrypt(text.encode()).decode()
        now = {"asked": asked, "key": key, "sealed": sealed, "made_at": at}
        KeyRequest.objects.update_or_create(name=name, defaults=now)
    return key, text, False


def _issued_before(row: KeyRequest, asked: str) -> tuple[Key, str | None]:
    if row.asked != asked:
        message = f"This {HEADER} was used for another request; choose a new one for each."
        raise ApiError(message, status=409, code="idempotency_key_reused", param=HEADER)
    key = with_owners(Key.objects.with_limits()).get(pk=row.key_id)
    try:
        text = sealing().decrypt(row.sealed, ttl=KEPT_S).decode() if row.sealed else None
    except InvalidToken:
        text = None
    return key, text


def forget_repeats(*, at: datetime) -> int:
    """Of keys, what may not be shown again; and requests that are too old. The number of the latter."""
    late = at - timedelta(seconds=KEPT_S)
    KeyRequest.objects.filter(made_at__lte=late).exclude(sealed="").update(sealed="")
    return KeyRequest.objects.filter(made_at__lte=at - KEPT).delete()[0]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
