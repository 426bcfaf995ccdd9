"""Reads a provider's whole chat answer."""

from collections.abc import Iterator, Mapping
from typing import Any

from providers.formats.openai.calls_reader import CallReader
from providers.formats.openai.delta_reader import read_text
from providers.formats.openai.finish import read_finish
from providers.formats.openai.reasoning import read_reasoning
from providers.formats.openai.vendors import choices_of, message_of, refuse_error, usage_in
from providers.wire.conversation import Reasoning
from providers.wire.events import Event, ReasoningDelta, ReasoningSigned, Started, UsageSeen
from providers.wire.failure import bad_response
from providers.wire.usage import read_openai_usage


def read_answer(value: Any) -> list[Event]:
    if not isinstance(value, Mapping):
        raise bad_response()
    refuse_error(value)
    choice = choices_of(value)[0]
    events: list[Event] = [read_start(value)]
    events += _read_message(choice, message_of(choice), f"call_{value['id']}" if value.get("id") else "call")
    usage = read_openai_usage(usage_in(value), value.get("service_tier"))
    return events if usage is None else [*events, UsageSeen(usage)]


def read_start(value: Mapping[str, Any]) -> Started:
    tier = value.get("service_tier")
    return Started(str(value.get("id") or ""), tier if isinstance(tier, str) else None)


def sign(thought: Reasoning) -> list[ReasoningSigned]:
    """The end of a block of thoughts, where there is something to give back with it."""
    if not (thought.signature or thought.encrypted):
        return []
    return [ReasoningSigned(thought.signature, thought.encrypted, thought.origin, thought.id)]


def _read_message(choice: Mapping[str, Any], message: Mapping[str, Any], prefix: str) -> Iterator[Event]:
    """`prefix` as in CallReader."""
    for thought in read_reasoning(message):
        if thought.text:
            yield ReasoningDelta(thought.text)
        yield from sign(thought)
    yield from read_text(message, choice.get("logprobs"))
    has_calls = False
    if message.get("tool_calls") or message.get("function_call"):
        calls = CallReader(prefix)
        yield from calls.read(message, is_whole=True)
        has_calls = calls.has_calls
    word = choice.get("finish_reason")
    if not word or not isinstance(word, str):
        raise bad_response("The provider's answer does not say why it ended.")
    yield read_finish(word, choice.get("native_finish_reason"), has_calls=has_calls)
