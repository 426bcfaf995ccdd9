"""What processes tell each other of their offerings' health, four times a second and beside all calls.

Each counts its own attempts and tells the others; a breaker that one of them opens or closes is so in all. With the
store away each goes by what it sees itself, and hears the others again once that is back.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import orjson

from gateway.core import codec
from gateway.core.store.interface import Store, StoreUnavailable, Subscription
from gateway.proxy.health import HealthEvents, HealthObserver
from gateway.proxy.ports import Snapshots
from providers.facts import Way
from providers.health import MINUTE_S, WINDOWS_S, Transition
from providers.tallies import Tally

logger = logging.getLogger(__name__)

TICK_S = 0.25
LEASE_S = 2.0
CHANNEL = "health"
_BREAKERS = "breakers"
_SHELVE_S = 2.0
_REFRESH_S = 10.0
_MINUTES = WINDOWS_S[-1] // MINUTE_S
_KEPT_S = (_MINUTES + 1) * MINUTE_S
_BREAKERS_KEPT_S = 3600.0
_ODD = (LookupError, TypeError, ValueError, ArithmeticError)


class HealthSharing:
    """Of one process, named as no other; on the store's loop."""

    def __init__(
        self,
        observer: HealthObserver,
        store: Store,
        name: str,
        snapshots: Snapshots,
        events: HealthEvents | None = None,
    ) -> None:
        self._observer = observer
        self._table = observer.table
        self._store = store
        self._name = name
        self._snapshots = snapshots
        self._events = events or HealthEvents()
        self._subscription: Subscription | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._minutes: dict[int, dict[Way, Tally]] = {}
        self._must_recall = self._is_behind = store.is_shared
        self._shelved_at = self._refreshed_at = time.monotonic()
        self._failures: set[type[Exception]] = set()

    async def open(self) -> None:
        self._table.is_shared = self._store.is_shared
        if self._store.is_shared:
            with suppress(StoreUnavailable):
                await self._recall()
            self._subscription = await self._store.subscribe([CHANNEL], self._receive)
        self._ticker = asyncio.create_task(self._run(), name="health")

    async def close(self) -> None:
        if self._ticker:
            self._ticker.cancel()
            await asyncio.wait([self._ticker])
        self._observer.count(time.monotonic())
        self._tell(time.monotonic())
        self._shelve()
        if self._subscription:
            await self._subscription.close()

    async def claim(self, way: Way) -> None:
        """Ask for a call, which is to find out how a half-open one is. With the store away each finds out by itself."""
        is_ours = await self._is_granted(way)
        at = time.monotonic()
        self._table.lease(way, at + (LEASE_S if is_ours else TICK_S), is_ours=is_ours)

    async def tick(self, at: float) -> None:
        self._observer.count(at)
        self._table.hold(self._snapshots.current.holds, at)
        if self._must_recall and self._store.is_up:
            with suppress(StoreUnavailable):
                await self._recall()
        self._tell(at)
        await self._keep_leases(at)
        if at - self._shelved_at >= _SHELVE_S:
            self._shelved_at = at
            self._shelve()
        if at - self._refreshed_at >= _REFRESH_S:
            self._refreshed_at = at
            self._table.refresh(at)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            try:
                await self.tick(time.monotonic())
            except Exception as error:
                # Each round may fail in the same way.
                if type(error) not in self._failures:
                    self._failures.add(type(error))
                    logger.exception(
                        "What is known of offerings' health cannot be shared; it is tried again."
                    )

    # What is told

    def _tell(self, at: float) -> None:
        changes, self._table.changes = self._table.changes, []
        for change in changes:
            self._events.take(change)
        tallies = self._observer.take_untold()
        if not self._store.is_shared:
            return
        self._note(tallies)
        if not self._store.is_connected:
            self._is_behind = True
            return
        if self._is_behind:
            self._is_behind = False
            ways = self._table.ways()
            changes = [each for way in ways if (each := self._table.transition(way, at))]
        if changes or tallies:
            told = {
                "process": self._name,
                "breakers": [_told(change) for change in changes],
                "tallies": {str(way): tally.told() for way, tally in tallies.items()},
            }
            self._store.publish(CHANNEL, codec.encode(told))
        for change in changes:
            self._store.keep(_BREAKERS, str(change.way), orjson.dumps(_told(change)), _BREAKERS_KEPT_S)

    def _note(self, tallies: Mapping[Way, Tally]) -> None:
        """For those who begin later: what was counted here in this minute."""
        if tallies:
            minute = self._minutes.setdefault(int(time.time() // MINUTE_S), {})
            for way, tally in tallies.items():
                minute.setdefault(way, Tally()).add(tally)

    def _shelve(self) -> None:
        now = int(time.time() // MINUTE_S)
        for number, tallies in list(self._minutes.items()):
            told = orjson.dumps({str(way): tally.told() for way, tally in tallies.items()})
            self._store.keep(_shelf(number), self._name, told, _KEPT_S)
            if number != now:
                del self._minutes[number]

    async def _keep_leases(self, at: float) -> None:
        """While the calls that find out last."""
        if self._store.is_shared:
            for way, breaker in list(self._table.broken.items()):
                if breaker.keeps_lease(at) and await self._is_granted(way):
                    self._table.lease(way, at + LEASE_S)

    async def _is_granted(self, way: Way) -> bool:
        try:
            return await self._store.claim(f"health:{way}", LEASE_S)
        except StoreUnavailable:
            return True

    # What is heard

    def _receive(self, _channel: str, message: bytes) -> None:
        try:
            told = codec.parse(message)
            if told["process"] != self._name:
                self._learn(told, time.monotonic())
        except _ODD:
            logger.warning(
                "What a process tells of offerings' health cannot be read: it may be of a later version."
            )

    def _learn(self, told: Mapping[str, Any], at: float) -> None:
        """Breakers first: what is said of calls besides does not open them once more."""
        for breaker in told["breakers"]:
            change = _heard(breaker)
            self._table.adopt(change.way, change, at)
        for way, tally in told["tallies"].items():
            self._table.hear(_way(way), Tally.heard(tally), at)

    async def _recall(self) -> None:
        """What all know who began before. Raises StoreUnavailable."""
        now, at = time.time(), time.monotonic()
        for told in (await self._store.read_shelf(_BREAKERS)).values():
            with suppress(*_ODD):
                change = _heard(orjson.loads(told))
                change.pause_s -= now - change.at
                self._table.adopt(change.way, change, at)
        last = int(now // MINUTE_S)
        shelves = await asyncio.gather(
            *(self._store.read_shelf(_shelf(last - age)) for age in reversed(range(_MINUTES)))
        )
        for age, shelf in zip(reversed(range(_MINUTES)), shelves, strict=True):
            self._recall_minute(
                (told for name, told in shelf.items() if name != self._name), at - age * MINUTE_S
            )
        self._must_recall = False

    def _recall_minute(self, shelf: Iterable[bytes], at: float) -> None:
        for told in shelf:
            with suppress(*_ODD):
                for way, tally in orjson.loads(told).items():
                    self._table.recall(_way(way), Tally.heard(tally), at)


def _shelf(minute: int) -> str:
    return f"health:{minute}"


def _told(change: Transition) -> Sequence[Any]:
    pause_s = round(change.pause_s, 3)
    number, times = change.number, change.opened_times
    return [str(change.way), change.state, change.cause, pause_s, times, number, round(change.at, 3)]


def _heard(told: Sequence[Any]) -> Transition:
    way, state, cause, pause_s, times, number, at = told[:7]
    return Transition(_way(way), str(state), str(cause), float(pause_s), int(times), int(number), float(at))


def _way(text: str) -> Way:
    return int(text) if text.isdecimal() else text
