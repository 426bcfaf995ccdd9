"""Usage as Responses counts it, both ways."""

from collections.abc import Mapping
from typing import Any

from providers.wire.usage import Usage, read_openai_usage


def read_usage(value: object, tier: object) -> Usage | None:
    """The same counts as chat's under other names; see read_openai_usage."""
    if not isinstance(value, Mapping):
        return None
    return read_openai_usage(
        {
            "prompt_tokens": value.get("input_tokens"),
            "completion_tokens": value.get("output_tokens"),
            "prompt_tokens_details": value.get("input_tokens_details"),
            "completion_tokens_details": value.get("output_tokens_details"),
        },
        tier,
    )


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
