"""Writes a response for a client, whole or step by step."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from providers.formats.base import AnswerFacts
from providers.formats.responses.finish import write_status
from providers.formats.responses.open_items import (
    NativeItem,
    OpenCall,
    OpenItem,
    OpenMessage,
    OpenReasoning,
    Picture,
    Step,
    open_call,
)
from providers.formats.responses.own_tools import OwnTool, has_own_tools, own_tools
from providers.formats.responses.repeated import repeat_settings
from providers.formats.responses.signatures import OF_CALL, ORIGIN
from providers.formats.responses.usage import write_usage
from providers.wire.events import (
    CitationAdded,
    Event,
    FileGenerated,
    Finished,
    Native,
    ReasoningDelta,
    ReasoningSigned,
    RefusalDelta,
    Started,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
    UsageSeen,
)
from providers.wire.usage import Usage

# The only codes that clients' types know; the message says the rest.
_RATE_LIMITED, _WRONG, _BROKEN = "rate_limit_exceeded", "invalid_prompt", "server_error"
# Inside a text its quotes would be escaped.
_NUMBER = re.compile(rb'(?<!\\)"sequence_number": ?(\d{1,9})')


def write_answer(events: Sequence[Event], facts: AnswerFacts) -> dict[str, Any]:
    writing = ResponseWriting(facts)
    for event in events:
        for _ in writing.take(event):
            pass
    return writing.ended()


class ResponseWriting:
    """A response as it grows. Source: the SDK's type Response."""

    def __init__(self, facts: AnswerFacts) -> None:
        tools = own_tools(facts.request) if has_own_tools(facts.request) else {}
        self.output = Output(facts.id, tools)
        self._usage: Usage | None = None
        self._finished: Finished | None = None
        self._facts = facts
        self._head = {
            "id": f"resp_{facts.id}",
            "object": "response",
            "created_at": facts.created,
            "model": facts.model,
            **repeat_settings(facts.request),
        }

    def take(self, event: Event) -> Iterator[Step]:
        match event:
            case UsageSeen():
                self._usage = event.usage
            case Started():
                if event.service_tier:
                    self._head["service_tier"] = event.service_tier
            case _:
                if isinstance(event, Finished):
                    self._finished = event
                yield from self.output.take(event)

    def running(self) -> dict[str, Any]:
        return self._response({"status": "in_progress", "incomplete_details": None})

    def ended(self) -> dict[str, Any]:
        """The state that Finished says; without it the response is still running."""
        return self.running() if self._finished is None else self._response(write_status(self._finished))

    def failed(self, error: Mapping[str, Any]) -> dict[str, Any]:
        reason = {"code": _code(error), "message": error.get("message") or ""}
        return self._response({"status": "failed", "incomplete_details": None}) | {"error": reason}

    def _response(self, state: dict[str, Any]) -> dict[str, Any]:
        usage = None if self._usage is None else write_usage(self._usage)
        ended = self._facts.ended if state["status"] == "completed" else None
        told = {"completed_at": ended, **state, "error": None, "output": list(self.output.items)}
        return {**self._head, **told, "usage": usage}


def _code(error: Mapping[str, Any]) -> str:
    status = error.get("status") or 500
    if status == 429:
        return _RATE_LIMITED
    return _WRONG if 400 <= status < 500 else _BROKEN


class ResponsesStreamWriter:
    """See providers.formats.base.AnswerWriter."""

    def __init__(self, facts: AnswerFacts) -> None:
        self._writing = ResponseWriting(facts)
        self._output = self._writing.output
        self._next_number = _number_after(facts.sent)
        self._has_begun = False

    def write(self, events: Sequence[Event]) -> bytes:
        return b"".join(map(self._write, events))

    def finish(self, left_out: Sequence[str] = ()) -> bytes:
        # In the response itself, which is stored so, and whoever stores it passes on no comments.
        response = self._writing.ended() | ({"left_out": list(left_out)} if left_out else {})
        return self._event({"type": f"response.{response['status']}", "response": response})

    def fail(self, error: Mapping[str, Any]) -> bytes:
        event = {"type": "error"} | {name: error.get(name) for name in ("code", "message", "param")}
        if not self._has_begun:
            # Somebody else wrote its beginning, and the SDK refuses a response that changes its id.
            return self._event(event)
        failed = {"type": "response.failed", "response": self._writing.failed(error)}
        return self._event(event) + self._event(failed)

    def _write(self, event: Event) -> bytes:
        if type(event) is TextDelta and not event.logprobs and (message := self._output.open_text):
            self._next_number += 1
            return message.more_text(event.text, self._next_number - 1)
        return b"".join(self._events(event))

    def _events(self, event: Event) -> Iterator[bytes]:
        steps = self._writing.take(event)
        if not self._has_begun:
            # What the first event says of the whole response belongs into its beginning.
            first = list(steps)
            yield from self._begin()
            yield from map(self._event, first)
        else:
            yield from map(self._event, steps)

    def _begin(self) -> Iterator[bytes]:
        self._has_begun = True
        for kind in ("created", "in_progress"):
            yield self._event({"type": f"response.{kind}", "response": self._writing.running()})

    def _event(self, step: dict[str, Any]) -> bytes:
        step["sequence_number"] = self._next_number
        self._next_number += 1
        return b"event: %b\ndata: %b\n\n" % (step["type"].encode(), orjson.dumps(step))


def _number_after(sent: bytes) -> int:
    """The next event's, from the last bytes of a stream: whole events."""
    numbers = _NUMBER.findall(sent)
    return int(numbers[-1]) + 1 if numbers else 0


class Output:
    """`items` are those that have ended. `answer_id` makes their ids, `tools` name those of Responses' own."""

    def __init__(self, answer_id: str, tools: Mapping[str, OwnTool]) -> None:
        self.items: list[dict[str, Any]] = []
        self._answer_id = answer_id
        self._tools = tools
        self._open: OpenItem | None = None

    @property
    def open_text(self) -> OpenMessage | None:
        """The message that is being written, if more text would belong to its last part."""
        message = self._open
        return message if isinstance(message, OpenMessage) and message.is_text_open else None

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
                own = self._tools.get(event.name)
                yield from self._begin(open_call(self._answer_id, self._next(), event, own))
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
