"""Reads a provider's server-sent events as JSON objects, one after the other, until its terminator."""

from typing import Any

from providers.adapters.base import FailureKind, UpstreamFailure
from providers.adapters.openai_failures import bad_response
from providers.wire.json_text import read_json
from providers.wire.sse import OversizedEvent, SseSplitter

_DONE = b"[DONE]"


class JsonEvents:
    """The first event that is no JSON object is left out, the second is an UpstreamFailure."""

    def __init__(self) -> None:
        self.is_done = False
        self._splitter = SseSplitter()
        self._has_events = False
        self._has_skipped = False

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        try:
            return self._read(self._splitter.feed(data))
        except OversizedEvent:
            message = "The provider's answer is larger than we accept."
            code = "provider_response_too_large"
            raise UpstreamFailure(FailureKind.BAD_RESPONSE, message, code=code) from None

    def finish(self) -> list[dict[str, Any]]:
        """Raises UpstreamFailure where there was no event at all."""
        values = self._read(self._splitter.finish())
        if not self._has_events:
            raise bad_response()
        return values

    def _read(self, sources: list[bytes]) -> list[dict[str, Any]]:
        values: list[dict[str, Any]] = []
        for source in sources:
            self._has_events = True
            if source.strip() == _DONE:
                self.is_done = True
                return values
            if (value := self._load(source)) is not None:
                values.append(value)
        return values

    def _load(self, source: bytes) -> dict[str, Any] | None:
        try:
            value, _ = read_json(source)
        except ValueError:
            value = None
        if isinstance(value, dict):
            return value
        if self._has_skipped:
            raise bad_response()
        self._has_skipped = True
        return None
