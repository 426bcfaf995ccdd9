"""The web server: uvicorn with our addresses, our grace and our way of ending."""

import asyncio
import contextlib
import errno
import functools
import math
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

import uvicorn

from gateway.server.guarded import GuardedProtocol
from gateway.server.patience import EdgeLimits, Patience

# Ours ends first, so that a stream is ended with words and not cut.
GRACE_BEYOND_DRAIN_S = 5
HURRIED_S = 1.0
BACKLOG = 2048
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class CannotStart(Exception):
    """Something that a person must put right before this process can run; the message says what and how."""


def bind(host: str, port: int) -> socket.socket:
    """Take the address before any work is done. Whoever connects waits until a server answers.

    Raises CannotStart.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError:
        raise CannotStart(
            f"HOST is {host!r}, which is not an address here; use 127.0.0.1 or 0.0.0.0."
        ) from None
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        # Sockets that are only bound may share a port, and all but the first to listen would stay deaf.
        listener.listen()
    except OSError as error:
        listener.close()
        raise CannotStart(_why_not(host, port, error)) from error
    return listener


def url_of(host: str, port: int) -> str:
    """Where a person on this machine reaches a server that listens on `host`."""
    shown = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def _nothing() -> None: ...


@dataclass(frozen=True, slots=True)
class Events:
    """What is called when the server answers, when it is asked to end, and when it is asked again.

    `exit` and `hurry` run in a signal handler.
    """

    ready: Callable[[], None] = _nothing
    exit: Callable[[], None] = _nothing
    hurry: Callable[[], None] = _nothing


class Server(uvicorn.Server):
    """A server whose first signal begins the drain, whose second hurries it, and which then returns normally.

    uvicorn would raise the signal again after its shutdown: the exit code would not be 0.
    """

    def __init__(
        self,
        application: Any,
        *,
        drain_s: float,
        on: Events,
        limits: EdgeLimits = EdgeLimits(),  # noqa: B008  (a frozen value)
        is_orphan: Callable[[], bool] | None = None,
    ) -> None:
        """`is_orphan` says whether who started this process is gone: then it ends. None: nobody but a person did."""
        self.patience = Patience(limits)
        super().__init__(_configuration(application, drain_s, self.patience))
        self._on = on
        self._is_orphan = is_orphan

    def serve_on(self, listener: socket.socket) -> None:
        """Serve until a signal; returns once all is drained. Raises SystemExit if the start failed."""
        for number in STOP_SIGNALS:
            # From now on, not only while uvicorn runs: a signal during the imports must not be lost either.
            signal.signal(number, self.handle_exit)
        self.run(sockets=[listener])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self.should_exit:
            self.force_exit = True
            self._on.hurry()
            return
        self.should_exit = True
        self._on.exit()

    async def startup(self, sockets: Sequence[socket.socket] | None = None) -> None:
        self.patience.start()
        await super().startup(list(sockets or []))
        if self.started and not self.should_exit:
            self._on.ready()

    async def on_tick(self, counter: int) -> bool:
        # Nobody could stop it any more.
        if self._is_orphan and not self.should_exit and self._is_orphan():
            self.handle_exit(signal.SIGTERM, None)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: Sequence[socket.socket] | None = None) -> None:
        await super().shutdown(list(sockets or []))
        self.patience.stop()
        if self.force_exit:
            await self._end_hurriedly()

    async def _end_hurriedly(self) -> None:
        """What uvicorn leaves out when it is forced: calls settle in their `finally`, then lifespan ends."""
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=HURRIED_S)
        with contextlib.suppress(asyncio.CancelledError):
            await self.lifespan.shutdown()


def _configuration(application: Any, drain_s: float, patience: Patience) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=functools.partial(GuardedProtocol, patience=patience),  # type: ignore[arg-type]  # is only called
        ws="none",
        lifespan="on",
        backlog=BACKLOG,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=math.ceil(drain_s) + GRACE_BEYOND_DRAIN_S,
    )


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is taken. Stop what uses it, or choose another one with PORT={port + 10}."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} needs privileges that this user lacks. Choose one above 1023 with PORT=8000."
    return f"{host}:{port} cannot be used ({error.strerror}). Set HOST to an address of this machine."
