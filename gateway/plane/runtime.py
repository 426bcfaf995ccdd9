"""The data plane of this web process, from lifespan startup to shutdown."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from django.conf import settings

from accounts import guesses, standings
from accounts.directory import SqlKeyDirectory
from catalogue.published.loading import snapshots
from gateway.core.store.interface import Store
from gateway.core.store.tries import Patience, Tries
from gateway.metrics.gauges import EdgeGauges
from gateway.plane.process import Process
from gateway.plane.shared_standings import SharedStandings
from gateway.plane.shown_health import ShownHealth
from gateway.proxy.carry import EdgeServices
from gateway.proxy.edge import Edge
from gateway.proxy.lane.web import WorkerLane
from gateway.proxy.lanes import Lanes
from gateway.proxy.services import CallServices
from gateway.proxy.targets import MOST_ATTEMPTS
from gateway.responses.stored import SqlResponses
from gateway.server.http_cache import Application, ResponseCache
from providers import live_health

logger = logging.getLogger(__name__)

Hook = Callable[[], Awaitable[None]]

on_started: Hook | None = None
"""Awaited on the web loop once the data plane runs, before the first request is taken."""
on_stopping: Hook | None = None
"""Awaited once no request is open, before the data plane stops."""

_FIRST_HEARTBEAT_S = 1.5
_BEYOND_LIMITS_S = 60.0
_TRIES_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class RuntimeStatus:
    """How this process does. `store` is up, down or memory; `lane` is where calls go now if nobody asks otherwise."""

    snapshot_revision: int
    snapshot_age_s: float
    database_silence_s: float
    store: str
    workers: int
    lane: str
    spool_lag_s: float
    spool_trouble: str
    is_draining: bool


class SharedTries:
    """Tries counted in the store, for Django's threads. Where the loop has no time for them, in memory."""

    def __init__(self, store: Store, loop: asyncio.AbstractEventLoop) -> None:
        self._store = store
        self._loop = loop
        self._local = Tries()

    def take(self, subject: str, patience: Patience) -> float:
        asked = asyncio.run_coroutine_threadsafe(self._store.take_try(subject, patience), self._loop)
        try:
            return asked.result(_TRIES_WITHIN_S)
        except TimeoutError:
            asked.cancel()
            return self._local.take(subject, patience)

    def forgive(self, subject: str) -> None:
        asyncio.run_coroutine_threadsafe(self._store.forgive(subject), self._loop)
        self._local.forgive(subject)


class Runtime:
    """One web process' data plane."""

    def __init__(self, behind: Application) -> None:
        self.keys = SqlKeyDirectory()
        self.responses = SqlResponses()
        self.process = Process(self.keys)
        self.response_cache = ResponseCache(
            self.keys, self.process.control, behind, proxies=settings.TRUSTED_PROXIES
        )
        self.loop = asyncio.get_running_loop()
        self.worker_lane = WorkerLane(self.process.store, self.process.name, longest_call_s=_longest_call_s())
        self.services: CallServices | None = None
        self.edge: Edge | None = None
        self.is_draining = False
        self._drain: asyncio.Future[None] | None = None

    async def open(self) -> None:
        self.services = await self.process.open()
        await self.worker_lane.open()
        lanes = Lanes(
            self.services,
            self.worker_lane,
            setting=settings.CHAT_LANE,
        )
        self.edge = Edge(
            EdgeServices(
                keys=self.keys,
                snapshots=snapshots,
                store=self.process.store,
                admission=self.process.admission,
                observers=self.process.observers,
                health=self.process.health,
                lanes=lanes,
                responses=self.responses,
                plans=self.process.plans,
                body_limit_bytes=settings.BODY_LIMIT_BYTES,
                write_timeout_s=settings.WRITE_TIMEOUT_S,
                heartbeat_s=settings.HEARTBEAT_S,
                open_after_s=settings.OPEN_AFTER_S,
                proxies=settings.TRUSTED_PROXIES,
                most_calls=settings.MOST_CALLS,
                counts_per_minute=settings.COUNTS_PER_MINUTE,
            )
        )
        if self.process.metrics:
            self.process.metrics.watch(EdgeGauges(self.edge, self.worker_lane))
        if self.process.store.is_shared:
            await self._hear_workers()

    async def close(self) -> None:
        if self._drain:
            await self._drain
        await self.worker_lane.close()
        await self.process.close()
        self.responses.close()

    def begin_drain(self) -> None:
        """On the loop: no new calls; open ones have DRAIN_S to end by themselves."""
        self.is_draining = True
        if self.edge and self._drain is None:
            self._drain = asyncio.ensure_future(self.edge.drain(settings.DRAIN_S))

    def status(self) -> RuntimeStatus:
        process = self.process
        store = ("up" if process.store.is_up else "down") if process.store.is_shared else "memory"
        workers = len(self.worker_lane.live_workers)
        by_worker = settings.CHAT_LANE == "worker" or (settings.CHAT_LANE == "auto" and workers > 0)
        return RuntimeStatus(
            snapshot_revision=process.control.current.revision,
            snapshot_age_s=round(process.control.age_s, 3),
            database_silence_s=round(process.control.silence_s, 3),
            store=store,
            workers=workers,
            lane="worker" if by_worker else "direct",
            spool_lag_s=round(process.spool.lag_s, 3),
            spool_trouble=process.spool.trouble,
            is_draining=self.is_draining,
        )

    async def _hear_workers(self) -> None:
        """Wait for the first heartbeat, so that the first forced call finds the workers that are there."""
        deadline = time.monotonic() + _FIRST_HEARTBEAT_S
        while not self.worker_lane.live_workers and time.monotonic() < deadline:
            await asyncio.sleep(0.05)


def _longest_call_s() -> float:
    """More than any call may take whose worker keeps to its own limits."""
    attempt_s = settings.CONNECT_TIMEOUT_S + settings.TOTAL_TIMEOUT_S
    return MOST_ATTEMPTS * attempt_s + settings.WRITE_TIMEOUT_S + _BEYOND_LIMITS_S


_current: Runtime | None = None


def current() -> Runtime | None:
    """The runtime of this process; None in a worker of its own, in commands, and before startup."""
    return _current


def status() -> RuntimeStatus | None:
    return _current.status() if _current else None


def begin_drain() -> None:
    """Safe in a signal handler and from any thread."""
    if _current:
        _current.loop.call_soon_threadsafe(_current.begin_drain)


async def start(behind: Application) -> Runtime:
    """`behind` answers what the data plane does not: Django."""
    global _current  # noqa: PLW0603  (one data plane a process, as one event loop)
    runtime = Runtime(behind)
    await runtime.open()
    guesses.here.counter = SharedTries(runtime.process.store, runtime.loop)
    standings.here.reader = SharedStandings(runtime.process.store, runtime.loop)
    live_health.here.reader = ShownHealth(runtime.process.health_observer, runtime.loop)
    _current = runtime
    if on_started:
        await on_started()
    return runtime


async def stop() -> None:
    global _current  # noqa: PLW0603
    if _current is None:
        return
    if on_stopping:
        await on_stopping()
    guesses.here.forget()
    standings.here.forget()
    live_health.here.forget()
    await _current.close()
    _current = None
