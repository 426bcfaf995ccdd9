"""A trivial application under our server, for tests of start and end: `python -m tests.gateway.small_server PORT`."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

from gateway.server.serving import Events, Server, bind

STREAM = b"open "


def say(words: str) -> None:
    # One write a line: two processes share the pipe.
    os.write(1, f"{words}\n".encode())


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/slow":
        await send({"type": "http.response.body", "body": STREAM, "more_body": True})
        await _be_slow()
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})


async def _be_slow() -> None:
    try:
        await asyncio.sleep(float(os.environ.get("SLOW_S", "1")))
    finally:
        say("settled")


async def _live(receive: Any, send: Any) -> None:
    await receive()
    if os.environ.get("REFUSE_TO_START"):
        await send({"type": "lifespan.startup.failed", "message": "refused"})
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()
    say("lifespan ended")
    await send({"type": "lifespan.shutdown.complete"})


def serve(listener: socket.socket, is_orphan: Callable[[], bool] = lambda: False) -> None:
    events = Events(
        ready=lambda: say(f"ready {os.getpid()}"),
        exit=lambda: say("draining"),
        hurry=lambda: say("hurrying"),
    )
    Server(application, drain_s=20, on=events, is_orphan=is_orphan).serve_on(listener)


if __name__ == "__main__":
    serve(bind("127.0.0.1", int(sys.argv[1])))
