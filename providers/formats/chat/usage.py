"""Usage as chat and completions write it."""

from typing import Any

from providers.wire.usage import Usage


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
    }


def _told(**counts: int) -> dict[str, int]:
    """Kinds of content that there were."""
    return {name: count for name, count in counts.items() if count}
