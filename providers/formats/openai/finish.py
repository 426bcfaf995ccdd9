"""Why an answer ended, in chat's words."""

from providers.wire.events import Finished, FinishReason

# What OpenAI-compatible servers say beside OpenAI's own words.
_READ = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "tool_use": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
}
# An answer that waits to be continued is not whole, which is all that chat can say of it.
_WRITTEN = {FinishReason.PAUSE: "length"}


def read_finish(word: str, native: object, *, has_calls: bool) -> Finished:
    """`native` is the word of whoever stands behind the provider, where that is told.

    A named choice of tool ends with `stop` at OpenAI: the calls are what matters to whoever has to go on.
    """
    reason = _READ.get(word.lower(), FinishReason.STOP)
    if has_calls and reason is FinishReason.STOP:
        reason = FinishReason.TOOL_CALLS
    return Finished(reason, native if isinstance(native, str) and native else word)


def write_finish(finished: Finished) -> dict[str, str]:
    """The members of a choice."""
    word = _WRITTEN.get(finished.reason, finished.reason.value)
    return {"finish_reason": word} | ({"native_finish_reason": finished.native} if finished.native else {})
