"""A trivial application under our server, for tests of starting and ending: `python -m tests.gateway.small_server`.

It takes --port, or --descriptor and --parent as the supervisor gives them.
"""

import argparse
import asyncio
import os
import socket
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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--descriptor", type=int)
    parser.add_argument("--parent", type=int)
    options = parser.parse_args()
    listener = (
        bind("127.0.0.1", options.port)
        if options.descriptor is None
        else socket.socket(fileno=options.descriptor)
    )
    events = Events(
        ready=lambda: say(f"ready {os.getpid()}"),
        exit=lambda: say("draining"),
        hurry=lambda: say("hurrying"),
    )
    Server(application, drain_s=20, on=events, parent=options.parent).serve_on(listener)


if __name__ == "__main__":
    main()
