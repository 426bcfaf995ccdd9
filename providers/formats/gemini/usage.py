"""Gemini's usageMetadata, in which thoughts and the tools' prompts stand beside the totals instead of inside them."""

from collections.abc import Mapping
from typing import Any

from providers.wire.usage import Counts, Usage, read_openai_usage

_DETAILS = {
    "promptTokensDetails": "input",
    "cacheTokensDetails": "cached_read",
    "candidatesTokensDetails": "output",
}
_MODALITIES = {"AUDIO": "audio", "IMAGE": "image", "VIDEO": "video"}


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
    if usage:
        _take_kinds(usage.counts, value)
    return usage


def write_usage(usage: Usage) -> dict[str, Any]:
    """The three details only where kinds other than text are known."""
    counts = usage.counts
    answered = counts["output_tokens"] - counts["reasoning_tokens"]
    written: dict[str, Any] = {
        "promptTokenCount": counts["input_tokens"],
        "candidatesTokenCount": answered,
        "totalTokenCount": counts["input_tokens"] + counts["output_tokens"],
    }
    if usage.is_estimated:
        written["isEstimated"] = True
    if cached := counts["cached_read_tokens"]:
        written["cachedContentTokenCount"] = cached
    if thoughts := counts["reasoning_tokens"]:
        written["thoughtsTokenCount"] = thoughts
    for (name, side), total in zip(_DETAILS.items(), (counts["input_tokens"], cached, answered), strict=True):
        written |= _named(name, _kinds(counts, side, total))
    return written


def _output(value: Mapping[str, Any], prompt: object, thoughts: int) -> object:
    """An answer without text has no `candidatesTokenCount`; its total tells more than nothing."""
    if value.get("candidatesTokenCount") is not None:
        return _sum(value["candidatesTokenCount"], thoughts)
    total = value.get("totalTokenCount")
    if isinstance(total, int) and isinstance(prompt, int):
        return max(total - prompt, thoughts)
    return thoughts


def _take_kinds(counts: Counts, value: Mapping[str, Any]) -> None:
    answered = counts["output_tokens"] - counts["reasoning_tokens"]
    for modality, kind in _MODALITIES.items():
        sent = _kind(value.get("promptTokensDetails"), modality, counts["input_tokens"])
        cached = _kind(value.get("cacheTokensDetails"), modality, min(sent, counts["cached_read_tokens"]))
        made = _kind(value.get("candidatesTokensDetails"), modality, answered)
        told = zip(_DETAILS.values(), (sent, cached, made), strict=True)
        counts |= {f"{side}_{kind}_tokens": count for side, count in told if count}


def _tier(value: object) -> object:
    """Enumerations come in capitals over Google's interfaces, in small letters in its documents."""
    return value.lower() if isinstance(value, str) else None


def _kind(details: object, modality: str, most: int) -> int:
    if not isinstance(details, list):
        return 0
    entries = [entry for entry in details if isinstance(entry, Mapping) and entry.get("modality") == modality]
    return min(sum(_count(entry, "tokenCount") for entry in entries), most)


def _kinds(counts: Counts, side: str, total: int) -> list[dict[str, Any]]:
    told = {
        modality: count
        for modality, kind in _MODALITIES.items()
        if (count := counts[f"{side}_{kind}_tokens"])
    }
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
