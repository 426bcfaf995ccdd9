"""Why an answer ended and in which service tier it was made, both ways."""

from collections.abc import Mapping
from typing import Any

from providers.wire.events import Event, Finished, FinishReason, RefusalDelta

_READ = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "tool_use": FinishReason.TOOL_CALLS,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "refusal": FinishReason.CONTENT_FILTER,
    "pause_turn": FinishReason.PAUSE,
}
_WRITTEN = {
    FinishReason.STOP: "end_turn",
    FinishReason.LENGTH: "max_tokens",
    FinishReason.TOOL_CALLS: "tool_use",
    FinishReason.CONTENT_FILTER: "refusal",
    FinishReason.PAUSE: "pause_turn",
}
_TIERS = {"standard": "default", "priority": "priority", "batch": "batch"}


def read_finish(value: Mapping[str, Any], *, has_calls: bool) -> list[Event]:
    """From the members `stop_reason`, `stop_sequence` and `stop_details`; nothing while there is no reason.

    `has_calls` is False where the only call was the structured answer, which is no call for the client.
    """
    word = value.get("stop_reason")
    if not isinstance(word, str) or not word:
        return []
    reason = _READ.get(word, FinishReason.STOP)
    if reason is FinishReason.TOOL_CALLS and not has_calls:
        reason = FinishReason.STOP
    sequence = value.get("stop_sequence")
    finished = Finished(reason, word, sequence if isinstance(sequence, str) else None)
    return [*_read_refusal(value.get("stop_details")), finished]


def write_finish(finished: Finished, refusal: str, *, has_calls: bool) -> dict[str, Any]:
    """The three members. `refusal`: the words of it, which are an explanation here and no text."""
    word = "refusal" if refusal else _word(finished, has_calls=has_calls)
    details = {"type": "refusal", "category": None, "explanation": refusal or None}
    return {
        "stop_reason": word,
        "stop_sequence": finished.stop_sequence if word == "stop_sequence" else None,
        "stop_details": details if word == "refusal" else None,
    }


def read_tier(usage: object) -> str | None:
    tier = usage.get("service_tier") if isinstance(usage, Mapping) else None
    return _TIERS.get(tier) if isinstance(tier, str) else None


def write_tier(tier: str | None) -> dict[str, str]:
    word = next((word for word, ours in _TIERS.items() if ours == tier), None)
    return {"service_tier": word} if word else {}


def _word(finished: Finished, *, has_calls: bool) -> str:
    if finished.reason is FinishReason.STOP and has_calls:
        return "tool_use"
    if finished.reason is FinishReason.STOP and finished.stop_sequence is not None:
        return "stop_sequence"
    if finished.native != "tool_use" and _READ.get(finished.native) is finished.reason:
        return finished.native
    return _WRITTEN[finished.reason]


def _read_refusal(details: object) -> list[Event]:
    text = details.get("explanation") if isinstance(details, Mapping) else None
    return [RefusalDelta(text)] if isinstance(text, str) and text else []
