"""A transport that sends together what was written in one turn of the event loop.

A write to a socket wakes whoever waits at its other end, and that costs more than the write. At the turn's end all
sockets are written to in a row: the head of an answer goes with its body, and a peer of many connections, such as a
reverse proxy, is awake already for all but the first.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

_MOST_BYTES = 64 * 1024


class BatchingTransport(asyncio.Transport):
    """In front of another one. What is more than 64 KB leaves at once, so that writing can be paused in time."""

    __slots__ = (
        "_batch",
        "_batch_bytes",
        "_call_flush",
        "_finish_turn",
        "_flushed_bytes",
        "_is_due",
        "_transport",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        finish_turn: Callable[[], None] | None = None,
    ) -> None:
        """`finish_turn` is called before a batch is sent, and may write what was put off until then."""
        super().__init__()
        self._transport = transport
        self._call_flush = partial(loop.call_soon, self._flush)
        self._finish_turn = finish_turn
        self._is_due = False
        self._batch: list[bytes | bytearray | memoryview] = []
        self._batch_bytes = self._flushed_bytes = 0

    @property
    def sent_bytes(self) -> int:
        """What the other end has taken since the beginning."""
        return self._flushed_bytes - self._transport.get_write_buffer_size()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._is_due:
            self._is_due = True
            self._call_flush()
        self._batch.append(data)
        self._batch_bytes += len(data)
        if self._batch_bytes > _MOST_BYTES:
            self._flush()

    def flush_soon(self) -> None:
        """At the turn's end, though nothing may have been written yet."""
        if not self._is_due:
            self._is_due = True
            self._call_flush()

    def close(self) -> None:
        """Once all is sent."""
        self._flush()
        self._transport.close()

    def write_eof(self) -> None:
        """Nothing more is said, once all is sent; what the other end says is still heard."""
        self._flush()
        self._transport.write_eof()

    def abort(self) -> None:
        """At once; what was not sent is lost."""
        self._batch.clear()
        self._batch_bytes = 0
        self._transport.abort()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def get_write_buffer_size(self) -> int:
        return self._batch_bytes + self._transport.get_write_buffer_size()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._transport.set_write_buffer_limits(high, low)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def _flush(self) -> None:
        if self._finish_turn:
            # It may write: the batch is due already.
            self._is_due = True
            self._finish_turn()
        self._is_due = False
        self._flushed_bytes += self._batch_bytes
        batch, self._batch, self._batch_bytes = self._batch, [], 0
        if batch and not self._transport.is_closing():
            self._transport.writelines(batch)
