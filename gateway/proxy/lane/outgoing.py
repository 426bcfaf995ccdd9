"""One answer on its way from a worker to a web process, kept while it may be asked for again."""

import asyncio

from gateway.core.store.interface import Store
from gateway.proxy.exchange import CallResult, ClientGone, ResponseHead
from gateway.proxy.lane.frames import Kind, pack_end, pack_frame

_MOST_KEPT_BYTES = 4 * 1024 * 1024
_MOST_UNSENT_BYTES = 1024 * 1024
_CONGESTION_LOOK_S = 0.01


class Outgoing:
    """The sink of a worker. A head goes out with the bytes that follow it, the last bytes with the end."""

    def __init__(self, store: Store, call_id: str, inbox: str, *, write_timeout_s: float) -> None:
        self.call_id = call_id
        self.inbox = inbox
        self.ended_at: float | None = None
        self._store = store
        self._write_timeout_s = write_timeout_s
        self._kept = bytearray()
        self._kept_from = 0
        self._pending: list[bytes] = []
        self._end: CallResult | None = None
        self._running = asyncio.Event()
        self._running.set()

    @property
    def size(self) -> int:
        return self._kept_from + len(self._kept)

    async def begin(self, head: ResponseHead) -> None:
        self._put(head.encode())

    async def send(self, data: bytes, *, is_last: bool = False) -> None:
        store = self._store
        if not (self._running.is_set() and store.is_connected) or store.unsent_bytes > _MOST_UNSENT_BYTES:
            await self._wait_until_it_flows()
        self._put(data)
        if is_last:
            asyncio.get_running_loop().call_soon(self._flush)
        else:
            self._flush()

    def finish(self, end: CallResult, at: float) -> None:
        """Say how it ended, together with the last bytes. `at` is monotonic."""
        self._end, self.ended_at = end, at
        tail = self._take_pending()
        self._publish(Kind.END, self.size - len(tail), pack_end(end, tail))

    def pause(self) -> None:
        self._running.clear()

    def resume(self) -> None:
        self._running.set()

    def send_again(self, offset: int) -> bool:
        """Repeat everything from `offset` on. False: that is longer ago than what is kept."""
        self._flush()
        if offset < self._kept_from:
            return False
        self._publish(Kind.CHUNK, offset, bytes(self._kept[offset - self._kept_from :]))
        if self._end:
            self._publish(Kind.END, self.size, pack_end(self._end, b""))
        return True

    async def _wait_until_it_flows(self) -> None:
        try:
            async with asyncio.timeout(self._write_timeout_s):
                await self._running.wait()
                while self._store.unsent_bytes > _MOST_UNSENT_BYTES:
                    await asyncio.sleep(_CONGESTION_LOOK_S)
        except TimeoutError:
            raise ClientGone from None
        # What nobody can be sent must not count as finished. Whoever watches the line ends a call that waits too long.
        while not self._store.is_connected:
            await asyncio.sleep(_CONGESTION_LOOK_S)

    def _put(self, data: bytes) -> None:
        self._pending.append(data)
        self._kept += data
        if (surplus := len(self._kept) - _MOST_KEPT_BYTES) > 0:
            del self._kept[:surplus]
            self._kept_from += surplus

    def _flush(self) -> None:
        if data := self._take_pending():
            self._publish(Kind.CHUNK, self.size - len(data), data)

    def _take_pending(self) -> bytes:
        data = self._pending[0] if len(self._pending) == 1 else b"".join(self._pending)
        self._pending.clear()
        return data

    def _publish(self, kind: Kind, offset: int, payload: bytes) -> None:
        self._store.publish(self.inbox, pack_frame(self.call_id, kind, offset, payload))
