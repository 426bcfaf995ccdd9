"""How this process stands, looked at once a second: nothing of it is on the path of calls."""

import os
import time
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Protocol

from catalogue.published.snapshot import Snapshot
from gateway.core.store.interface import Store
from gateway.metrics import families
from gateway.metrics.folding import surface_name
from gateway.metrics.totals import Totals
from gateway.proxy.edge import OpenCall
from providers.health import HealthTable

_STATUS = Path("/proc/self/statm")


class Backlog(Protocol):
    """A spool, as far as it is looked at."""

    @property
    def trouble(self) -> str: ...

    @property
    def lag_s(self) -> float: ...

    @property
    def waiting(self) -> int: ...

    @property
    def size(self) -> int: ...


class Freshness(Protocol):
    """What a process' memory is worth."""

    @property
    def current(self) -> Snapshot: ...

    @property
    def age_s(self) -> float: ...

    @property
    def silence_s(self) -> float: ...


class ProcessGauges:
    """Of any process, by what it is: `web`, `worker` or `beat`."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._version = _version()
        self._cpu_s = 0.0

    def look(self, totals: Totals) -> None:
        cpu_s = time.process_time()
        totals.add(families.CPU, self._kind, by=cpu_s - self._cpu_s)
        self._cpu_s = cpu_s
        totals.set(families.PROCESSES, self._kind, to=1)
        totals.set(families.BUILD, self._version, to=1)
        if (size := _resident_bytes()) is not None:
            totals.set(families.MEMORY, self._kind, to=size)


class PlaneGauges:
    """Of a process that makes calls."""

    def __init__(self, spool: Backlog, control: Freshness, health: HealthTable, store: Store) -> None:
        self._spool, self._control, self._health, self._store = spool, control, health, store

    def look(self, totals: Totals) -> None:
        totals.set(families.LEDGER_LAG, to=self._spool.lag_s)
        totals.set(families.LEDGER_QUEUE, to=self._spool.waiting)
        totals.set(families.SPOOL_BYTES, to=self._spool.size)
        totals.set(families.SPOOL_WRITABLE, to=not self._spool.trouble)
        totals.set(families.REVISION, to=self._control.current.revision)
        totals.set(families.SNAPSHOT_AGE, to=self._control.age_s)
        totals.set(families.DATABASE_SILENCE, to=self._control.silence_s)
        totals.set(families.HOLDS, to=self._store.holds_open)
        if self._store.is_shared:
            totals.set(families.STORE_UP, to=self._store.is_up)
        self._look_at_breakers(totals)

    def _look_at_breakers(self, totals: Totals) -> None:
        now, snapshot = time.monotonic(), self._control.current
        for way in list(self._health.broken):
            found = snapshot.offering(way)
            # By a further credential, the offering itself may be well.
            if found and self._health.status(way, now).is_open:
                totals.set(families.BREAKER, found[0].id, found[1].provider_slug, to=1)


class EdgeGauges:
    """Of a process that clients call."""

    def __init__(self, edge: "OpenCalls", workers: "LiveWorkers") -> None:
        self._edge, self._workers = edge, workers

    def look(self, totals: Totals) -> None:
        calls = self._edge.open_calls()
        surfaces = Counter(surface_name(call.client.record.surface.path) for call in calls)
        for surface, count in surfaces.items():
            totals.set(families.IN_FLIGHT, surface, to=count)
        totals.set(families.OPEN_STREAMS, to=sum(_is_stream(call) for call in calls))
        totals.set(families.WORKERS, to=_count(self._workers))
        totals.set(families.DRAINING, to=self._edge.is_draining)


class OpenCalls(Protocol):
    @property
    def is_draining(self) -> bool: ...

    def open_calls(self) -> Collection[OpenCall]: ...


class LiveWorkers(Protocol):
    @property
    def live_workers(self) -> list[str]: ...


def _is_stream(call: OpenCall) -> bool:
    asked = call.client.record.asked
    return call.client.has_begun and asked is not None and asked.is_streamed


def _count(workers: LiveWorkers) -> int:
    """From a thread beside the loop, where one may come or go meanwhile."""
    with suppress(RuntimeError):
        return len(workers.live_workers)
    return len(workers.live_workers)


def _resident_bytes() -> int | None:
    """None where the system does not tell it so: only Linux does."""
    try:
        return int(_STATUS.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def _version() -> str:
    try:
        return version("gatehouse")
    except PackageNotFoundError:
        return "source"
