"""Random answers as events, and what is the same in two of them, for the tests of all wire formats."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

from providers.wire.events import (
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    ReasoningSealed,
    Started,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
    UsageSeen,
)
from providers.wire.usage import Usage


def random_answer(chance: random.Random, origin: str) -> list[Event]:
    """Thoughts, text and calls, each of them or not, in pieces."""
    calls = chance.randint(0, 2)
    events: list[Event] = [Started("answer-1")]
    if chance.random() < 0.5:
        events += [
            ReasoningDelta("Let me "),
            ReasoningDelta("see."),
            ReasoningSealed("c2lnbmVk", origin=origin),
        ]
    events += [TextDelta(text) for text in chance.choice(((), ("Grüße, ", "世界", " 🌍")))]
    for index in range(calls):
        events.append(ToolCallStarted(index, f"call_{index}", "get_weather"))
        events += [ToolArguments(index, text) for text in ('{"city":', '"Oslo"}')]
    reason = FinishReason.TOOL_CALLS if calls else chance.choice((FinishReason.STOP, FinishReason.LENGTH))
    thought = chance.randint(0, 9)
    return [*events, Finished(reason), UsageSeen(Usage(20, 10 + thought, chance.randint(0, 20), 0, thought))]


def meaning(events: Sequence[Event]) -> list[Event]:
    """Pieces joined, and without the names that each format has of its own."""
    joined: list[Event] = []
    for event in events:
        last = joined[-1] if joined else None
        match event, last:
            case (TextDelta(), TextDelta()):
                joined[-1] = TextDelta(last.text + event.text, last.logprobs + event.logprobs)
            case (ReasoningDelta(), ReasoningDelta()):
                joined[-1] = ReasoningDelta(last.text + event.text)
            case (ToolArguments(), ToolArguments()) if last.index == event.index:
                joined[-1] = ToolArguments(event.index, last.text + event.text)
            case (Finished(), _):
                joined.append(replace(event, native="", stop_sequence=None))
            case (Started(), _):
                joined.append(Started())
            case _:
                joined.append(event)
    return joined


def cut(data: bytes, chance: random.Random) -> Iterator[bytes]:
    """The same bytes in pieces, many of them of one byte."""
    while data:
        size = chance.choice((1, 1, 2, 7, 60))
        yield data[:size]
        data = data[size:]


def told(events: Sequence[Event]) -> list[list[Any]]:
    """As golden files hold them: the kind, and the members that are not at their default."""
    return [[type(event).__name__, _members(event)] for event in events]


def _members(value: Any) -> dict[str, Any]:
    shown = {field.name: getattr(value, field.name) for field in fields(value)}
    shown = {name: member for name, member in shown.items() if member not in (None, "", (), 0, False)}
    return {name: _plain(member) for name, member in shown.items()}


def _plain(member: Any) -> Any:
    if isinstance(member, Usage):
        return _members(member)
    return list(member) if isinstance(member, tuple) else member
