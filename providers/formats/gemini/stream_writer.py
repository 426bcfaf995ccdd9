"""Writes events as a stream for a client: server-sent events with Google's line ends."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from gateway.core.envelopes import google_envelope
from providers.formats.base import AnswerFacts
from providers.formats.gemini.answer_parts import AnswerParts
from providers.formats.gemini.answer_writer import about, candidate_end, named
from providers.formats.gemini.usage import write_usage
from providers.wire.events import Event, Finished, UsageSeen
from providers.wire.usage import Usage


class GeminiStreamWriter:
    """See formats.base.AnswerWriter. The end waits for the usage, which stands in the same, last piece."""

    def __init__(self, facts: AnswerFacts) -> None:
        self._facts = facts
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
        return _frame(self._piece(parts, told)) if parts or told else b""

    def finish(self, left_out: Sequence[str] = ()) -> bytes:
        if self._finished is None:
            return b""
        # Google's SDK takes no comments; this member says more about an end.
        told = {"finishMessage": f"Left out: {', '.join(left_out)}"} if left_out else {}
        answer = self._piece([{"text": ""}], told)
        candidate_end(answer, self._finished)
        if self._usage is not None and self._facts.wants_usage:
            answer["usageMetadata"] = write_usage(self._usage)
        return _frame(answer)

    def fail(self, error: Mapping[str, Any]) -> bytes:
        return _frame(google_envelope(error))

    def _piece(self, parts: list[dict[str, Any]], told: dict[str, Any]) -> dict[str, Any]:
        candidate = {"content": {"parts": parts, "role": "model"}, "index": 0, **told}
        return {"candidates": [candidate], **named(self._facts)}


def write_frame(value: Mapping[str, Any], data: bytes) -> bytes:  # noqa: ARG001 - its JSON says all
    return b"data: %b\r\n\r\n" % data


def _frame(value: Mapping[str, Any]) -> bytes:
    return write_frame(value, orjson.dumps(value))
