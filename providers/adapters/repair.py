"""Puts right what a provider of a quirk says in the wrong place: thoughts in the text, an answer as a tool call.

And keeps the first tool call of an answer and no other, for clients that take one, at providers that cannot be told so.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Protocol

from providers.formats.answer_tool import ANSWER_TOOL, SCHEMA_BY_TOOL
from providers.formats.base import EventReader
from providers.formats.sse_events import ReaderAround
from providers.wire.events import (
    Event,
    Finished,
    FinishReason,
    Native,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
    UsageSeen,
)
from providers.wire.quirks import quirk

_THINK_TAGS = quirk(
    "think_tags",
    "Writes its reasoning into the text, between <think> and </think>: it is moved to its own place",
)
_OPEN, _CLOSE = "<think>", "</think>"
# Of white space that may turn out to belong to nothing. Held for longer, each further letter would cost all of it.
_MOST_HELD = 1_000


class Repair(Protocol):
    """One answer, event after event."""

    def repair(self, event: Event) -> Iterator[Event]: ...

    def end(self) -> Iterator[Event]:
        """What was still held when the answer ended; safe to repeat."""


class ThinkTags:
    """Moves thoughts out of the text, where they stand between tags at its beginning.

    Tags further on are text: an answer may be about them. White space around the thoughts belongs to nothing. An
    answer that ends before the closing tag was all thought.
    """

    def __init__(self) -> None:
        self._place = "before"
        self._has_thought = False
        self._held = TextDelta("")

    def repair(self, event: Event) -> Iterator[Event]:
        if isinstance(event, TextDelta) and self._place != "after":
            self._held = TextDelta(self._held.text + event.text, self._held.logprobs + event.logprobs)
            yield from self._read()
            return
        if not isinstance(event, Started | UsageSeen | ReasoningDelta | TextDelta | Native):
            yield from self.end()
        yield event

    def end(self) -> Iterator[Event]:
        """A beginning of a tag that never became one is what was said."""
        held, self._held = self._held, TextDelta("")
        is_thought, self._place = self._place == "inside", "after"
        if held.text:
            yield ReasoningDelta(held.text) if is_thought else held

    def _read(self) -> Iterator[Event]:
        if self._place == "before":
            text = self._held.text.lstrip()
            if text.startswith(_OPEN):
                self._place, self._held = "inside", TextDelta(text.removeprefix(_OPEN))
            elif not _OPEN.startswith(text) or len(self._held.text) > _MOST_HELD:
                yield from self.end()
        if self._place == "inside":
            yield from self._read_thought()
        if self._place == "between":
            yield from self._read_first_text()

    def _read_thought(self) -> Iterator[Event]:
        """Everything but white space and what may be the beginning of the closing tag goes out at once."""
        text = self._held.text if self._has_thought else self._held.text.lstrip()
        thought, tag, rest = text.partition(_CLOSE)
        if tag:
            self._place, self._held = "between", TextDelta(rest)
            thought = thought.rstrip()
        else:
            sure = _without_beginning(thought, _CLOSE)
            size = len(sure.rstrip())
            size = len(sure) if len(sure) - size > _MOST_HELD else size
            self._held, thought = TextDelta(thought[size:]), thought[:size]
        if thought:
            self._has_thought = True
            yield ReasoningDelta(thought)

    def _read_first_text(self) -> Iterator[Event]:
        text = self._held.text.lstrip()
        self._held = replace(self._held, text=text) if text else TextDelta("")
        if text:
            yield from self.end()


def _without_beginning(text: str, tag: str) -> str:
    """The text without an end that may turn out to be the beginning of the tag."""
    sizes = range(min(len(tag) - 1, len(text)), 0, -1)
    return next((text[:-size] for size in sizes if text.endswith(tag[:size])), text)


class AnswerTool:
    """Makes the call of the answer's tool the text that it stands for, and the reason of the end that of a text.

    A second call of it is left out: two answers after each other are no JSON.
    """

    def __init__(self) -> None:
        self._answers: dict[int, bool] = {}
        """By the number of the call: whether it is the first."""
        self._has_calls = False

    def repair(self, event: Event) -> Iterator[Event]:
        match event:
            case ToolCallStarted(name=name, index=index) if name == ANSWER_TOOL:
                self._answers.setdefault(index, not self._answers)
            case ToolArguments(index=index, text=text) if index in self._answers:
                if self._answers[index]:
                    yield TextDelta(text)
            case ToolCallStarted():
                self._has_calls = True
                yield event
            case Finished(reason=FinishReason.TOOL_CALLS) if self._answers and not self._has_calls:
                yield replace(event, reason=FinishReason.STOP)
            case _:
                yield event

    def end(self) -> Iterator[Event]:
        return iter(())


Repairs = Sequence[Callable[[], Repair]]
REPAIRS: Mapping[str, Callable[[], Repair]] = {_THINK_TAGS: ThinkTags, SCHEMA_BY_TOOL: AnswerTool}
"""By quirk, in the order in which they read: tags stand in texts, not in arguments."""


def repairs_for(quirks: Set[str]) -> Repairs:
    return tuple(repair for quirk, repair in REPAIRS.items() if quirk in quirks)


def repair_whole(events: Sequence[Event], repairs: Repairs) -> Sequence[Event]:
    """The events of a whole answer."""
    if not repairs:
        return events
    repaired = _Chain(repairs)
    return [*repaired.repair(events), *repaired.end()]


class RepairedReader(ReaderAround):
    """See providers.formats.base.EventReader: another one, repaired."""

    def __init__(self, reader: EventReader, repairs: Repairs) -> None:
        super().__init__(reader)
        self._chain = _Chain(repairs)

    def feed(self, data: bytes) -> list[Event]:
        events = self._chain.repair(self._reader.feed(data))
        return [*events, *self._chain.end()] if self.is_done else events

    def finish(self) -> list[Event]:
        return [*self._chain.repair(self._reader.finish()), *self._chain.end()]


class _Chain:
    def __init__(self, repairs: Repairs) -> None:
        self._repairs = [make() for make in repairs]

    def repair(self, events: Sequence[Event]) -> list[Event]:
        repaired = list(events)
        for repair in self._repairs:
            repaired = [passed for event in repaired for passed in repair.repair(event)]
        return repaired

    def end(self) -> list[Event]:
        held: list[Event] = []
        for repair in self._repairs:
            held = [passed for event in held for passed in repair.repair(event)] + list(repair.end())
        return held


def keep_first_call(events: Iterable[Event]) -> list[Event]:
    """Readers number calls from 0."""
    return [
        event for event in events if not isinstance(event, ToolCallStarted | ToolArguments) or not event.index
    ]


class OneCallReader(ReaderAround):
    """See formats.base.EventReader."""

    def feed(self, data: bytes) -> list[Event]:
        return keep_first_call(self._reader.feed(data))

    def finish(self) -> list[Event]:
        return keep_first_call(self._reader.finish())
