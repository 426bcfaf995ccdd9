"""Splits a byte stream of server-sent events into the data of each event, however the reads are cut.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html. Names and ids of events are left out:
the formats that we read carry everything in `data`.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

LIMIT_BYTES = 24 * 1024 * 1024
"""Of one line or event: a picture comes in one, of 4,096 pixels each way with 20 MB in base64."""
_BOM = b"\xef\xbb\xbf"
_EVENT = re.compile(rb"^(?:event: [^\n]*\n)?data: ([^\n]*)\n\n", re.MULTILINE)


class OversizedEvent(Exception):
    """A line or an event is larger than the splitter's limit."""


def event(data: bytes) -> bytes:
    """One event as it goes out: a single `data:` line."""
    return b"data: %b\n\n" % data


def named_event(value: Mapping[str, Any], data: bytes) -> bytes:
    """One event with the name that its JSON has as `type`; without one nothing, since clients pass over that."""
    kind = value.get("type")
    name = _name_line(kind) if isinstance(kind, str) else b""
    return b"%bdata: %b\n\n" % (name, data) if name else b""


@lru_cache(maxsize=256)
def _name_line(kind: str) -> bytes:
    return b"event: %b\n" % kind.encode() if kind.isascii() and kind.isprintable() else b""


class SseSplitter:
    """`was_plain` is True when the last read was nothing but whole `data: …` events, so that the
    bytes of that read equal `event()` of each one and can be relayed as they are.
    """

    __slots__ = ("_after_cr", "_at_start", "_limit_bytes", "_line", "_parts", "_size", "was_plain")

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self.was_plain = False
        self._line = bytearray()
        self._parts: list[bytes] = []
        self._size = 0
        self._after_cr = False
        self._at_start = True

    def feed(self, data: bytes) -> list[bytes]:
        """The data of every event that is now complete. Raises OversizedEvent."""
        if self._line or self._parts or self._after_cr or len(data) > self._limit_bytes:
            self.was_plain = False
            return self._split_lines(data)
        plain = _split_plain(data)
        self.was_plain = plain is not None
        whole = plain or _split_named(data)
        if whole is None:
            return self._split_lines(data)
        self._at_start = False
        return whole

    def finish(self) -> list[bytes]:
        """The data of an event whose closing blank line never came."""
        self.was_plain = False
        events: list[bytes] = []
        self._end_line(bytes(self._line), events)
        self._end_line(b"", events)
        self._line.clear()
        return events

    def _split_lines(self, data: bytes) -> list[bytes]:
        events: list[bytes] = []
        if self._after_cr and data:
            self._after_cr = False
            data = data.removeprefix(b"\n")
        for piece in data.splitlines(keepends=True):
            line = piece.rstrip(b"\r\n")
            self._take(line)
            if len(line) == len(piece):
                return events
            self._end_line(bytes(self._line), events)
            self._line.clear()
        self._after_cr = data.endswith(b"\r")
        return events

    def _take(self, fragment: bytes) -> None:
        self._size += len(fragment)
        if self._size > self._limit_bytes:
            raise OversizedEvent
        self._line += fragment

    def _end_line(self, line: bytes, events: list[bytes]) -> None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if not line:
            self._end_event(events)
        elif line.startswith(b"data:"):
            self._parts.append(line[5:].removeprefix(b" "))
        else:
            # Comments and other fields are not kept, so an endless row of them is not an oversized event.
            self._size -= len(line)

    def _end_event(self, events: list[bytes]) -> None:
        if self._parts:
            # Line ends inside JSON can only stand between tokens, so a space says the same on one line.
            events.append(b" ".join(self._parts))
            self._parts = []
        self._size = 0


def _split_plain(data: bytes) -> list[bytes] | None:
    """Whole events of one line each; None for anything else."""
    if not (data.startswith(b"data: ") and data.endswith(b"\n\n")) or b"\r" in data:
        return None
    events = data[6:-2].split(b"\n\ndata: ")
    return events if data.count(b"\n") == 2 * len(events) else None


def _split_named(data: bytes) -> list[bytes] | None:
    """Whole events of one line each, before which another may say their name, whichever way lines end there."""
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    if not data.endswith(b"\n\n") or b"\r" in data:
        return None
    # The data of each event, and in turn with them what is around events, which is nothing.
    pieces = _EVENT.split(data)
    return None if any(pieces[::2]) else pieces[1::2]
