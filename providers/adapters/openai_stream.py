"""Reads a streamed answer in OpenAI's format, passing its bytes on untouched wherever that is right."""

from collections.abc import Mapping
from operator import is_, itemgetter
from typing import Any

import orjson

from gateway.core.envelopes import openai_envelope
from providers.adapters.call_ids import CallIds
from providers.formats.openai.answer_reader import generated
from providers.formats.openai.usage import write_cost, write_usage
from providers.formats.openai.vendors import (
    HEAD,
    UNUSUAL,
    CallNumbers,
    Finishes,
    arguments_of,
    delta_of,
    finish_of,
    more_text,
    refuse_end,
    refuse_error,
    usage_in,
)
from providers.formats.proofs import seal_bytes
from providers.formats.sse_events import JsonObjects
from providers.wire.call import Call
from providers.wire.estimate import UsageReport, missing_usage
from providers.wire.failure import bad_response, too_large
from providers.wire.json_text import is_too_deep
from providers.wire.sse import OversizedEvent, SseSplitter, event
from providers.wire.usage import Costing, Usage, read_openai_usage

_head_of = itemgetter(*HEAD)
_DONE = b"[DONE]"
_ONE = (None, 1)


class RelayedStream:
    """See providers.adapters.base.StreamReader.

    Usage comes in one chunk of its own, the last, as OpenAI's SDKs expect it: estimated where the provider tells none.
    """

    def __init__(self, call: Call, model: str, cost_usd: Costing | None = None, issuer: str = "") -> None:
        self.has_finished = False
        self.has_told_end = False
        self.is_done = False
        self.output_chars = 0
        self.has_output = False
        self.has_begun = False
        self._report = UsageReport()
        self._reported: Usage | None = None
        self._call = call
        self._wants_usage = call.wants_usage
        self._cost_usd = cost_usd
        self._issuer = issuer
        self._head: dict[str, Any] = {
            "id": f"chatcmpl-{call.id}",
            "object": "chat.completion.chunk",
            "created": call.created,
            "model": model,
        }
        self._has_head = False
        self._lacking: dict[str, Any] = {}
        """What every chunk of this answer has to be given."""
        self._last = b""
        """The chunk that tells the last usage; empty where it has still to be made."""
        self._told: Any = None
        """The last usage, as the provider wrote it."""
        self._calls: dict[int, CallDeltas] = {}
        self._splitter = SseSplitter()
        self._objects = JsonObjects()
        self._finishes = Finishes()
        self._running = self._finishes.running
        self._has_events = False

    def feed(self, data: bytes) -> bytes:
        if self.is_done:
            return b""
        try:
            events = self._splitter.feed(data)
        except OversizedEvent:
            raise too_large() from None
        return self._relay(events, data)

    def finish(self) -> bytes:
        if self.is_done:
            return b""
        answer = self._relay(self._splitter.finish(), b"")
        if not self._has_events:
            raise bad_response()
        return answer

    def terminator(self) -> bytes:
        return (event(self._tell_usage()) if self._wants_usage else b"") + event(_DONE)

    @property
    def usage(self) -> Usage | None:
        """Usage may come in every chunk, or before the last text: then what came after it is not in it."""
        report = self._report
        is_whole = self.has_finished and not (report.is_early and self.has_output)
        return self._reported if is_whole else report.complete(self._reported, self.output_chars)

    def _tell_usage(self) -> bytes:
        usage = self.usage
        if usage is None:
            usage = missing_usage(self._call.body, self.output_chars, has_output=self.has_output)
            self._reported = usage
            self._report.note(self.output_chars, has_output=True)
        if usage.is_estimated:
            self._told, self._last = write_usage(usage), b""
        cost = write_cost(usage, self._cost_usd)
        if self._last and not cost:
            return self._last
        return orjson.dumps(self._head | {"choices": [], "usage": {**self._told, **cost}})

    def fail(self, error: Mapping[str, Any]) -> bytes:
        return event(orjson.dumps(openai_envelope(error)))

    def _relay(self, events: list[bytes], data: bytes) -> bytes:
        kept: list[bytes] = []
        is_untouched = self._splitter.was_plain
        if events:
            self._has_events = True
        for source in events:
            shown = self._read(source)
            if shown is not source:
                is_untouched = False
            if shown is not None:
                kept.append(shown)
        return data if is_untouched else b"".join(map(event, kept))

    def _read(self, source: bytes) -> bytes | None:
        """The event as the client gets it, None where it does not get it."""
        if self.is_done:
            return None
        try:
            chunk = orjson.loads(source)
        except orjson.JSONDecodeError:
            return self._read_unusual(source)
        text = None if self._lacking else more_text(chunk, self._running)
        if text is not None:
            if text:
                self.output_chars += len(text)
                self.has_output = self.has_begun = True
            return source
        if type(chunk) is dict and not is_too_deep(chunk, source):
            return self._read_chunk(chunk, source)
        return self._read_odd(*self._objects.accept(chunk if type(chunk) is list else None, source))

    def _read_unusual(self, source: bytes) -> bytes | None:
        """The terminator, or an event that is not good JSON: repaired if only its text is broken."""
        if source.strip() == _DONE:
            self.is_done = True
            return None
        return self._read_odd(*self._objects.read(source))

    def _read_odd(self, chunk: dict[str, Any] | None, shown: bytes) -> bytes | None:
        return None if chunk is None else self._read_chunk(chunk, shown)

    def _read_chunk(self, chunk: dict[str, Any], shown: bytes) -> bytes | None:
        if not UNUSUAL.isdisjoint(chunk):
            refuse_error(chunk)
        choices = chunk.get("choices")
        if choices and isinstance(choices, list):
            if not self._has_head:
                self._take_head(chunk)
            shown_choices = self._take_choices(chunk, choices, shown)
            self._take_usage(chunk)
            return shown_choices if shown_choices is None else seal_bytes(shown_choices, self._issuer)
        is_usage = self._take_usage(chunk)
        if not isinstance(choices, list):
            return None
        if not is_usage:
            return shown
        # It may come again, and clients would add the two.
        is_whole = all(map(chunk.get, ("id", "object"))) and self._told is chunk.get("usage")
        self._last = shown if is_whole else b""
        return None

    def _take_head(self, chunk: dict[str, Any]) -> None:
        """Once: all chunks with choices have the same."""
        self._has_head = True
        if all(map(chunk.get, HEAD)):
            self._head = dict(zip(HEAD, _head_of(chunk), strict=True))
            return
        self._lacking = {name: value for name, value in self._head.items() if chunk.get(name) in (None, "")}
        self._head |= {name: chunk[name] for name in self._head.keys() - self._lacking.keys()}

    def _take_usage(self, chunk: Mapping[str, Any]) -> bool:
        value = usage_in(chunk)
        if value is None:
            return False
        if usage := read_openai_usage(value, chunk.get("service_tier")):
            self._reported = usage
            self._report.note(self.output_chars, has_output=self.has_output)
            self._told, self._last = value, b""
        return True

    def _take_choices(self, chunk: dict[str, Any], choices: list[Any], shown: bytes) -> bytes | None:
        kept = [self._take_choice(choice) for choice in choices]
        self.has_finished = self._finishes.are_all
        # Further choices may not have begun yet.
        self.has_told_end = self.has_finished and self._call.body.get("n") in _ONE
        has_usage = chunk.get("usage") is not None
        if not has_usage and not self._lacking and all(map(is_, kept, choices)):
            return shown
        kept = [choice for choice in kept if choice is not None]
        if not kept:
            return None
        lacking = {name: value for name, value in self._lacking.items() if not chunk.get(name)}
        repaired = {**chunk, **lacking, "choices": kept}
        repaired.pop("usage", None)
        return orjson.dumps(repaired)

    def _take_choice(self, given: Any) -> dict[str, Any] | None:
        """The choice to pass on: None if it is none, or only says again that it has finished."""
        if not isinstance(given, dict):
            return None
        choice: dict[str, Any] = given
        reason, delta = finish_of(choice), delta_of(choice)
        has_output = self._take_delta(delta)
        self.has_begun = self.has_begun or reason is not None or _says_something(delta)
        choice = self._repair_choice(choice, delta)
        if reason is not None and reason != "stop":
            has_calls = choice["index"] in self._calls or reason == "function_call"
            refuse_end(reason, has_calls=has_calls)
        if self._finishes.take(choice["index"], reason):
            return choice
        return {**choice, "finish_reason": None} if has_output else None

    def _repair_choice(self, choice: dict[str, Any], delta: Mapping[str, Any]) -> dict[str, Any]:
        """The very same where nothing was wrong. Source: what the SDKs' accumulators of streams read."""
        if not isinstance(choice.get("index"), int):
            choice = {**choice, "index": 0}
        if choice.get("delta") is not delta:
            choice = {**choice, "delta": delta}
        calls = delta.get("tool_calls")
        if not calls or not isinstance(calls, list):
            return choice
        index = choice["index"]
        deltas = self._calls.get(index)
        if deltas is None:
            ids = CallIds(f"call_{self._call.id}_{index}", self._call.raw)
            deltas = self._calls[index] = CallDeltas(ids)
        repaired = deltas.repair(calls)
        return choice if repaired is calls else {**choice, "delta": {**delta, "tool_calls": repaired}}

    def _take_delta(self, delta: Mapping[str, Any]) -> bool:
        """Count what the model generated; whether this delta had any of it."""
        chars, has_output = generated(delta)
        self.output_chars += chars
        self.has_output = self.has_output or has_output
        return has_output


def _says_something(delta: Mapping[str, Any]) -> bool:
    return any(value for name, value in delta.items() if name != "role")


def repair_calls(calls: list[Any], ids: CallIds) -> list[Any]:
    """Of a whole message; the very same list where nothing was wrong."""
    repaired = [_repair_whole(call, ids, number) for number, call in enumerate(calls)]
    return calls if repaired == calls else repaired


class CallDeltas:
    """The calls of one choice as they come in pieces."""

    def __init__(self, ids: CallIds) -> None:
        self._ids = ids
        self._numbers = CallNumbers()
        self._renamed: set[int] = set()
        """The numbers of calls whose id is another one than the provider's."""

    def repair(self, calls: list[Any]) -> list[Any]:
        """The very same list where nothing was wrong."""
        repaired = [self._repair(call) for call in calls]
        return calls if repaired == calls else repaired

    def _repair(self, call: Any) -> Any:
        if not isinstance(call, dict):
            return call
        number, is_first = self._numbers.take(call)
        given = call if isinstance(call.get("index"), int) else {**call, "index": number}
        function = given.get("function")
        if isinstance(function, dict) and not isinstance(function.get("arguments"), str | None):
            given = {**given, "function": {**function, "arguments": arguments_of(function)}}
        if is_first:
            named = _name(given, self._ids, number)
            if given.get("id") not in (None, "", named["id"]):
                self._renamed.add(number)
            return named
        if number in self._renamed and "id" in given:
            return {name: value for name, value in given.items() if name != "id"}
        return given


def _repair_whole(call: Any, ids: CallIds, number: int) -> Any:
    if not isinstance(call, dict):
        return call
    function = call.get("function")
    if isinstance(function, dict) and not isinstance(function.get("arguments"), str):
        call = {**call, "function": {**function, "arguments": arguments_of(function) or "{}"}}
    return _name(call, ids, number)


def _name(call: dict[str, Any], ids: CallIds, number: int) -> dict[str, Any]:
    given = call.get("id")
    call_id = ids.take(given, number)
    if call_id is given and call.get("type"):
        return call
    return {**call, "id": call_id, "type": call.get("type") or "function"}
