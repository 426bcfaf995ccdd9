"""Writes events as a stream for a client: server-sent events, or one JSON array where the client asked for none."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from providers.formats.base import AnswerFacts
from providers.formats.gemini.answer_parts import AnswerParts
from providers.formats.gemini.answer_writer import about, candidate_end, named
from providers.formats.gemini.errors import write_error
from providers.formats.gemini.usage import write_usage
from providers.wire.events import Event, Finished, UsageSeen
from providers.wire.usage import Usage


class _Frames:
    """Server-sent events with Google's line ends."""

    def frame(self, value: Mapping[str, Any]) -> bytes:
        return b"data: %b\r\n\r\n" % orjson.dumps(value)

    def end(self) -> bytes:
        return b""


class _Array:
    """The elements of one JSON array."""

    def __init__(self) -> None:
        self._is_first = True

    def frame(self, value: Mapping[str, Any]) -> bytes:
        before = b"[" if self._is_first else b",\r\n"
        self._is_first = False
        return before + orjson.dumps(value)

    def end(self) -> bytes:
        return b"[]" if self._is_first else b"]"


class GeminiStreamWriter:
    """See formats.base.AnswerWriter. The end waits for the usage, which stands in the same, last piece."""

    def __init__(self, facts: AnswerFacts, *, is_array: bool = False) -> None:
        self._facts = facts
        self._form: _Frames | _Array = _Array() if is_array else _Frames()
        self._parts = AnswerParts()
        self._finished: Finished | None = None
        self._usage: Usage | None = None

    def write(self, events: Sequence[Event]) -> bytes:
        for event in events:
            self._parts.take(event)
            if isinstance(event, Finished):
                self._parts.close()
                self._finished = event
            elif isinstance(event, UsageSeen):
                self._usage = event.usage
        parts, told = self._parts.let_go(), about(events)
        return self._form.frame(self._piece(parts, told)) if parts or told else b""

    def finish(self) -> bytes:
        if self._finished is None:
            return self._form.end()
        answer = self._piece([{"text": ""}], {})
        candidate_end(answer, self._finished)
        if self._usage is not None and self._facts.wants_usage:
            answer["usageMetadata"] = write_usage(self._usage)
        return self._form.frame(answer) + self._form.end()

    def fail(self, error: Mapping[str, Any]) -> bytes:
        """An array is closed all the same: nothing in it could be read otherwise."""
        return self._form.frame(write_error(error)) + self._form.end()

    def _piece(self, parts: list[dict[str, Any]], told: dict[str, Any]) -> dict[str, Any]:
        candidate = {"content": {"parts": parts, "role": "model"}, "index": 0, **told}
        return {"candidates": [candidate], **named(self._facts)}
