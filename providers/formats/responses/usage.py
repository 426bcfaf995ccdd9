"""Usage as Responses counts it, both ways."""

from collections.abc import Mapping
from typing import Any

from providers.wire.usage import Usage, read_openai_usage

_MOST_SEARCHES = 10_000


def read_usage(response: Mapping[str, Any]) -> Usage | None:
    """The same counts as chat's under other names, and searches; see read_openai_usage."""
    value = response.get("usage")
    if not isinstance(value, Mapping):
        return None
    usage = read_openai_usage(
        {
            "prompt_tokens": value.get("input_tokens"),
            "completion_tokens": value.get("output_tokens"),
            "prompt_tokens_details": value.get("input_tokens_details"),
            "completion_tokens_details": value.get("output_tokens_details"),
        },
        response.get("service_tier"),
    )
    if usage and (count := _searches(response)):
        usage.counts["web_searches"] = count
    return usage


def _searches(response: Mapping[str, Any]) -> int:
    """As they are billed, where that is told; else each that was made, but not pages that were opened."""
    told: object = response.get("tool_usage")
    for name in ("web_search", "num_requests"):
        told = told.get(name) if isinstance(told, Mapping) else None
    if type(told) is int:
        return min(max(told, 0), _MOST_SEARCHES)
    output = response.get("output")
    return sum(map(_is_search, output)) if isinstance(output, list) else 0


def _is_search(item: object) -> bool:
    if not isinstance(item, Mapping) or item.get("type") != "web_search_call":
        return False
    action = item.get("action")
    return not isinstance(action, Mapping) or action.get("type", "search") == "search"


def write_usage(usage: Usage) -> dict[str, Any]:
    """Both details always, since the SDK's users read them without asking."""
    counts = usage.counts
    return {
        "input_tokens": counts["input_tokens"],
        "input_tokens_details": {
            "cached_tokens": counts["cached_read_tokens"],
            "cache_write_tokens": counts["cached_write_tokens"],
        },
        "output_tokens": counts["output_tokens"],
        "output_tokens_details": {"reasoning_tokens": counts["reasoning_tokens"]},
        "total_tokens": counts["input_tokens"] + counts["output_tokens"],
        **({"is_estimated": True} if usage.is_estimated else {}),
    }
