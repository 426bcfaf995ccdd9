"""Reads a provider's stream into events."""

from typing import Any

from providers.adapters.base import FailureKind, UpstreamFailure
from providers.adapters.openai_failures import bad_response
from providers.formats.gemini.answer_reader import AnswerPieces
from providers.wire.events import Event
from providers.wire.json_text import read_json
from providers.wire.sse import OversizedEvent, SseSplitter


class GeminiStreamReader:
    """See formats.base.EventReader. There is no terminator: the end is known when the body ends."""

    def __init__(self) -> None:
        self.is_done = False
        self._splitter = SseSplitter()
        self._pieces = AnswerPieces()
        self._has_events = False
        self._has_skipped = False

    def feed(self, data: bytes) -> list[Event]:
        try:
            return self._read(self._splitter.feed(data))
        except OversizedEvent:
            raise UpstreamFailure(
                FailureKind.BAD_RESPONSE,
                "The provider's answer is larger than we accept.",
                code="provider_response_too_large",
            ) from None

    def finish(self) -> list[Event]:
        events = self._read(self._splitter.finish())
        if not self._has_events:
            raise bad_response()
        self.is_done = True
        return [*events, *self._pieces.finish()]

    def _read(self, frames: list[bytes]) -> list[Event]:
        return [event for frame in frames for event in self._read_frame(frame)]

    def _read_frame(self, frame: bytes) -> list[Event]:
        value = _read_value(frame)
        if not isinstance(value, dict | list):
            self._skip()
            return []
        events = self._pieces.take(value)
        self._has_events = True
        return events

    def _skip(self) -> None:
        """Leave out the first frame that cannot be read. Raises UpstreamFailure for the second."""
        if self._has_skipped:
            raise bad_response()
        self._has_skipped = True


def _read_value(frame: bytes) -> Any:
    try:
        return read_json(frame)[0]
    except ValueError:
        return None
