"""Why an answer ended, in chat's words."""

from providers.formats import finishes
from providers.wire.events import Finished, FinishReason


def read_finish(word: str, native: object, *, has_calls: bool) -> Finished:
    """`native` is the word of whoever stands behind the provider, where that is told.

    A named choice of tool ends with `stop` at OpenAI: the calls are what matters to whoever has to go on. Raises
    UpstreamFailure for what is no end, and for an end in a call where there was none.
    """
    reason = finishes.read_reason("openai", word.lower())
    finishes.refuse_without_call(reason, has_calls=has_calls)
    if has_calls and reason is FinishReason.STOP:
        reason = FinishReason.TOOL_CALLS
    return Finished(reason, native if isinstance(native, str) and native else word)


def write_finish(finished: Finished) -> dict[str, str]:
    """The members of a choice."""
    word = finishes.WRITTEN["openai"][finished.reason]
    return {"finish_reason": word} | ({"native_finish_reason": finished.native} if finished.native else {})
