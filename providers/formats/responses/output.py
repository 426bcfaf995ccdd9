"""Makes the items of a response from events, and tells each step as Responses streams it."""

from collections.abc import Iterator
from typing import Any

from providers.formats.responses.finish import write_status
from providers.formats.responses.open_items import (
    NativeItem,
    OpenCall,
    OpenItem,
    OpenMessage,
    OpenReasoning,
    Picture,
    Step,
)
from providers.formats.responses.signatures import OF_CALL, ORIGIN
from providers.wire.events import (
    CitationAdded,
    Event,
    FileGenerated,
    Finished,
    Native,
    ReasoningDelta,
    ReasoningSigned,
    RefusalDelta,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
)


class Output:
    """`items` are those that have ended. `answer_id` makes their ids."""

    def __init__(self, answer_id: str) -> None:
        self.items: list[dict[str, Any]] = []
        self._answer_id = answer_id
        self._open: OpenItem | None = None

    def take(self, event: Event) -> Iterator[Step]:
        match event:
            case TextDelta() | RefusalDelta() | CitationAdded():
                yield from self._say(event)
            case ReasoningDelta() | ReasoningSigned():
                yield from self._think(event)
            case ToolCallStarted():
                yield from self._close("completed")
                if event.signature:
                    yield from self._think(ReasoningSigned(event.signature, origin=event.origin, id=OF_CALL))
                call = OpenCall(self._answer_id, self._next(), event)
                yield from self._begin(call)
            case ToolArguments():
                if isinstance(self._open, OpenCall):
                    yield from self._open.add(event.text)
            case FileGenerated() | Native():
                yield from self._tell_whole(event)
            case Finished():
                yield from self._close(write_status(event)["status"])

    def _say(self, event: TextDelta | RefusalDelta | CitationAdded) -> Iterator[Step]:
        message = self._open
        if not isinstance(message, OpenMessage):
            message = OpenMessage(self._answer_id, self._next())
            yield from self._begin(message)
        match event:
            case TextDelta():
                yield from message.add_text(event)
            case RefusalDelta():
                yield from message.add_refusal(event.text)
            case CitationAdded():
                yield from message.add_citation(event)

    def _think(self, event: ReasoningDelta | ReasoningSigned) -> Iterator[Step]:
        thoughts = self._open
        if not isinstance(thoughts, OpenReasoning):
            thoughts = OpenReasoning(self._answer_id, self._next())
            yield from self._begin(thoughts)
        if isinstance(event, ReasoningDelta):
            yield from thoughts.add(event.text)
        else:
            thoughts.sign(event)
            yield from self._close("completed")

    def _tell_whole(self, event: FileGenerated | Native) -> Iterator[Step]:
        item: OpenItem
        if isinstance(event, Native):
            item = NativeItem(self._answer_id, self._next(), event.value)
        elif event.origin == ORIGIN:
            item = NativeItem(self._answer_id, self._next(), event.native)
        else:
            item = Picture(self._answer_id, self._next(), event)
        yield from self._begin(item)
        yield from self._close("completed")

    def _next(self) -> int:
        return len(self.items) + (self._open is not None)

    def _begin(self, item: OpenItem) -> Iterator[Step]:
        yield from self._close("completed")
        self._open = item
        yield from item.open()

    def _close(self, status: str) -> Iterator[Step]:
        """Ends the open item, if there is one."""
        item, self._open = self._open, None
        if item is not None:
            yield from item.close(status)
            self.items.append(item.item(status))
