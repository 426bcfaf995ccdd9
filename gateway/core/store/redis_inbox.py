"""A subscription to channels of Redis on a connection of its own."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from gateway.core.store.address import PREFIX, Address
from gateway.core.store.connection import Connection
from gateway.core.store.interface import StoreUnavailable

_PING_EVERY_S = 0.5
_PING_WITHIN_S = 0.5
_OPEN_WITHIN_S = 2.0


class Inbox:
    """Pings, because a subscriber of a line that is dead or stalled would otherwise wait in good faith."""

    def __init__(
        self, address: Address, channels: Sequence[str], receive: Callable[[str, bytes], None]
    ) -> None:
        self._channels = [PREFIX + channel for channel in channels]
        self._names = {(PREFIX + channel).encode(): channel for channel in channels}
        self._receive = receive
        self._connection = Connection(address, self._prepare, self._accept)
        self._connected_at = 0.0
        self._pinger: asyncio.Task[None] | None = None

    @property
    def is_up_since(self) -> float | None:
        return self._connected_at if self._connection.is_up else None

    async def open(self) -> None:
        """Wait a moment for the subscription; if that was not enough, it comes as soon as it can."""
        self._connection.open()
        self._pinger = asyncio.create_task(self._ping(), name="pings of a subscription")
        try:
            await self._connection.wait_until_up(_OPEN_WITHIN_S)
        except StoreUnavailable:
            return

    async def close(self) -> None:
        if self._pinger:
            self._pinger.cancel()
            await asyncio.wait([self._pinger])
        await self._connection.close()

    async def _prepare(self, connection: Connection) -> None:
        connection.send_unanswered("SUBSCRIBE", *self._channels)
        # Redis answers in order, so after this one every message arrives.
        await connection.call_early("PING")
        self._connected_at = time.monotonic()

    def _accept(self, push: list[Any]) -> None:
        if push[0] != b"message":
            return
        try:
            self._receive(self._names[push[1]], push[2])
        except Exception as error:  # noqa: BLE001 - a receiver that fails must not fail the connection
            context = {"message": "A message's receiver failed.", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(_PING_EVERY_S)
            try:
                await self._connection.call("PING", within_s=_PING_WITHIN_S)
            except StoreUnavailable:
                # It missed nothing if it was only slow, but that cannot be told from here.
                self._connection.cut()
