"""Reads a provider's server-sent events as JSON objects: what the readers of all formats share."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from providers.formats.base import EventReader
from providers.wire.events import Event
from providers.wire.failure import bad_response, too_large
from providers.wire.json_text import is_too_deep, read_json
from providers.wire.sse import OversizedEvent, SseSplitter
from providers.wire.usage import Usage

_DONE = b"[DONE]"


class JsonObjects:
    """Reads the data of events as JSON objects: the first that is none is left out, the second an UpstreamFailure."""

    def __init__(self) -> None:
        self._has_skipped = False

    def read(self, source: bytes) -> tuple[dict[str, Any] | None, bytes]:
        """An object and its JSON, repaired where its text was broken."""
        try:
            value, shown = read_json(source)
        except ValueError:
            return self.accept(None, source)
        return (value, shown) if type(value) is dict else self.accept(value, shown)

    def accept(self, value: Any, shown: bytes) -> tuple[dict[str, Any] | None, bytes]:
        """The same of what has been read from that JSON; None is what could not be read."""
        if isinstance(value, list) and len(value) == 1:
            # As Google wraps its errors.
            value, shown = value[0], orjson.dumps(value[0])
        if isinstance(value, dict):
            return value, shown
        if self._has_skipped:
            raise bad_response()
        self._has_skipped = True
        return None, shown


class SseEventReader:
    """See formats.base.EventReader. A format says by `_read_value` what an object means, and by `_end` what follows."""

    ends_with_done = False
    """`[DONE]` ends the format's streams; in all others it is a stranger that says nothing."""

    is_relayed = True
    """Its client speaks the same format, so that `untouched` is asked for."""

    def __init__(self) -> None:
        self.is_done = False
        self.untouched: list[tuple[Mapping[str, Any], bytes]] = []
        self.has_begun = False
        self.has_told_end = False
        self.reported_after: int | None = None
        self._reported: Usage | None = None
        self._has_told = False
        self._splitter = SseSplitter()
        self._objects = JsonObjects()
        self._has_events = False

    def feed(self, data: bytes) -> list[Event]:
        try:
            return self._read([] if self.is_done else self._splitter.feed(data))
        except OversizedEvent:
            raise too_large() from None

    def finish(self) -> list[Event]:
        """Raises UpstreamFailure where there was no event at all."""
        if self.is_done:
            return self._read([])
        events = self._read(self._splitter.finish())
        if not self._has_events:
            raise bad_response()
        return events if self.is_done else [*events, *self._end()]

    def _read_value(self, value: Mapping[str, Any]) -> Iterable[Event] | None:
        """None for what the format does not know. Raises UpstreamFailure."""
        raise NotImplementedError

    def _does_more(self, value: Mapping[str, Any]) -> bool:  # noqa: ARG002
        """What is read here does more than open an answer, also where the gateway has no words for it."""
        return False

    def _mended(self, value: Mapping[str, Any], shown: bytes) -> tuple[Mapping[str, Any], bytes]:
        """With what the format's SDKs cannot do without, for clients of the same format."""
        return value, shown

    def _end(self) -> Sequence[Event]:
        """No more comes."""
        return ()

    @property
    def reported(self) -> Usage | None:
        return self._reported

    def _report(self, usage: Usage | None) -> None:
        """What was used so far, as the provider has just told; None where it told nothing that makes sense."""
        if usage:
            self._reported, self._has_told = usage, True

    def _read(self, sources: Iterable[bytes]) -> list[Event]:
        self.untouched, self.reported_after = [], None
        events: list[Event] = []
        for source in sources:
            if self.is_done:
                break
            self._has_told = False
            events += self._read_event(source)
            if self._has_told:
                self.reported_after = len(events)
        return events

    def _read_event(self, source: bytes) -> Iterable[Event]:
        value: Any = None
        shown = source
        try:
            value = orjson.loads(source)
        except orjson.JSONDecodeError:
            if source.strip() == _DONE:
                return self._read_done()
        if type(value) is not dict or is_too_deep(value, source):
            value, shown = self._objects.read(source)
            if value is None:
                return ()
        events = self._read_value(value)
        self._has_events = self._has_events or events is not None
        self.has_begun = self.has_begun or self._does_more(value)
        if self.is_relayed:
            self.untouched.append(self._mended(value, shown))
        return events or ()

    def _read_done(self) -> Sequence[Event]:
        if not self.ends_with_done:
            return ()
        self.is_done = self._has_events = True
        return self._end()


class ReaderAround:
    """A reader around another one, whose events it changes."""

    def __init__(self, reader: EventReader) -> None:
        self._reader = reader
        self.is_relayed = reader.is_relayed

    @property
    def is_done(self) -> bool:
        return self._reader.is_done

    @property
    def has_told_end(self) -> bool:
        return self._reader.has_told_end

    @property
    def has_begun(self) -> bool:
        return self._reader.has_begun

    @property
    def untouched(self) -> Sequence[tuple[Mapping[str, Any], bytes]]:
        return self._reader.untouched

    @property
    def reported(self) -> Usage | None:
        return self._reader.reported

    @property
    def reported_after(self) -> int | None:
        """As many of the changed events, which is close enough."""
        return self._reader.reported_after
