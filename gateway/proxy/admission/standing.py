"""How much of its limits a caller has left, in the headers that its client reads. Pure.

Sources: https://platform.openai.com/docs/guides/rate-limits (OpenAI's six),
https://docs.claude.com/en/api/rate-limits (Anthropic's).
"""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from gateway.core.store.interface import INPUT_TOKENS, OUTPUT_TOKENS, REQUESTS, TOKENS, Standing

Headers = list[tuple[bytes, bytes]]
_Names = tuple[bytes, bytes, bytes]

_PARTS = ("limit", "remaining", "reset")
_OPENAI: Mapping[str, _Names] = {
    kind: tuple(f"x-ratelimit-{part}-{kind}".encode() for part in _PARTS)  # type: ignore[misc]
    for kind in ("requests", "tokens")
}
_ANTHROPIC: Mapping[str, _Names] = {
    kind: tuple(f"anthropic-ratelimit-{kind}-{part}".encode() for part in _PARTS)  # type: ignore[misc]
    for kind in ("requests", "tokens", "input-tokens", "output-tokens")
}
_KINDS = {
    REQUESTS: ("requests",),
    TOKENS: ("tokens",),
    INPUT_TOKENS: ("tokens", "input-tokens"),
    OUTPUT_TOKENS: ("tokens", "output-tokens"),
}
"""By unit; `tokens` are those of the limit in force that leaves fewest, whatever they are."""


def standing_headers(standings: Sequence[Standing], form: str, now: float) -> Headers:
    """`form` is a surface's wire format, `now` Unix seconds. Nothing of what is not limited.

    Of several limits of a kind the tightest is told. OpenAI's names are told on every surface.
    """
    headers: Headers = []
    for kind, standing in _tightest(standings).items():
        remaining, reset_s = standing.remaining, standing.reset_s
        amount, left = b"%d" % standing.limit.amount, b"%d" % max(0, remaining)
        if kind in _OPENAI:
            limit_name, left_name, reset_name = _OPENAI[kind]
            headers += (limit_name, amount), (left_name, left), (reset_name, go_duration(reset_s))
        if form == "anthropic":
            limit_name, left_name, reset_name = _ANTHROPIC[kind]
            reset = _instant(math.ceil(now + reset_s))
            headers += (limit_name, amount), (left_name, left), (reset_name, reset)
    return headers


def _tightest(standings: Sequence[Standing]) -> Mapping[str, Standing]:
    """By kind."""
    tightest: dict[str, Standing] = {}
    for standing in standings:
        for kind in _KINDS[standing.limit.unit]:
            if kind not in tightest or standing.remaining < tightest[kind].remaining:
                tightest[kind] = standing
    return tightest


def go_duration(wait_s: float) -> bytes:
    """As Go writes it, and OpenAI with it: `12ms`, `1s`, `6m0s`, `24h0m0s`. Rounded up."""
    if 0 < wait_s <= 0.999:
        return b"%dms" % math.ceil(wait_s * 1000)
    minutes, seconds = divmod(max(0, math.ceil(wait_s)), 60)
    if not minutes:
        return b"%ds" % seconds
    hours, minutes = divmod(minutes, 60)
    return b"%dh%dm%ds" % (hours, minutes, seconds) if hours else b"%dm%ds" % (minutes, seconds)


@lru_cache(maxsize=1024)
def _instant(second: int) -> bytes:
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%SZ}".encode()
