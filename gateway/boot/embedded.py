"""The Celery worker and beat as threads of the web process: the product in one process."""

import asyncio
import os
import socket
import threading
from collections.abc import Callable

from celery import Celery
from celery.beat import Scheduler, Service
from celery.worker import WorkController, state
from django.conf import settings

from gateway.asgi import application
from gateway.boot import demo, first_run, greeting, outlet, preparing
from gateway.celery import app, wake_worker
from gateway.plane import runtime
from gateway.server.descriptors import within_descriptors
from gateway.server.serving import Events, Server, url_of
from providers.services import demo_port

START_S = 10.0
STOP_BEYOND_DRAIN_S = 5.0
BEAT_STOP_S = 1.5
POOL_THREADS = 4
# An idle worker at a broker in memory waits in one drain cycle and then does one more: a message ends each.
MESSAGES_THAT_WAKE = 2


class BackgroundFailed(Exception):
    """The worker's thread did not become ready in time, or ended by itself."""


class Background:
    """One Celery worker and one beat in daemon threads. `start` and `stop` block: call them off the web loop.

    Celery's stop flags belong to the module and so to the process: only one of these can live in it.
    """

    def __init__(self, *, stop_s: float, celery: Celery = app) -> None:
        """`stop_s`: how long the worker may take to end, its lane's drain included."""
        self._celery = celery
        self._stop_s = stop_s
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        # Celery's own embedded beat forks a process, which cannot see a broker in memory.
        self._beat = Service(celery, max_interval=1, scheduler_cls=Scheduler)
        self._beat_thread: threading.Thread | None = None

    def start(self) -> None:
        """Raises BackgroundFailed."""
        # The process has run the checks already; each start of a worker would run all of them again.
        os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
        state.should_stop = state.should_terminate = None
        for prepare in (self._celery.finalize, self._celery.set_current, self._celery.set_default):
            prepare()
        worker = self._make_worker(ready=lambda _consumer: self._ready.set())
        self._thread = threading.Thread(target=self._run, args=[worker], name="celery-worker", daemon=True)
        self._thread.start()
        if not self._ready.wait(START_S) or not self._thread.is_alive():
            raise BackgroundFailed("The Celery worker did not start; the lines above say why.")
        self._beat_thread = threading.Thread(target=self._beat.start, name="celery-beat", daemon=True)
        self._beat_thread.start()

    def stop(self) -> None:
        self._beat.stop()
        if self._thread is not None:
            state.should_stop = 0  # type: ignore[assignment]
            self._wake()
            self._thread.join(self._stop_s)
        if self._beat_thread is not None:
            self._beat_thread.join(BEAT_STOP_S)
        state.should_stop = state.should_terminate = None

    @staticmethod
    def hurry() -> None:
        """Let a stop that is under way end without waiting for calls. Safe in a signal handler."""
        state.should_terminate = 0  # type: ignore[assignment]

    def _wake(self) -> None:
        """Only with a broker in memory: a worker at Redis looks at its flag each second, also while Redis is away."""
        if self._celery.connection().transport_cls == "memory":
            for _ in range(MESSAGES_THAT_WAKE):
                wake_worker.delay()

    def _make_worker(self, *, ready: Callable[[object], None]) -> WorkController:
        return WorkController(
            app=self._celery,
            pool="threads",
            concurrency=POOL_THREADS,
            without_mingle=True,
            without_gossip=True,
            without_heartbeat=True,
            ready_callback=ready,
        )

    def _run(self, worker: WorkController) -> None:
        worker.start()
        # Set also where the start failed, so that nobody waits for it.
        self._ready.set()


def run(listener: socket.socket) -> None:
    """Prepare the data, then serve until a signal. Raises CannotStart and outlet.Unwritable."""
    with first_run.database_explained(), preparing.alone(outlet.show):
        first_run.migrate()
        demo_listener = demo.bind_near(demo_port() or settings.PORT + 1)
        issued = first_run.fill(demo_port=demo_listener.getsockname()[1])
    # Now, and not when all is ready: a start that fails half-way must not swallow them.
    outlet.hand_over(greeting.secrets_text(issued))
    _let_runtime_start(Background(stop_s=settings.DRAIN_S + STOP_BEYOND_DRAIN_S), demo.Demo(demo_listener))
    ready = greeting.ready_text(url_of(settings.HOST, settings.PORT), issued.key)
    events = Events(ready=lambda: outlet.show(ready), exit=_begin_drain, hurry=_hurry)
    limits = within_descriptors(settings.EDGE_LIMITS, settings.UPSTREAM_CONNECTIONS)
    Server(application, drain_s=settings.DRAIN_S, on=events, limits=limits).serve_on(listener)


def _begin_drain() -> None:
    outlet.show(greeting.stopping_text(settings.DRAIN_S))
    runtime.begin_drain()


def _hurry() -> None:
    outlet.show("Stopping now.")
    Background.hurry()


def _let_runtime_start(background: Background, provider: demo.Demo) -> None:
    async def start() -> None:
        provider.start()
        await asyncio.to_thread(background.start)

    async def stop() -> None:
        # Off the loop, which the worker's bootstep needs while it drains.
        await asyncio.gather(asyncio.to_thread(background.stop), provider.stop())

    runtime.on_started, runtime.on_stopping = start, stop
