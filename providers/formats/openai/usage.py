"""Usage as chat and completions write it."""

from typing import Any

from providers.wire.usage import Costing, Usage, counted


def write_usage(usage: Usage) -> dict[str, Any]:
    counts = usage.counts
    return {
        "prompt_tokens": counts["input_tokens"],
        "completion_tokens": counts["output_tokens"],
        "total_tokens": counts["input_tokens"] + counts["output_tokens"],
        "prompt_tokens_details": {
            "cached_tokens": counts["cached_read_tokens"],
            "cache_write_tokens": counts["cached_write_tokens"],
            **counted(audio_tokens=counts["input_audio_tokens"], image_tokens=counts["input_image_tokens"]),
        },
        "completion_tokens_details": {
            "reasoning_tokens": counts["reasoning_tokens"],
            **counted(audio_tokens=counts["output_audio_tokens"], image_tokens=counts["output_image_tokens"]),
        },
        **estimated(usage),
    }


def write_stream_usage(usage: Usage, cost_usd: Costing | None) -> dict[str, Any]:
    """What a client is told that asked for usage in its stream."""
    return write_usage(usage) | write_cost(usage, cost_usd)


def write_cost(usage: Usage, cost_usd: Costing | None) -> dict[str, float]:
    return {"cost": float(cost_usd(usage))} if cost_usd else {}


def write_embeddings_usage(usage: Usage) -> dict[str, Any]:
    total = usage.counts["input_tokens"]
    return {"prompt_tokens": total, "total_tokens": total, **estimated(usage)}


def estimated(usage: Usage) -> dict[str, bool]:
    """The mark of counts that the provider did not report."""
    return {"is_estimated": True} if usage.is_estimated else {}
