"""One answer as it arrives from a worker, in order and without holes."""

import asyncio

from gateway.proxy.errors import GatewayError
from gateway.proxy.exchange import CallResult
from gateway.proxy.lane.frames import Kind, unpack_end


class Incoming:
    """Bytes that came and were not relayed yet. `size` is where the next byte belongs. Times are monotonic."""

    def __init__(self, take_back_at: float, end_by: float = float("inf")) -> None:
        self.take_back_at = take_back_at
        self.end_by = end_by
        self.is_late = False
        self.worker: str | None = None
        self.has_started = False
        self.unheard_since = 0.0
        self.is_paused = False
        self.has_gap = False
        self.size = 0
        self.unread_bytes = 0
        self.end: CallResult | None = None
        self.failure: GatewayError | None = None
        self._parts: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None

    @property
    def has_news(self) -> bool:
        return bool(self._parts) or self.end is not None or self.failure is not None

    def accept(self, kind: Kind, offset: int, payload: bytes) -> bool:
        """Take a frame in. False: bytes before it are missing, so it was left out and must come again.

        Raises Unreadable.
        """
        if kind is Kind.CHUNK:
            self.has_gap = not self._append(offset, payload)
        elif kind is Kind.END:
            end, tail = unpack_end(payload)
            self.has_gap = not self._append(offset, tail)
            if not self.has_gap:
                self.end = end
        self.wake()
        return not self.has_gap

    def begin(self, worker: str) -> None:
        self.worker, self.has_started = worker, True
        self.wake()

    def take(self) -> bytes:
        """All that waits, joined."""
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        self.unread_bytes = 0
        return data

    def fail(self, failure: GatewayError) -> None:
        self.failure = failure
        self.wake()

    async def wait(self) -> None:
        """Until something new is here."""
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def _append(self, offset: int, data: bytes) -> bool:
        if offset > self.size:
            return False
        # Sent again after a gap, it may begin with what is already here.
        fresh = data if offset == self.size else data[self.size - offset :]
        if fresh:
            self._parts.append(fresh)
            self.size += len(fresh)
            self.unread_bytes += len(fresh)
        return True
