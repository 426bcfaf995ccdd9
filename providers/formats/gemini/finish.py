"""Why an answer ended: Gemini's words and everybody's."""

from collections.abc import Mapping

from providers.wire.events import Finished, FinishReason

_REASONS: Mapping[str, FinishReason] = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "SAFETY": FinishReason.CONTENT_FILTER,
    "RECITATION": FinishReason.CONTENT_FILTER,
    "LANGUAGE": FinishReason.CONTENT_FILTER,
    "BLOCKLIST": FinishReason.CONTENT_FILTER,
    "PROHIBITED_CONTENT": FinishReason.CONTENT_FILTER,
    "SPII": FinishReason.CONTENT_FILTER,
    "MODEL_ARMOR": FinishReason.CONTENT_FILTER,
    "IMAGE_SAFETY": FinishReason.CONTENT_FILTER,
    "IMAGE_PROHIBITED_CONTENT": FinishReason.CONTENT_FILTER,
    "IMAGE_RECITATION": FinishReason.CONTENT_FILTER,
    "IMAGE_OTHER": FinishReason.CONTENT_FILTER,
    "NO_IMAGE": FinishReason.CONTENT_FILTER,
    "CONTINUATION": FinishReason.PAUSE,
}
_WORDS = {
    FinishReason.STOP: "STOP",
    FinishReason.TOOL_CALLS: "STOP",
    FinishReason.LENGTH: "MAX_TOKENS",
    FinishReason.CONTENT_FILTER: "SAFETY",
    FinishReason.PAUSE: "CONTINUATION",
}
FAULTS = frozenset(
    {
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "MISSING_THOUGHT_SIGNATURE",
        "MALFORMED_RESPONSE",
    }
)
"""The model failed at its answer; another attempt may not."""
UNSAID = "FINISH_REASON_UNSPECIFIED"


def read_finish(word: str, *, has_calls: bool) -> Finished:
    """An unknown word is an end as any other; the word itself is kept."""
    reason = _REASONS.get(word, FinishReason.STOP)
    if reason is FinishReason.STOP and has_calls:
        reason = FinishReason.TOOL_CALLS
    return Finished(reason, word)


def write_finish(finished: Finished) -> str:
    if finished.native in _REASONS and _REASONS[finished.native] is finished.reason:
        return finished.native
    return _WORDS[finished.reason]
