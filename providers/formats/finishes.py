"""Why answers end: every word of every wire format, and what each format says for it. The one table of it. Pure.

Sources: the types of openai 3.54, anthropic 2.12 and google-genai 3.4; DeepSeek's, Zhipu's and OpenRouter's API
references; the servers vLLM and SGLang (November 2026). A word that stands nowhere is an end as any other, and itself
is kept.
"""

from collections.abc import Mapping

from providers.wire.events import FinishReason
from providers.wire.failure import FailureKind, UpstreamFailure

_STOP, _LENGTH, _CALLS = FinishReason.STOP, FinishReason.LENGTH, FinishReason.TOOL_CALLS
_FILTER, _PAUSE = FinishReason.CONTENT_FILTER, FinishReason.PAUSE
BROKEN_OFF, FAILED_AT = FailureKind.UNAVAILABLE, FailureKind.BAD_RESPONSE
"""No end at all, but a failure: the server gave the answer up, or the model failed at it. Another attempt may not."""

READ: Mapping[str, Mapping[str, FinishReason | FailureKind]] = {
    "openai": {
        "stop": _STOP,
        "eos": _STOP,
        "length": _LENGTH,
        "max_tokens": _LENGTH,
        "model_length": _LENGTH,
        "tool_calls": _CALLS,
        "tool_use": _CALLS,
        "function_call": _CALLS,
        "content_filter": _FILTER,
        "sensitive": _FILTER,
        "error": BROKEN_OFF,
        "abort": BROKEN_OFF,
        "insufficient_system_resource": BROKEN_OFF,
        "network_error": BROKEN_OFF,
    },
    "anthropic": {
        "end_turn": _STOP,
        "stop_sequence": _STOP,
        "tool_use": _CALLS,
        "max_tokens": _LENGTH,
        "model_context_window_exceeded": _LENGTH,
        "refusal": _FILTER,
        "pause_turn": _PAUSE,
    },
    "gemini": {
        "STOP": _STOP,
        "OTHER": _STOP,
        "MAX_TOKENS": _LENGTH,
        "SAFETY": _FILTER,
        "RECITATION": _FILTER,
        "LANGUAGE": _FILTER,
        "BLOCKLIST": _FILTER,
        "PROHIBITED_CONTENT": _FILTER,
        "SPII": _FILTER,
        "MODEL_ARMOR": _FILTER,
        "IMAGE_SAFETY": _FILTER,
        "IMAGE_PROHIBITED_CONTENT": _FILTER,
        "IMAGE_RECITATION": _FILTER,
        "IMAGE_OTHER": _FILTER,
        "NO_IMAGE": _FILTER,
        "CONTINUATION": _PAUSE,
        "MALFORMED_FUNCTION_CALL": FAILED_AT,
        "UNEXPECTED_TOOL_CALL": FAILED_AT,
        "TOO_MANY_TOOL_CALLS": FAILED_AT,
        "MISSING_THOUGHT_SIGNATURE": FAILED_AT,
        "MALFORMED_RESPONSE": FAILED_AT,
    },
    # Of what is incomplete; `completed` is a stop, or calls where there are any.
    "responses": {
        "max_output_tokens": _LENGTH,
        "content_filter": _FILTER,
        "max_messages": _PAUSE,
        "steered": _PAUSE,
    },
}
"""By format, what a provider's word means."""

WRITTEN: Mapping[str, Mapping[FinishReason, str]] = {
    # An answer that waits to be continued is not whole, which is all that chat can say of it.
    "openai": {
        _STOP: "stop",
        _LENGTH: "length",
        _CALLS: "tool_calls",
        _FILTER: "content_filter",
        _PAUSE: "length",
    },
    "anthropic": {
        _STOP: "end_turn",
        _LENGTH: "max_tokens",
        _CALLS: "tool_use",
        _FILTER: "refusal",
        _PAUSE: "pause_turn",
    },
    "gemini": {
        _STOP: "STOP",
        _LENGTH: "MAX_TOKENS",
        _CALLS: "STOP",
        _FILTER: "SAFETY",
        _PAUSE: "CONTINUATION",
    },
    # OpenAI has no word for an answer that waits to be continued: incomplete, and no more is said.
    "responses": {_LENGTH: "max_output_tokens", _FILTER: "content_filter"},
}
"""By format, what clients are told."""

_MESSAGES = {
    BROKEN_OFF: ("The provider broke its answer off ({word}).", "provider_unavailable"),
    FAILED_AT: ("The provider's model did not finish its answer properly ({word}).", "provider_bad_response"),
}


def read_reason(format_name: str, word: str) -> FinishReason:
    """Raises UpstreamFailure for a word that tells of none of an answer's ends."""
    reason = READ[format_name].get(word, _STOP)
    if isinstance(reason, FinishReason):
        return reason
    message, code = _MESSAGES[reason]
    raise UpstreamFailure(reason, message.format(word=word), code=code)


def refuse_without_call(reason: FinishReason, *, has_calls: bool) -> None:
    """Whoever is told of a call would wait for one. Raises UpstreamFailure."""
    if reason is _CALLS and not has_calls:
        raise UpstreamFailure(
            FAILED_AT,
            "The provider's model said that it calls a tool, and called none.",
            code=_MESSAGES[FAILED_AT][1],
        )
