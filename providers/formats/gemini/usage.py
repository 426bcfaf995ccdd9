"""Gemini's usageMetadata, in which thoughts and the tools' prompts stand beside the totals instead of inside them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from providers.wire.usage import Usage, read_openai_usage


def read_usage(value: object) -> Usage | None:
    """None where a total is missing or absurd, so that it is estimated. Kinds of content are clamped to their total."""
    if not isinstance(value, Mapping):
        return None
    thoughts = _count(value, "thoughtsTokenCount")
    prompt = _sum(value.get("promptTokenCount"), _count(value, "toolUsePromptTokenCount"))
    usage = read_openai_usage(
        {
            "prompt_tokens": prompt,
            "completion_tokens": _output(value, prompt, thoughts),
            "prompt_tokens_details": {"cached_tokens": value.get("cachedContentTokenCount")},
            "completion_tokens_details": {"reasoning_tokens": thoughts},
        },
        _tier(value.get("serviceTier")),
    )
    return None if usage is None else _with_kinds(usage, value)


def write_usage(usage: Usage) -> dict[str, Any]:
    """The three details only where kinds other than text are known."""
    answered = usage.output_tokens - usage.reasoning_tokens
    written: dict[str, Any] = {
        "promptTokenCount": usage.input_tokens,
        "candidatesTokenCount": answered,
        "totalTokenCount": usage.input_tokens + usage.output_tokens,
    }
    if usage.is_estimated:
        written["isEstimated"] = True
    if usage.cached_read_tokens:
        written["cachedContentTokenCount"] = usage.cached_read_tokens
    if usage.reasoning_tokens:
        written["thoughtsTokenCount"] = usage.reasoning_tokens
    sent = _kinds(
        usage.input_tokens,
        AUDIO=usage.input_audio_tokens,
        IMAGE=usage.input_image_tokens,
        VIDEO=usage.input_video_tokens,
    )
    cached = _kinds(
        usage.cached_read_tokens,
        AUDIO=usage.cached_read_audio_tokens,
        IMAGE=usage.cached_read_image_tokens,
        VIDEO=usage.cached_read_video_tokens,
    )
    made = _kinds(answered, AUDIO=usage.output_audio_tokens, IMAGE=usage.output_image_tokens)
    written |= _named("promptTokensDetails", sent) | _named("cacheTokensDetails", cached)
    return written | _named("candidatesTokensDetails", made)


def _output(value: Mapping[str, Any], prompt: object, thoughts: int) -> object:
    """An answer without text has no `candidatesTokenCount`; its total tells more than nothing."""
    if value.get("candidatesTokenCount") is not None:
        return _sum(value["candidatesTokenCount"], thoughts)
    total = value.get("totalTokenCount")
    if isinstance(total, int) and isinstance(prompt, int):
        return max(total - prompt, thoughts)
    return thoughts


def _with_kinds(usage: Usage, value: Mapping[str, Any]) -> Usage:
    sent, made = value.get("promptTokensDetails"), value.get("candidatesTokensDetails")
    cached = value.get("cacheTokensDetails")
    audio, image, video = (_kind(sent, name, usage.input_tokens) for name in ("AUDIO", "IMAGE", "VIDEO"))
    answered = usage.output_tokens - usage.reasoning_tokens
    return replace(
        usage,
        input_audio_tokens=audio,
        input_image_tokens=image,
        input_video_tokens=video,
        output_audio_tokens=_kind(made, "AUDIO", answered),
        output_image_tokens=_kind(made, "IMAGE", answered),
        cached_read_audio_tokens=_kind(cached, "AUDIO", min(audio, usage.cached_read_tokens)),
        cached_read_image_tokens=_kind(cached, "IMAGE", min(image, usage.cached_read_tokens)),
        cached_read_video_tokens=_kind(cached, "VIDEO", min(video, usage.cached_read_tokens)),
    )


def _tier(value: object) -> object:
    """Enumerations come in capitals over Google's interfaces, in small letters in its documents."""
    return value.lower() if isinstance(value, str) else None


def _kind(details: object, modality: str, most: int) -> int:
    if not isinstance(details, list):
        return 0
    entries = [entry for entry in details if isinstance(entry, Mapping) and entry.get("modality") == modality]
    return min(sum(_count(entry, "tokenCount") for entry in entries), most)


def _kinds(total: int, **counts: int) -> list[dict[str, Any]]:
    told = {modality: count for modality, count in counts.items() if count}
    if not told:
        return []
    told = {"TEXT": max(0, total - sum(told.values())), **told}
    return [{"modality": modality, "tokenCount": count} for modality, count in told.items()]


def _named(name: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: entries} if entries else {}


def _count(value: Mapping[str, Any], name: str) -> int:
    count = value.get(name)
    return count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else 0


def _sum(count: object, further: int) -> object:
    """What is no number is left for the reader of totals to refuse."""
    return count + further if isinstance(count, int) and not isinstance(count, bool) else count
