"""Reads a provider's response, whole or streamed."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from providers.formats.call_order import CallOrder
from providers.formats.openai.answer_reader import read_citation
from providers.formats.openai.vendors import arguments_of
from providers.formats.responses.finish import read_failure, read_finish
from providers.formats.responses.repair import Numbers, with_status
from providers.formats.responses.signatures import ORIGIN
from providers.formats.responses.usage import read_usage
from providers.formats.sse_events import SseEventReader
from providers.wire.events import (
    Event,
    FileGenerated,
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
from providers.wire.failure import bad_response

_KNOWN_PARTS = frozenset({"output_text", "text", "refusal", "reasoning_text", "summary_text"})
MEDIA_TYPES = {
    "png": "image/png",
    "webp": "image/webp",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "svg": "image/svg+xml",
}
"""By `output_format`."""
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


def read_answer(value: Any) -> list[Event]:
    if not isinstance(value, Mapping):
        raise bad_response()
    if value.get("error"):
        raise read_failure(value["error"])
    output = value.get("output")
    if not isinstance(output, list) or not all(isinstance(item, Mapping) for item in output):
        raise bad_response("The provider's response has no output.")
    events: list[Event] = [read_start(value)]
    calls = 0
    for item in output:
        told = list(read_item(item, calls))
        calls += sum(isinstance(event, ToolCallStarted) for event in told)
        events += told
    events.append(read_finish(value, has_calls=calls > 0))
    usage = read_usage(value)
    return events if usage is None else [*events, UsageSeen(usage)]


def read_start(value: Mapping[str, Any]) -> Started:
    tier = value.get("service_tier")
    return Started(str(value.get("id") or ""), tier if isinstance(tier, str) else None)


def read_item(item: Mapping[str, Any], number: int) -> Iterator[Event]:
    """A whole item; `number` is that of its call, if it is one."""
    match item.get("type"):
        case "message":
            yield from read_parts(item)
        case "reasoning":
            if text := reasoning_text(item):
                yield ReasoningDelta(text)
            yield read_signature(item)
        case "function_call":
            yield read_call(item, number)
            yield ToolArguments(number, arguments_of(item) or "{}")
        case str(kind):
            yield read_image(item) or Native(ORIGIN, dict(item), f"output.{kind}")


def read_parts(item: Mapping[str, Any]) -> Iterator[Event]:
    for part in _maps(item.get("content")):
        text, refusal = part.get("text"), part.get("refusal")
        if isinstance(text, str) and text:
            yield TextDelta(text, read_logprobs(part))
            yield from map(read_citation, _maps(part.get("annotations")))
        if isinstance(refusal, str) and refusal:
            yield RefusalDelta(refusal)
        yield from read_unknown_part(part, item)


def read_unknown_part(part: Mapping[str, Any], item: Mapping[str, Any]) -> Iterator[Native]:
    """In a message of its own."""
    kind = part.get("type")
    if isinstance(kind, str) and kind not in _KNOWN_PARTS:
        message = {"type": "message", "role": "assistant", "status": "completed", **item, "content": [part]}
        yield Native(ORIGIN, message, f"output.content.{kind}")


def read_image(item: Mapping[str, Any]) -> FileGenerated | None:
    """None for an item that holds no picture."""
    data = item.get("result")
    if item.get("type") != "image_generation_call" or not isinstance(data, str) or not data:
        return None
    media_type = MEDIA_TYPES.get(str(item.get("output_format")), "image/png")
    return FileGenerated(media_type, data, origin=ORIGIN, native=dict(item))


def reasoning_text(item: Mapping[str, Any]) -> str:
    for name in ("summary", "content"):
        texts = [part["text"] for part in _maps(item.get(name)) if isinstance(part.get("text"), str)]
        if texts:
            return "\n\n".join(texts)
    return ""


def read_signature(item: Mapping[str, Any]) -> ReasoningSigned:
    encrypted, item_id = item.get("encrypted_content"), item.get("id")
    return ReasoningSigned(
        encrypted=encrypted if isinstance(encrypted, str) else None,
        origin=ORIGIN,
        id=item_id if isinstance(item_id, str) else None,
    )


def read_call(item: Mapping[str, Any], number: int) -> ToolCallStarted:
    call_id = item.get("call_id") or item.get("id") or f"call_{number}"
    return ToolCallStarted(number, str(call_id), str(item.get("name") or ""))


def read_logprobs(value: Mapping[str, Any]) -> tuple[Any, ...]:
    logprobs = value.get("logprobs")
    return tuple(logprobs) if isinstance(logprobs, list) else ()


def _maps(values: object) -> Iterator[Mapping[str, Any]]:
    return (value for value in values if isinstance(value, Mapping)) if isinstance(values, list) else iter(())


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
        self._numbers = Numbers()
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

    def _mended(self, value: _Map, shown: bytes) -> tuple[_Map, bytes]:
        return self._numbers.mended(value, shown)

    def _does_more(self, value: _Map) -> bool:
        kind = value.get("type")
        return isinstance(kind, str) and kind.startswith("response.") and kind not in _OPENINGS

    def _read_value(self, value: _Map) -> list[Event]:
        kind = value.get("type")
        if kind == "error" or value.get("error"):
            raise read_failure(value)
        response = value.get("response")
        if isinstance(response, Mapping):
            self._report(read_usage(response))
        else:
            response = {}
        if not isinstance(kind, str):
            return self._start(response)
        if kind in _ENDS:
            return [*self._start(response), *self._read_end(with_status(response, kind))]
        events = self._start(response)
        reader = self._readers.get(kind)
        for event in reader(value) if reader else ():
            events += self._order.put(event)
        return events

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
