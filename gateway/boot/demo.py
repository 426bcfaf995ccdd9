"""The demo provider's server: beside the gateway in one process, or alone."""

import asyncio
import socket

from gateway import env
from gateway.server.serving import STOP_SIGNALS, CannotStart, bind
from providers.demo.behaviour import BadBehaviour
from providers.demo.server import DemoServer, build_server

HOST = "127.0.0.1"
PORTS_TRIED = 50


class Demo:
    """The demo provider on a loop that others use too."""

    def __init__(self, listener: socket.socket) -> None:
        """Raises CannotStart."""
        self._listener = listener
        self._server = _build(listener)
        self._serving: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._listener]))

    async def stop(self) -> None:
        self._server.should_exit = True
        if self._serving:
            await self._serving


def bind_near(port: int) -> socket.socket:
    """The port, or the next free one; GATEWAY_DEMO_PORT fixes it. Raises CannotStart."""
    fixed = env.whole("GATEWAY_DEMO_PORT", 0, most=65_535)
    if fixed:
        return bind(HOST, fixed)
    for candidate in range(port, port + PORTS_TRIED):
        try:
            return bind(HOST, candidate)
        except CannotStart:
            continue
    raise CannotStart(
        f"No port from {port} to {port + PORTS_TRIED - 1} is free for the demo provider. "
        "Name one with GATEWAY_DEMO_PORT."
    )


def serve(listener: socket.socket) -> None:
    """The demo provider alone, until a signal ends it. Raises CannotStart."""
    asyncio.run(_serve(_build(listener), listener))


async def _serve(server: DemoServer, listener: socket.socket) -> None:
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, setattr, server, "should_exit", True)
    await server.serve(sockets=[listener])


def _build(listener: socket.socket) -> DemoServer:
    host, port = listener.getsockname()[:2]
    try:
        return build_server(host, port)
    except BadBehaviour as error:
        raise CannotStart(f"A GATEWAY_DEMO_ variable cannot be used: {error}") from error
