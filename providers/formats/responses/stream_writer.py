"""Writes a streamed response for a client."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from providers.formats.base import AnswerFacts
from providers.formats.responses.answer_writer import ResponseWriting
from providers.wire.events import Event

# Inside a text its quotes would be escaped.
_NUMBER = re.compile(rb'(?<!\\)"sequence_number": ?(\d{1,9})')


class ResponsesStreamWriter:
    """See providers.formats.base.AnswerWriter."""

    def __init__(self, facts: AnswerFacts) -> None:
        self._writing = ResponseWriting(facts)
        self._next_number = _number_after(facts.sent)
        self._has_begun = False

    def write(self, events: Sequence[Event]) -> bytes:
        return b"".join(piece for event in events for piece in self._write(event))

    def finish(self, left_out: Sequence[str] = ()) -> bytes:
        # In the response itself, which is stored so, and whoever stores it passes on no comments.
        response = self._writing.ended() | ({"left_out": list(left_out)} if left_out else {})
        return self._event({"type": f"response.{response['status']}", "response": response})

    def fail(self, error: Mapping[str, Any]) -> bytes:
        said = {"type": "error"} | {name: error.get(name) for name in ("code", "message", "param")}
        if not self._has_begun:
            # Somebody else wrote its beginning, and the SDK refuses a response that changes its id.
            return self._event(said)
        failed = {"type": "response.failed", "response": self._writing.failed(error)}
        return self._event(said) + self._event(failed)

    def _write(self, event: Event) -> Iterator[bytes]:
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
