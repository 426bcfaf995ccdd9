"""How much of its limits a caller has left, in the headers that its client reads. Pure.

Sources: https://platform.openai.com/docs/guides/rate-limits (OpenAI's six),
https://docs.claude.com/en/api/rate-limits (Anthropic's).
"""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter

from gateway.core.store.interface import Standing

Headers = list[tuple[bytes, bytes]]

_remaining = attrgetter("remaining")
_OF_TOKENS = frozenset({"tokens", "input_tokens", "output_tokens"})
_OPENAI = (("requests", frozenset({"requests"})), ("tokens", _OF_TOKENS))
_ANTHROPIC = (
    *_OPENAI,
    ("input-tokens", frozenset({"input_tokens"})),
    ("output-tokens", frozenset({"output_tokens"})),
)


def standing_headers(standings: Sequence[Standing], form: str, now: float) -> Headers:
    """`form` is a surface's wire format, `now` Unix seconds. Nothing of what is not limited.

    Of several limits of a kind the tightest is told. OpenAI's names are told on every surface.
    """
    if not standings:
        return []
    headers: Headers = []
    for kind, units in _OPENAI:
        if tightest := _tightest(standings, units):
            headers += _openai(kind, tightest)
    if form == "anthropic":
        for kind, units in _ANTHROPIC:
            if tightest := _tightest(standings, units):
                headers += _anthropic(kind, tightest, now)
    return headers


def _tightest(standings: Iterable[Standing], units: frozenset[str]) -> Standing | None:
    return min((each for each in standings if each.limit.unit in units), key=_remaining, default=None)


def _openai(kind: str, standing: Standing) -> Headers:
    told = standing.limit.amount, max(0, standing.remaining), go_duration(standing.reset_s)
    names = f"x-ratelimit-limit-{kind}", f"x-ratelimit-remaining-{kind}", f"x-ratelimit-reset-{kind}"
    return [(name.encode(), str(value).encode()) for name, value in zip(names, told, strict=True)]


def _anthropic(kind: str, standing: Standing, now: float) -> Headers:
    full_at = datetime.fromtimestamp(math.ceil(now + standing.reset_s), UTC)
    told = {
        "limit": standing.limit.amount,
        "remaining": max(0, standing.remaining),
        "reset": f"{full_at:%Y-%m-%dT%H:%M:%SZ}",
    }
    return [
        (f"anthropic-ratelimit-{kind}-{name}".encode(), str(value).encode()) for name, value in told.items()
    ]


def go_duration(wait_s: float) -> str:
    """As Go writes it, and OpenAI with it: `12ms`, `1s`, `6m0s`, `24h0m0s`. Rounded up."""
    if wait_s <= 0:
        return "0s"
    if wait_s < 1:
        thousandths = math.ceil(wait_s * 1000)
        return "1s" if thousandths == 1000 else f"{thousandths}ms"
    minutes, seconds = divmod(math.ceil(wait_s), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
