"""Reads a provider's streamed response into events."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from providers.formats.call_order import CallOrder
from providers.formats.openai.delta_reader import read_citation
from providers.formats.openai.vendors import arguments_of
from providers.formats.responses.answer_reader import read_start
from providers.formats.responses.finish import read_failure, read_finish
from providers.formats.responses.output_reader import (
    read_call,
    read_item,
    read_logprobs,
    read_parts,
    read_signature,
    read_unknown_part,
    reasoning_text,
)
from providers.formats.responses.usage import read_usage
from providers.formats.sse_events import SseEventReader
from providers.wire.events import (
    Event,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolArguments,
    UsageSeen,
)

_Map = Mapping[str, Any]
_OPENINGS = frozenset(
    {
        "response.created",
        "response.queued",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    }
)
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})


class ResponsesStreamReader(SseEventReader):
    """See providers.formats.base.EventReader.

    Servers leave out deltas, ids or indices; so an item says at its end what its deltas have not said.
    """

    def __init__(self) -> None:
        super().__init__()
        self._order = CallOrder()
        self._calls: dict[object, int] = {}
        self._spoken: set[object] = set()
        self._has_started = False
        self._last_item: object = None
        self._readers: dict[str, Callable[[_Map], Iterable[Event]]] = {
            "response.output_item.added": self._add_item,
            "response.output_text.delta": self._read_text,
            "response.refusal.delta": self._read_refusal,
            "response.output_text.annotation.added": _read_annotation,
            "response.function_call_arguments.delta": self._read_arguments,
            "response.reasoning_summary_text.delta": self._read_thought,
            "response.reasoning_text.delta": self._read_thought,
            "response.reasoning_summary_part.added": _part_thoughts,
            "response.content_part.done": _read_part,
            "response.output_item.done": self._end_item,
        }

    def _end(self) -> list[Event]:
        return self._order.end()

    def _does_more(self, value: _Map) -> bool:
        kind = value.get("type")
        return isinstance(kind, str) and kind.startswith("response.") and kind not in _OPENINGS

    def _read_value(self, value: _Map) -> list[Event]:
        kind = value.get("type")
        if kind == "error" or value.get("error"):
            raise read_failure(value)
        response = value.get("response")
        response = response if isinstance(response, Mapping) else {}
        self._report(read_usage(response.get("usage"), response.get("service_tier")))
        if isinstance(kind, str) and kind in _ENDS:
            return [*self._start(response), *self._read_end(response)]
        reader = self._readers.get(kind) if isinstance(kind, str) else None
        said = reader(value) if reader else ()
        return [*self._start(response), *(passed for event in said for passed in self._order.put(event))]

    def _start(self, response: _Map) -> list[Event]:
        if self._has_started:
            return []
        self._has_started = True
        return [read_start(response)]

    def _read_end(self, response: _Map) -> list[Event]:
        self.is_done = True
        finished = read_finish(response, has_calls=bool(self._calls))
        usage = self.reported
        return [*self._order.end(), finished, *([UsageSeen(usage)] if usage else [])]

    def _add_item(self, value: _Map) -> Iterator[Event]:
        item = _item(value)
        key = self._last_item = _key(value, item)
        if item.get("type") == "function_call" and key not in self._calls:
            number = self._calls[key] = len(self._calls)
            yield read_call(item, number)

    def _end_item(self, value: _Map) -> Iterator[Event]:
        """Whatever of the item was not said before."""
        item = _item(value)
        key = _key(value, item)
        kind, is_silent = item.get("type"), key not in self._spoken
        if kind == "function_call":
            yield from self._add_item(value)
            if is_silent:
                yield ToolArguments(self._calls[key], arguments_of(item) or "{}")
        elif kind == "reasoning":
            text = reasoning_text(item) if is_silent else ""
            yield from [ReasoningDelta(text)] if text else []
            yield read_signature(item)
        elif kind == "message":
            yield from read_parts(item) if is_silent else ()
        elif item:
            yield from read_item(item, 0)

    def _speak(self, value: _Map) -> str:
        """The delta's text, its item having said something now."""
        self._spoken.add(_key(value, {}, self._last_item))
        delta = value.get("delta")
        return delta if isinstance(delta, str) else ""

    def _read_text(self, value: _Map) -> list[Event]:
        text = self._speak(value)
        return [TextDelta(text, read_logprobs(value))] if text else []

    def _read_refusal(self, value: _Map) -> list[Event]:
        text = self._speak(value)
        return [RefusalDelta(text)] if text else []

    def _read_thought(self, value: _Map) -> list[Event]:
        text = self._speak(value)
        return [ReasoningDelta(text)] if text else []

    def _read_arguments(self, value: _Map) -> list[Event]:
        text, key = self._speak(value), _key(value, {}, self._last_item)
        return [ToolArguments(self._calls[key], text)] if text and key in self._calls else []


def _read_annotation(value: _Map) -> list[Event]:
    annotation = value.get("annotation")
    return [read_citation(annotation)] if isinstance(annotation, Mapping) else []


def _read_part(value: _Map) -> list[Event]:
    """One that had no deltas, since nobody knows it."""
    part = value.get("part")
    return list(read_unknown_part(part, {"id": value.get("item_id")})) if isinstance(part, Mapping) else []


def _part_thoughts(value: _Map) -> list[Event]:
    """Parts of a summary are paragraphs."""
    return [ReasoningDelta("\n\n")] if value.get("summary_index") else []


def _item(value: _Map) -> _Map:
    item = value.get("item")
    return item if isinstance(item, Mapping) else {}


def _key(value: _Map, item: _Map, default: object = None) -> object:
    """What all events of an item have in common; `default` where a server gives neither place nor id."""
    index = value.get("output_index")
    if isinstance(index, int):
        return index
    name = value.get("item_id") or item.get("id")
    return name if isinstance(name, str) else default
