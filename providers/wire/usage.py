"""What a call used, in one set of names for every wire format."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

_MOST_TOKENS = 100_000_000
"""More than any model can read or write: a count above it is a fault, not a bill."""


@dataclass(slots=True)
class Usage:
    """Tokens by kind. `input_tokens` and `output_tokens` are totals; the others are parts of them.

    `cached_write_1h_tokens` are the part of `cached_write_tokens` that is kept for an hour and costs more.
    Cached tokens by kind of content are parts of both `cached_read_tokens` and the kind's own count.
    `service_tier` is the one in which the answer was made, in the words of OpenAI's format; empty where it does not
    change the price. `is_estimated` marks counts that the provider did not report. Counts by kind of content are 0
    where it told none.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_read_tokens: int = 0
    cached_write_tokens: int = 0
    reasoning_tokens: int = 0
    is_estimated: bool = False
    service_tier: str = ""
    cached_write_1h_tokens: int = 0
    input_audio_tokens: int = 0
    input_image_tokens: int = 0
    input_video_tokens: int = 0
    output_audio_tokens: int = 0
    output_image_tokens: int = 0
    cached_read_audio_tokens: int = 0
    cached_read_image_tokens: int = 0
    cached_read_video_tokens: int = 0


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
    usage = Usage(input_tokens, output_tokens, service_tier=tier if isinstance(tier, str) else "")
    if isinstance(asked := value.get("prompt_tokens_details"), dict):
        _take_asked(usage, asked)
    if not usage.cached_read_tokens:
        usage.cached_read_tokens = _cached_beside(value, input_tokens - usage.cached_write_tokens)
    if isinstance(answered := value.get("completion_tokens_details"), dict):
        usage.reasoning_tokens = _part(answered, "reasoning_tokens", output_tokens)
        usage.output_audio_tokens = _part(answered, "audio_tokens", output_tokens)
        usage.output_image_tokens = _part(answered, "image_tokens", output_tokens)
    return usage


def _take_asked(usage: Usage, details: Mapping[str, object]) -> None:
    total = usage.input_tokens
    usage.cached_read_tokens = _part(details, "cached_tokens", total)
    usage.cached_write_tokens = _part(details, "cache_write_tokens", total - usage.cached_read_tokens)
    usage.input_audio_tokens = _part(details, "audio_tokens", total)
    usage.input_image_tokens = _part(details, "image_tokens", total)


def _cached_beside(value: Mapping[str, object], most: int) -> int:
    """Moonshot and DeepSeek count what came from the cache beside the totals (their API references, November 2026)."""
    return _part(value, "cached_tokens", most) or _part(value, "prompt_cache_hit_tokens", most)


def _totals(value: Mapping[str, object]) -> tuple[int | None, int | None]:
    """Embeddings report no output, and some of them only a total."""
    input_tokens, total = _count(value.get("prompt_tokens")), _count(value.get("total_tokens"))
    if "completion_tokens" in value:
        return input_tokens, _count(value["completion_tokens"])
    if "prompt_tokens" not in value:
        return total, 0
    if input_tokens is None or total is None:
        return input_tokens, None
    return input_tokens, max(0, total - input_tokens)


def _count(value: object) -> int | None:
    if type(value) is int:
        return value if 0 <= value <= _MOST_TOKENS else None
    if type(value) is float and value.is_integer():
        return _count(int(value))
    return None


def _part(details: Mapping[str, object], name: str, most: int) -> int:
    count = _count(details[name]) if name in details else None
    return min(count, most) if count else 0
