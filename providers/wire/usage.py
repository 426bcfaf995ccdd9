"""What a call used, in one set of names for every wire format."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

_MOST_TOKENS = 100_000_000
"""More than any model can read or write: a count above it is a fault, not a bill."""
_COUNTS = range(_MOST_TOKENS + 1)
# Parts of a total, by OpenAI's names.
_ASKED = {
    "cached_tokens": "cached_read_tokens",
    "cache_write_tokens": "cached_write_tokens",
    "audio_tokens": "input_audio_tokens",
    "image_tokens": "input_image_tokens",
}
_ANSWERED = {
    "reasoning_tokens": "reasoning_tokens",
    "audio_tokens": "output_audio_tokens",
    "image_tokens": "output_image_tokens",
}
_CACHED_BESIDE = {"prompt_cache_hit_tokens": "cached_read_tokens", "cached_tokens": "cached_read_tokens"}
"""Moonshot and DeepSeek count it beside the totals (their API references, November 2026)."""


class Counts(dict[str, int]):
    """By name. What is not there was not counted: it is 0, and zeros are left out."""

    __slots__ = ()

    def __missing__(self, name: str) -> int:
        return 0


def counted(**counts: int) -> Counts:
    return Counts({name: count for name, count in counts.items() if count})


@dataclass(slots=True)
class Usage:
    """`counts` of tokens and whatever else costs money; `catalogue.pricing.meters` has a row for each.

    `input_tokens` and `output_tokens` are totals, of which other tokens are parts: `cached_write_1h_tokens` of
    `cached_write_tokens`, cached tokens by kind of content of both `cached_read_tokens` and the kind's own count.
    `service_tier` is the one in which the answer was made, in the words of OpenAI's format; empty where it does not
    change the price. `is_estimated` marks counts that the provider did not report.
    """

    counts: Counts = field(default_factory=Counts)
    is_estimated: bool = False
    service_tier: str = ""


Costing = Callable[[Usage], Decimal]
"""What usage costs the client, in USD."""


def read_openai_usage(value: object, tier: object = None) -> Usage | None:
    """Usage as OpenAI's format reports it. None where a total is missing or absurd, so that it is estimated.

    `tier` is the answer's `service_tier`, which stands beside its usage.

    An explicit zero is zero. Parts are clamped to their total.
    """
    if not isinstance(value, dict):
        return None
    input_tokens, output_tokens = _totals(value)
    if input_tokens is None or output_tokens is None:
        return None
    counts = Counts()
    if input_tokens:
        counts["input_tokens"] = input_tokens
        _take_asked(counts, value, input_tokens)
    if output_tokens:
        counts["output_tokens"] = output_tokens
        if details := value.get("completion_tokens_details"):
            _take(counts, details, _ANSWERED, output_tokens)
    usage = Usage(counts)
    if isinstance(tier, str):
        usage.service_tier = tier
    return usage


def _take_asked(counts: Counts, value: Mapping[str, object], total: int) -> None:
    if details := value.get("prompt_tokens_details"):
        _take(counts, details, _ASKED, total)
        if "cached_write_tokens" in counts:
            written, rest = counts.pop("cached_write_tokens"), total - counts["cached_read_tokens"]
            counts |= counted(cached_write_tokens=min(written, rest))
    if "cached_read_tokens" not in counts and not _CACHED_BESIDE.keys().isdisjoint(value):
        _take(counts, value, _CACHED_BESIDE, total - counts["cached_write_tokens"])


def _take(counts: Counts, details: object, names: Mapping[str, str], total: int) -> None:
    """The parts of a total that there were, as far as it reaches."""
    if isinstance(details, dict) and total and any(details.values()):
        for told, name in names.items():
            if (value := details.get(told)) and (count := _count(value)):
                counts[name] = min(count, total)


def _totals(value: Mapping[str, object]) -> tuple[int | None, int | None]:
    """Embeddings report no output, and some of them only a total."""
    told, answered = value.get("prompt_tokens"), value.get("completion_tokens")
    if type(answered) is int and type(told) is int and told in _COUNTS and answered in _COUNTS:
        return told, answered
    input_tokens = _count(told)
    if "completion_tokens" in value:
        return input_tokens, _count(value["completion_tokens"])
    total = _count(value.get("total_tokens"))
    if "prompt_tokens" not in value:
        return total, 0
    if input_tokens is None or total is None:
        return input_tokens, None
    return input_tokens, max(0, total - input_tokens)


def _count(value: object) -> int | None:
    if type(value) is int:
        return value if value in _COUNTS else None
    if type(value) is float and value.is_integer():
        return _count(int(value))
    return None
