"""What answers and chunks of OpenAI's chat are like: the commonest ones, each known in one step, and what servers do
otherwise than OpenAI, each habit once, for the relay and for the reader of events.

The relay (adapters.openai_stream, adapters.openai_answer) passes on bytes and asks here what they mean.
"""

from collections.abc import Container, Mapping
from typing import Any

import orjson

from providers.formats.finishes import read_reason, refuse_without_call
from providers.wire.failure import bad_response, reported_inside

UNUSUAL = frozenset({"error", "x_groq"})
"""Members of a chunk whose presence is reason to look closer: those that `refuse_error` and `usage_in` know."""
HEAD = ("id", "object", "created", "model")
"""Members that SDKs read of every answer."""
_BESIDE = ("refusal", "annotations", "tool_calls", "function_call")
_PLAIN = frozenset({"role", "content", *_BESIDE})


def is_one_text(answer: Mapping[str, Any]) -> bool:
    """Whether it is the commonest answer by far: one text that has ended, and nothing of it has to be put right."""
    try:
        (choice,) = answer["choices"]
        message = choice["message"]
        return (
            type(message["content"]) is str
            and choice["finish_reason"] == "stop"
            and message["role"] == "assistant"
            and message.keys() <= _PLAIN
            and not any(map(message.get, _BESIDE))
            and all(map(answer.get, HEAD))
            and UNUSUAL.isdisjoint(answer)
            and "index" in choice
        )
    except (KeyError, TypeError, ValueError):
        return False


def more_text(chunk: Any, running: Container[int]) -> str | None:
    """Of the commonest chunk by far, in one step: more text of the only choice, which is one of those that run.

    None for any other. Its choice may tell `logprobs` too.
    """
    try:
        (choice,) = chunk["choices"]
        delta = choice["delta"]
        content = delta["content"]
        is_alone = (
            type(content) is str
            and len(delta) == 1
            and choice["finish_reason"] is None
            and choice["index"] in running
            and UNUSUAL.isdisjoint(chunk)
            and not chunk.get("usage")
        )
    except (KeyError, TypeError, ValueError):
        return None
    return content if is_alone else None


def refuse_error(value: Mapping[str, Any]) -> None:
    """Raises UpstreamFailure for an answer or a chunk that reports an error under a status of success."""
    if UNUSUAL.isdisjoint(value):
        return
    # Groq reports late errors beside its usage (its SDK's types, November 2026).
    if error := value.get("error") or _inside(value, "x_groq").get("error"):
        raise reported_inside(error)


def usage_in(value: Mapping[str, Any]) -> Any:
    """Of an answer or a chunk, as its provider wrote it; None where there is none.

    Some servers repeat the sum so far in every chunk: the last one counts.
    """
    usage = value.get("usage")
    if usage is not None or "x_groq" not in value:
        return usage
    # Groq tells it there too, and only there where nobody asked for it.
    return _inside(value, "x_groq").get("usage")


def choices_of(answer: Mapping[str, Any]) -> list[Any]:
    """Of a whole answer. Raises UpstreamFailure where there are none."""
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices:
        raise bad_response("The provider's answer has no choices.")
    return choices


def message_of(choice: object) -> Mapping[str, Any]:
    """Of a whole answer. Raises UpstreamFailure for a choice without one, and for one that reports an error."""
    if not isinstance(choice, dict) or not isinstance(message := choice.get("message"), dict):
        raise bad_response("The provider's answer has a choice without a message.")
    if choice.get("finish_reason") == "error" and (error := choice.get("error")):
        # OpenRouter's word, as below (its API reference, November 2026).
        raise reported_inside(error)
    content, calls = message.get("content"), message.get("tool_calls")
    if not isinstance(content, str | list | None) or not isinstance(calls, list | None):
        raise bad_response("The provider's answer has a message of the wrong type.")
    word = choice.get("finish_reason")
    if word != "stop" and isinstance(word, str):
        refuse_end(word, has_calls=bool(calls or message.get("function_call")))
    return message


def delta_of(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    """Empty where there is none, as some have it that only finish. Raises UpstreamFailure for a choice of no stream."""
    delta = choice.get("delta")
    if isinstance(delta, Mapping):
        return delta
    if "message" in choice or "text" in choice:
        raise bad_response("The provider did not stream.")
    return {}


def finish_of(choice: Mapping[str, Any]) -> str | None:
    """The word for the end of a streamed choice; None while it runs. Raises UpstreamFailure where it broke off."""
    word = choice.get("finish_reason")
    if word is None or word == "stop":
        return word
    if not word or not isinstance(word, str):
        return None
    read_reason("openai", word.lower())
    return word


def refuse_end(word: str, *, has_calls: bool) -> None:
    """Raises UpstreamFailure for a word that is no end, or one in a call where there was none."""
    refuse_without_call(read_reason("openai", word.lower()), has_calls=has_calls)


class Finishes:
    """The choices of a stream that run and that have ended: some servers say the end again, beside the usage."""

    def __init__(self) -> None:
        self.running: set[int] = set()
        self.are_all = False
        """Every choice that was heard of has ended."""
        self._ended: set[int] = set()

    def take(self, index: int, word: str | None) -> bool:
        """Whether that is news: False for a second end of the same choice."""
        if index in self._ended:
            return not word
        if word:
            self._ended.add(index)
            self.running.discard(index)
            self.are_all = not self.running
        else:
            self.running.add(index)
            self.are_all = False
        return True


def visible_reasoning(message: Mapping[str, Any]) -> str:
    """DeepSeek's name for it and Groq's: some servers send the same under both."""
    for name in ("reasoning_content", "reasoning"):
        text = message.get(name)
        if text and isinstance(text, str):
            return text
    return ""


def function_of(call: Mapping[str, Any]) -> Mapping[str, Any]:
    function = call.get("function")
    return function if isinstance(function, Mapping) else {}


def arguments_of(function: Mapping[str, Any]) -> str:
    """Some servers send the object itself in place of its text. Empty where there are none."""
    arguments = function.get("arguments")
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return orjson.dumps(arguments).decode()


class CallNumbers:
    """Numbers the tool calls of one streamed choice from 0, as their pieces come."""

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}

    def __bool__(self) -> bool:
        return bool(self._numbers)

    def take(self, call: Mapping[str, Any]) -> tuple[int, bool]:
        """The number of the call that this piece is of, and whether it is the first."""
        key, count = self._key(call), len(self._numbers)
        return self._numbers.setdefault(key, count), len(self._numbers) > count

    def _key(self, call: Mapping[str, Any]) -> object:
        """A server that counts no index sends a new id, or a name again, with each new call."""
        index = call.get("index")
        if isinstance(index, int):
            return index
        if call.get("id"):
            return str(call["id"])
        if not self._numbers or function_of(call).get("name"):
            return ("unnumbered", len(self._numbers))
        return next(reversed(self._numbers))


def _inside(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = value.get(name)
    return inner if isinstance(inner, Mapping) else {}
