"""Reads a provider's stream into events."""

from collections.abc import Mapping
from typing import Any

from providers.formats.gemini.answer_reader import AnswerPieces
from providers.formats.sse_events import SseEventReader
from providers.wire.events import Event
from providers.wire.usage import Usage


class GeminiStreamReader(SseEventReader):
    """See formats.base.EventReader. There is no terminator: the end is known when the body ends."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces = AnswerPieces()

    @property
    def reported(self) -> Usage | None:
        """Read when it is asked for, since every piece tells it."""
        return self._pieces.usage

    def _read_value(self, value: Mapping[str, Any]) -> list[Event]:
        self._has_told = bool(value.get("usageMetadata"))
        events = self._pieces.take(value)
        self.has_told_end = self._pieces.has_told_end
        return events

    def _does_more(self, value: Mapping[str, Any]) -> bool:
        """Pictures, and what its own tools did."""
        contents = (candidate.get("content") or {} for candidate in value.get("candidates") or ())
        return any(part.keys() - {"text"} for content in contents for part in content.get("parts") or ())

    def _end(self) -> list[Event]:
        return self._pieces.finish()
