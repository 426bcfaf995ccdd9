"""Usage as chat and completions write it."""

from typing import Any

from providers.wire.usage import Costing, Usage


def write_usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_read_tokens,
            "cache_write_tokens": usage.cached_write_tokens,
            **_told(audio_tokens=usage.input_audio_tokens, image_tokens=usage.input_image_tokens),
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            **_told(audio_tokens=usage.output_audio_tokens, image_tokens=usage.output_image_tokens),
        },
        **estimated(usage),
    }


def write_stream_usage(usage: Usage, cost_usd: Costing | None) -> dict[str, Any]:
    """What a client is told that asked for usage in its stream."""
    return write_usage(usage) | write_cost(usage, cost_usd)


def write_cost(usage: Usage, cost_usd: Costing | None) -> dict[str, float]:
    return {"cost": float(cost_usd(usage))} if cost_usd else {}


def write_embeddings_usage(usage: Usage) -> dict[str, Any]:
    return {"prompt_tokens": usage.input_tokens, "total_tokens": usage.input_tokens, **estimated(usage)}


def estimated(usage: Usage) -> dict[str, bool]:
    """The mark of counts that the provider did not report."""
    return {"is_estimated": True} if usage.is_estimated else {}


def _told(**counts: int) -> dict[str, int]:
    """Kinds of content that there were."""
    return {name: count for name, count in counts.items() if count}
