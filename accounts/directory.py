"""The data plane's memory of keys, filled from SQL and kept true by the revision.

A key once read stays in memory until the revision says that it changed. What must never happen is that a
look-up which read a key before its revocation stores it after the refresh that would have removed it: so each
refresh begins a new generation, and a look-up of an older generation reads again.

Limits and budgets are read by refreshes alone. So a key that changed, or was made, since the last refresh is not kept
before the next one, and its callers wait for that: otherwise a new key had no limits for a moment.
"""

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime

from django.conf import settings
from django.db import Error, connection, transaction

from accounts.key_facts import read_facts
from accounts.keys import KeyFacts, KeysUnavailable, ShownKey
from accounts.models import Key
from accounts.revision import Revisions
from gateway.core import sql

_THREADS = 4
_FLIGHTS_MAX = 1_000
_MISSING_MAX = 10_000
_LOOK_UP_TIMEOUT_S = 5.0
REFRESHED_WITHIN_S, LOOK_S = 1.0, 0.05
_CLOSE_S = 1.0


class Touches:
    """When keys were last used, collected until somebody writes it to SQL. Bounded by the number of keys."""

    def __init__(self) -> None:
        self._latest: dict[int, float] = {}
        self._lock = threading.Lock()

    def note(self, key_id: int, at: float) -> None:
        """To the second: nobody reads it closer."""
        if 0 <= at - self._latest.get(key_id, -_CLOSE_S) < _CLOSE_S:
            return
        with self._lock:
            self._latest[key_id] = max(at, self._latest.get(key_id, at))

    def flush(self) -> int:
        """Write what was collected; the number of keys. On an error all of it is kept for the next time."""
        with self._lock:
            taken, self._latest = self._latest, {}
        try:
            _write_last_used(taken)
        except Error:
            for key_id, at in taken.items():
                self.note(key_id, at)
            raise
        return len(taken)


touches = Touches()
"""Of this process: the data plane and the REST framework's authentication both note here."""


class SqlKeyDirectory:
    """What `gateway.proxy.ports.KeyDirectory` asks for. Safe from the loop and from the control thread."""

    def __init__(
        self,
        *,
        staleness_s: float | None = None,
        capacity: int = 100_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`staleness_s` None: as set for the deployment. `clock` is the one that `confirm` is told."""
        self._staleness_s = settings.KEY_STALENESS_S if staleness_s is None else staleness_s
        self._capacity = capacity
        self._clock = clock
        self.opened: dict[bytes, tuple[str, str]] = {}
        # Of every call: no step in between.
        self.touched = touches.note
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, tuple[KeyFacts, int]] = OrderedDict()
        self._is_crowded = False
        """So many keys that some may have to leave before long: from then on it matters which."""
        self._missing: set[str] = set()
        self._flights: dict[str, Future[KeyFacts | None]] = {}
        self._generation = 0
        self._seen = (0, 0)
        self._settled: int | None = None
        """The revision up to which limits and budgets are read, too; None: nobody confirmed anything yet."""
        self._confirmed_at = clock()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="key-look-up")

    @property
    def revision(self) -> int:
        """Goes up after memory has changed, never before."""
        return sum(self._seen)

    def known(self, public_id: str) -> KeyFacts | None:
        if self._clock() - self._confirmed_at > self._staleness_s:
            raise KeysUnavailable("Nobody could say for too long which keys were revoked.")
        if self._is_crowded:
            self._note_use(public_id)
        entry = self._entries.get(public_id)
        return None if entry is None else entry[0]

    def known_missing(self, public_id: str) -> bool:
        """Whether SQL said, at this revision, that there is no such key."""
        return public_id in self._missing

    async def look_up(self, shown: ShownKey) -> KeyFacts | None:
        until = time.monotonic() + REFRESHED_WITHIN_S
        while True:
            facts = await self._look_up(shown)
            if facts is None or facts.public_id in self._entries or time.monotonic() > until:
                return facts
            await asyncio.sleep(LOOK_S)

    async def _look_up(self, shown: ShownKey) -> KeyFacts | None:
        flight = asyncio.wrap_future(self._flight(shown.public_id))
        try:
            async with asyncio.timeout(_LOOK_UP_TIMEOUT_S):
                # Others may wait for the same flight: one caller's end must not cancel it.
                return await asyncio.shield(flight)
        except (Error, TimeoutError) as error:
            raise KeysUnavailable("The key is not in memory and SQL does not answer.") from error

    def refresh(self, revisions: Revisions) -> None:
        """Read again what changed since the last time. Blocks on SQL: for the control thread only."""
        now = (revisions.keys, revisions.told_keys)
        if now == self._seen:
            return
        with self._lock:
            self._generation += 1
            self._missing.clear()
            is_empty = not self._entries
        if not is_empty:
            # A process of the version before this one counts keys by the other number, which may be the lower one.
            for facts, revision in read_facts(revision__gt=min(self._seen)):
                self._replace(facts, revision)
        self._seen = now

    def confirm(self, monotonic_now: float) -> None:
        """Memory was true at that time: the poll succeeded, `refresh` went through, and all else is read, too."""
        self._settled = max(self._seen)
        self._confirmed_at = monotonic_now

    def flush_touched(self) -> int:
        return touches.flush()

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _flight(self, public_id: str) -> Future[KeyFacts | None]:
        with self._lock:
            flight = self._flights.get(public_id) or self._landed(public_id)
            if flight is not None:
                return flight
            if len(self._flights) >= _FLIGHTS_MAX:
                raise KeysUnavailable("Too many keys are being looked up at once.")
            flight = self._flights[public_id] = self._pool.submit(self._fetch, public_id)
        flight.add_done_callback(lambda _done: self._land(public_id))
        return flight

    def _landed(self, public_id: str) -> Future[KeyFacts | None] | None:
        """What memory says by now: another caller's flight may have landed since this one looked."""
        entry = self._entries.get(public_id) if self._is_fresh() else None
        if entry is None and public_id not in self._missing:
            return None
        landed: Future[KeyFacts | None] = Future()
        landed.set_result(entry[0] if entry else None)
        return landed

    def _is_fresh(self) -> bool:
        return self._clock() - self._confirmed_at <= self._staleness_s

    def _note_use(self, public_id: str) -> None:
        """Whoever was used last leaves memory last."""
        with self._lock:
            if public_id in self._entries:
                self._entries.move_to_end(public_id)

    def _land(self, public_id: str) -> None:
        with self._lock:
            self._flights.pop(public_id, None)

    def _fetch(self, public_id: str) -> KeyFacts | None:
        try:
            with sql.answer_within(sql.QUICK_S):
                return self._fetch_newest(public_id)
        finally:
            connection.close()

    def _fetch_newest(self, public_id: str) -> KeyFacts | None:
        while True:
            generation = self._generation
            found = next(read_facts(public_id=public_id), None)
            if self._keep(public_id, found, generation):
                return found[0] if found else None

    def _keep(self, public_id: str, found: tuple[KeyFacts, int] | None, generation: int) -> bool:
        """False: a refresh came between, so what was read may be older than the revision."""
        with self._lock:
            if generation != self._generation:
                return False
            if found is None:
                self._note_missing(public_id)
                return True
            if self._settled is not None and found[1] > self._settled:
                return True
            self._entries[public_id] = found
            self._is_crowded = 2 * len(self._entries) > self._capacity
            if len(self._entries) > self._capacity:
                self._entries.popitem(last=False)
            return True

    def _note_missing(self, public_id: str) -> None:
        if len(self._missing) >= _MISSING_MAX:
            self._missing.clear()
        self._missing.add(public_id)

    def _replace(self, facts: KeyFacts, revision: int) -> None:
        with self._lock:
            held = self._entries.get(facts.public_id)
            # A look-up of the new generation may already have read a later state.
            if held is not None and held[1] < revision:
                self._entries[facts.public_id] = (facts, revision)


def _write_last_used(taken: dict[int, float]) -> None:
    if not taken:
        return
    # Written by hand, for it is one statement for many rows, and must not turn the clock back.
    table, adapt = Key._meta.db_table, connection.ops.adapt_datetimefield_value
    instants = {key_id: adapt(datetime.fromtimestamp(at, UTC)) for key_id, at in taken.items()}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {table} SET last_used_at = %s WHERE id = %s"  # noqa: S608
            " AND (last_used_at IS NULL OR last_used_at < %s)",
            [(at, key_id, at) for key_id, at in sorted(instants.items())],
        )
