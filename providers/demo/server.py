"""Serving the demo provider, inside another program's loop or alone."""

import contextlib
from collections.abc import Iterator

import uvicorn

from providers.demo.app import DemoApp
from providers.demo.behaviour import from_environment


class DemoServer(uvicorn.Server):
    """Leaves signals to whoever owns the loop: set `should_exit` to stop it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def build_server(host: str, port: int) -> DemoServer:
    """Run with `await server.serve(sockets=[…])`, or without sockets at its host and port."""
    config = uvicorn.Config(
        DemoApp(from_environment()),
        host=host,
        port=port,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
        server_header=False,
    )
    return DemoServer(config)
