"""Reads a provider's stream into events."""

from collections.abc import Mapping
from typing import Any

from providers.formats.gemini.answer_reader import AnswerPieces
from providers.formats.sse_events import SseEventReader
from providers.wire.events import Event


class GeminiStreamReader(SseEventReader):
    """See formats.base.EventReader. There is no terminator: the end is known when the body ends."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces = AnswerPieces()

    def _read_value(self, value: Mapping[str, Any]) -> list[Event]:
        events = self._pieces.take(value)
        if value.get("usageMetadata"):
            self._report(self._pieces.usage)
        return events

    def _end(self) -> list[Event]:
        return self._pieces.finish()
