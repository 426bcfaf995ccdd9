"""What became known of a stream after it was opened, in the event that ends it: of formats with a place there. Pure."""

from collections.abc import Callable, Collection, MutableMapping
from typing import Any

import orjson

Placing = Callable[[MutableMapping[str, Any], str], None]
"""Puts a sentence into an event that ends an answer."""


def in_last_event(data: bytes, marks: Collection[bytes], place: Placing, told: str) -> bytes | None:
    """The events with `told` in the last one that holds a mark; None where none does."""
    lines = data.split(b"\n")
    for number in range(len(lines) - 1, -1, -1):
        line = lines[number]
        if line.startswith(b"data:") and any(mark in line for mark in marks):
            value = orjson.loads(line.removeprefix(b"data:"))
            place(value, told)
            lines[number] = b"data: %b%b" % (orjson.dumps(value), b"\r" if line.endswith(b"\r") else b"")
            return b"\n".join(lines)
    return None
