"""The bootstep: a Celery worker that hosts the lane's event loop."""

import asyncio
import logging
import threading
from collections.abc import Coroutine
from contextlib import ExitStack
from typing import Any

import uvloop
from celery import bootsteps
from celery.exceptions import WorkerShutdown
from celery.platforms import EX_OK
from celery.worker import state
from django.conf import settings

from accounts import standings
from gateway.metrics.exporter import serving_metrics
from gateway.plane import runtime
from gateway.plane.process import Process, await_database
from gateway.plane.shared_standings import SharedStandings
from gateway.plane.shown_health import ShownHealth
from gateway.proxy.lane.worker import LaneWorker
from gateway.proxy.services import CallServices
from gateway.server.descriptors import KEPT_BACK, raise_limit
from providers import live_health

logger = logging.getLogger(__name__)

_START_S = 15.0
_BEYOND_DRAIN_S = 5.0


class Lane:
    """The worker's side of the lane on a loop: that of the web server where there is one, else one of its own."""

    def __init__(self) -> None:
        self._host = runtime.current()
        self._loop = self._host.loop if self._host else uvloop.new_event_loop()
        self._thread: threading.Thread | None = None
        self._process: Process | None = None
        self._worker: LaneWorker | None = None

    def start(self) -> None:
        if self._host is None:
            self._thread = threading.Thread(target=self._run_loop, name="lane", daemon=True)
            self._thread.start()
        self._wait(self._open(), _START_S)
        if self._process:
            standings.here.reader = SharedStandings(self._process.store, self._loop)
            live_health.here.reader = ShownHealth(self._process.health_observer, self._loop)

    def stop(self, grace_s: float) -> None:
        """Blocks until open calls have ended, by themselves or with an explicit error."""
        if self._process:
            standings.here.forget()
            live_health.here.forget()
        self._wait(self._close(grace_s), grace_s + _BEYOND_DRAIN_S)
        if self._thread:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_BEYOND_DRAIN_S)

    async def _open(self) -> None:
        process, services = await self._join()
        self._worker = LaneWorker(
            process.store,
            services,
            f"{process.name}-lane",
            process.spool,
            write_timeout_s=settings.WRITE_TIMEOUT_S,
        )
        await self._worker.open()

    async def _join(self) -> tuple[Process, CallServices]:
        if self._host and self._host.services:
            return self._host.process, self._host.services
        self._process = Process()
        return self._process, await self._process.open()

    async def _close(self, grace_s: float) -> None:
        if self._worker:
            # Celery does not call terminate once a stop is under way: a second signal shows only in its state.
            await self._worker.drain(grace_s, is_hurried=lambda: state.should_terminate is not None)
        if self._process:
            await self._process.close()

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _wait(self, work: Coroutine[Any, Any, None], timeout_s: float) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)


def _is_stopping() -> bool:
    return state.should_stop is not None or state.should_terminate is not None


class LaneStep(bootsteps.StartStopStep):
    """Started after the pool and stopped before it. At the worker's level: a lost broker does not restart it."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._lane: Lane | None = None
        self._beside = ExitStack()

    def start(self, _parent: Any) -> None:
        if not await_database(_is_stopping):
            raise WorkerShutdown(EX_OK)
        raise_limit(settings.UPSTREAM_CONNECTIONS + KEPT_BACK)
        if runtime.current() is None:
            self._beside.enter_context(serving_metrics())
        self._lane = Lane()
        self._lane.start()

    def stop(self, parent: Any) -> None:
        self._end(settings.DRAIN_S)
        if state.should_stop is not None and state.should_terminate is None:
            # Celery calls Ctrl-C a failure; a drain that was asked for is none.
            parent.exitcode = EX_OK

    def terminate(self, _parent: Any) -> None:
        self._end(0)

    def _end(self, grace_s: float) -> None:
        lane, self._lane = self._lane, None
        with self._beside:
            if lane:
                lane.stop(grace_s)
