"""What a call used, in Anthropic's counting: its input excludes what was read from or written to the cache."""

from collections.abc import Mapping
from typing import Any

from providers.wire.usage import Usage, counted

_MOST_TOKENS = 100_000_000


def read_usage(value: object) -> Usage | None:
    """None where a total is missing or absurd, so that it is estimated. Parts are clamped to their total."""
    if not isinstance(value, Mapping):
        return None
    fresh, output = _count(value.get("input_tokens")), _count(value.get("output_tokens"))
    if fresh is None or output is None:
        return None
    read = _count(value.get("cache_read_input_tokens")) or 0
    written = _count(value.get("cache_creation_input_tokens")) or 0
    hour = _count(_inside(value, "cache_creation", "ephemeral_1h_input_tokens")) or 0
    thought = _count(_inside(value, "output_tokens_details", "thinking_tokens")) or 0
    counts = counted(
        input_tokens=fresh + read + written,
        output_tokens=output,
        cached_read_tokens=read,
        cached_write_tokens=written,
        reasoning_tokens=min(thought, output),
        cached_write_1h_tokens=min(hour, written),
        web_searches=_count(_inside(value, "server_tool_use", "web_search_requests")) or 0,
    )
    return Usage(
        counts,
        # Its tiers change no prices: priority is paid for in advance. What changes them is its fast mode.
        service_tier="fast" if value.get("speed") == "fast" else "",
    )


def write_usage(usage: Usage) -> dict[str, Any]:
    counts = usage.counts
    read, written = counts["cached_read_tokens"], counts["cached_write_tokens"]
    hour = counts["cached_write_1h_tokens"]
    return {
        "input_tokens": max(0, counts["input_tokens"] - read - written),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": written - hour,
            "ephemeral_1h_input_tokens": hour,
        },
        "output_tokens": counts["output_tokens"],
        "output_tokens_details": {"thinking_tokens": counts["reasoning_tokens"]},
        **({"is_estimated": True} if usage.is_estimated else {}),
    }


def _inside(value: Mapping[str, Any], *names: str) -> object:
    inner: object = value
    for name in names:
        inner = inner.get(name) if isinstance(inner, Mapping) else None
    return inner


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _MOST_TOKENS else None
