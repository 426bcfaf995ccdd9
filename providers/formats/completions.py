"""OpenAI's legacy completions, `POST /v1/completions`, as a thin mapping: a prompt is one user's message.

For clients only. Source: types of the `openai` package 3.54 (November 2026).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson

from gateway.core.envelopes import openai_envelope
from providers.formats.base import AnswerFacts, BadRequest, remark
from providers.formats.openai.finish import write_finish
from providers.formats.openai.format import OPENAI_NAMES, OpenAIFormat
from providers.formats.openai.request_reader import read_request as read_chat_request
from providers.formats.openai.usage import write_stream_usage, write_usage
from providers.wire.conversation import Conversation
from providers.wire.events import Event, Finished, Rare, RefusalDelta, TextDelta, UsageSeen
from providers.wire.sse import event as sse
from providers.wire.usage import Usage

_DONE = sse(b"[DONE]")
# What a conversation cannot do; the values are those that ask for nothing.
_REFUSED: Mapping[str, tuple[Any, ...]] = {
    "echo": (None, False),
    "best_of": (None, 1),
    "suffix": (None, ""),
    # Its numbers are shaped otherwise than those of chat.
    "logprobs": (None,),
    "n": (None, 1),
}
_CHAT_ONLY = ("messages", "tools", "tool_choice", "functions", "function_call")
_WORDS = {"tool_calls": "stop"}


def read_request(body: Mapping[str, Any]) -> Conversation:
    """Raises BadRequest for prompts that are no single text, and for what a conversation cannot do."""
    prompt = body.get("prompt")
    if not isinstance(prompt, str) or not prompt:
        message = (
            "'prompt' has to be one string that is not empty: lists of prompts and of tokens are not served."
        )
        raise BadRequest(message, param="prompt")
    for name, harmless in _REFUSED.items():
        if not any(_are_same(body.get(name), value) for value in harmless):
            raise BadRequest(f"'{name}' is not served here; use chat completions.", param=name)
    for name in _CHAT_ONLY:
        if body.get(name) is not None:
            raise BadRequest(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
    others = {name: value for name, value in body.items() if name not in _REFUSED and name != "prompt"}
    return read_chat_request(others | {"messages": [{"role": "user", "content": prompt}]})


def write_answer(events: Sequence[Event], facts: AnswerFacts) -> dict[str, Any]:
    """Thoughts are left out: this format has no place for them."""
    finish = next((write_end(event) for event in events if isinstance(event, Finished)), None)
    usage = next((event.usage for event in events if isinstance(event, UsageSeen)), None)
    answer = _head(facts) | {"choices": [_choice("".join(_texts(events)), finish)]}
    return answer | ({} if usage is None else {"usage": write_usage(usage)})


def write_end(finished: Finished) -> str:
    word = write_finish(finished)["finish_reason"]
    return _WORDS.get(word, word)


class CompletionsStreamWriter:
    """See providers.formats.base.AnswerWriter."""

    def __init__(self, facts: AnswerFacts) -> None:
        self._facts = facts
        self._usage: Usage | None = None

    def write(self, events: Sequence[Event]) -> bytes:
        return b"".join(piece for event in events for piece in self._write(event))

    def finish(self, left_out: Sequence[str] = ()) -> bytes:
        if self._usage is None or not self._facts.wants_usage:
            return remark(left_out) + _DONE
        last = _head(self._facts) | {
            "choices": [],
            "usage": write_stream_usage(self._usage, self._facts.cost_usd),
        }
        return remark(left_out) + sse(orjson.dumps(last)) + _DONE

    def fail(self, error: Mapping[str, Any]) -> bytes:
        return sse(orjson.dumps(openai_envelope(error)))

    def _write(self, event: Event) -> Iterable[bytes]:
        match event:
            case UsageSeen():
                self._usage = event.usage
            case TextDelta() | RefusalDelta():
                yield self._chunk(_choice(event.text, None))
            case Finished():
                yield self._chunk(_choice("", write_end(event)))

    def _chunk(self, choice: dict[str, Any]) -> bytes:
        usage = {"usage": None} if self._facts.wants_usage else {}
        return sse(orjson.dumps(_head(self._facts) | {"choices": [choice]} | usage))


_NAMES = OPENAI_NAMES.but({"messages": "prompt", "max_output_tokens": "max_tokens"})


class CompletionsFormat(OpenAIFormat):
    """See providers.formats.base.Format: what clients speak alone; to providers it is chat."""

    name = "completions"
    endpoint = "completions"
    field_names = _NAMES
    usage_name = "usage"
    usage_details: Collection[str] = ()

    read_request = staticmethod(read_request)
    write_answer = staticmethod(write_answer)
    writer = CompletionsStreamWriter  # type: ignore[assignment]  # another AnswerWriter

    def can_tell(self, event: Rare) -> bool:  # noqa: ARG002
        return False


def _are_same(value: Any, harmless: Any) -> bool:
    """As in JSON, where true is not 1."""
    return type(value) is type(harmless) and value == harmless


def _head(facts: AnswerFacts) -> dict[str, Any]:
    return {
        "id": f"cmpl-{facts.id}",
        "object": "text_completion",
        "created": facts.created,
        "model": facts.model,
    }


def _choice(text: str, finish: str | None) -> dict[str, Any]:
    return {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}


def _texts(events: Iterable[Event]) -> Iterable[str]:
    return (event.text for event in events if isinstance(event, TextDelta | RefusalDelta))
