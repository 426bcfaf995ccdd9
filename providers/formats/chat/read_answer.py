"""Reads a provider's whole chat answer."""

from collections.abc import Iterator, Mapping
from typing import Any

from providers.formats.chat.finish import read_finish
from providers.formats.chat.read_calls import CallReader
from providers.formats.chat.read_delta import read_text
from providers.formats.chat.reasoning import read_reasoning
from providers.wire.conversation import Reasoning
from providers.wire.events import Event, ReasoningDelta, ReasoningSealed, Started, UsageSeen
from providers.wire.failure import bad_response, reported_inside
from providers.wire.usage import read_openai_usage


def read_answer(value: Any) -> list[Event]:
    if not isinstance(value, Mapping):
        raise bad_response()
    if value.get("error"):
        raise reported_inside(value["error"])
    choice = _first_choice(value)
    events: list[Event] = [read_start(value)]
    events += _read_message(choice, str(value.get("id") or ""))
    usage = read_openai_usage(value.get("usage"), value.get("service_tier"))
    return events if usage is None else [*events, UsageSeen(usage)]


def read_start(value: Mapping[str, Any]) -> Started:
    tier = value.get("service_tier")
    return Started(str(value.get("id") or ""), tier if isinstance(tier, str) else None)


def seal(thought: Reasoning) -> list[ReasoningSealed]:
    """The end of a block of thoughts, where there is something to give back with it."""
    if not (thought.signature or thought.encrypted):
        return []
    return [ReasoningSealed(thought.signature, thought.encrypted, thought.origin, thought.id)]


def _first_choice(value: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = value.get("choices")
    if not isinstance(choices, list) or not choices:
        raise bad_response("The provider's answer has no choices.")
    choice = choices[0]
    if not isinstance(choice, Mapping) or not isinstance(choice.get("message"), Mapping):
        raise bad_response("The provider's answer has a choice without a message.")
    if choice.get("finish_reason") == "error":
        raise reported_inside(choice.get("error") or {})
    return choice


def _read_message(choice: Mapping[str, Any], answer_id: str) -> Iterator[Event]:
    message, calls = choice["message"], CallReader()
    calls.prefix = f"call_{answer_id}" if answer_id else "call"
    for thought in read_reasoning(message):
        if thought.text:
            yield ReasoningDelta(thought.text)
        yield from seal(thought)
    yield from read_text(message, choice.get("logprobs"))
    yield from calls.read(message, is_whole=True)
    word = choice.get("finish_reason")
    if not word or not isinstance(word, str):
        raise bad_response("The provider's answer does not say why it ended.")
    yield read_finish(word, choice.get("native_finish_reason"), has_calls=calls.has_calls)
