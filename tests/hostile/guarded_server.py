"""Our web server in a thread, in front of an application that tells what it heard; the test turns its clock."""

import asyncio
import json
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gateway.server.patience import TICK_S, EdgeLimits, Patience
from gateway.server.serving import Events, Server
from tests.patience import HANG_S

CHAT = "/v1/chat/completions"
# Of the loop, in which it looks at its sockets and runs what they woke.
_TURNS = 5


@dataclass
class Listener:
    """The application. It reads no body at `/deaf`, and answers at `/held` once it may."""

    heard: list[dict[str, Any]] = field(default_factory=list)
    reading: threading.Event = field(default_factory=threading.Event)
    gone: threading.Event = field(default_factory=threading.Event)
    may_answer: threading.Event = field(default_factory=threading.Event)
    answer: bytes = b""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return await _live(receive, send)
        body = b"" if scope["path"] == "/deaf" else await self._read(receive)
        if body is None:
            self.gone.set()
            return None
        while scope["path"] == "/held" and not self.may_answer.is_set():
            await asyncio.sleep(0.01)
        headers = [[name.decode(), value.decode()] for name, value in scope["headers"]]
        self.heard.append({"path": scope["path"], "headers": headers, "bytes": len(body)})
        told = self.answer or json.dumps(self.heard[-1]).encode()
        length = (b"content-length", str(len(told)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": told})
        return None

    async def _read(self, receive: Any) -> bytes | None:
        body, is_whole = b"", False
        while not is_whole:
            self.reading.set()
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message["body"]
            is_whole = not message["more_body"]
        return body


async def _live(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


@dataclass
class RunningServer:
    port: int
    loop: asyncio.AbstractEventLoop
    patience: Patience
    listener: Listener

    def pass_time(self, seconds: float) -> None:
        """As the loop's ticker would, at once."""
        for _ in range(round(seconds / TICK_S)):
            self.on_loop(self.patience.tick)

    def on_loop(self, action: Callable[[], Any]) -> Any:
        """Run it there, once all that was sent before is read."""
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()

        async def act() -> None:
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            done.put(action())

        asyncio.run_coroutine_threadsafe(act(), self.loop)
        return done.get(timeout=HANG_S)

    @property
    def connections(self) -> int:
        return self.on_loop(lambda: len(self.patience))

    def connect(self) -> "Client":
        return Client.to(self.port)


class Client:
    """A raw socket."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._unread = b""

    @classmethod
    def to(cls, port: int) -> "Client":
        return cls(socket.create_connection(("127.0.0.1", port), timeout=HANG_S))

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def flood(self, data: bytes, times: int) -> int:
        """Say it again and again, until nobody listens any more. Returns how many bytes were taken."""
        for count in range(times):
            try:
                self.socket.sendall(data)
            except OSError:
                return count * len(data)
        return times * len(data)

    def read(self) -> bytes:
        """All until the end of the connection."""
        parts = []
        while part := self.socket.recv(65536):
            parts.append(part)
        return b"".join(parts)

    def read_answer(self) -> tuple[int, dict[str, str], bytes]:
        """One answer with a content-length: status, headers, body."""
        data, self._unread = self._unread, b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        length = int(headers["content-length"])
        while len(body) < length:
            body += self._more()
        self._unread = body[length:]
        return int(first.split()[1]), headers, body[:length]

    def is_closed(self) -> bool:
        """Waits for the end; False where something else was said."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def _more(self) -> bytes:
        part = self.socket.recv(65536)
        assert part, "the connection ended before the answer"
        return part


@contextmanager
def guarded_server(**limits: Any) -> Iterator[RunningServer]:
    """With the limits that a clone has, but for those named. Its clock stands still unless the test turns it."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    listener = Listener()
    started: queue.SimpleQueue[asyncio.AbstractEventLoop] = queue.SimpleQueue()
    server = Server(
        listener,
        drain_s=1,
        on=Events(ready=lambda: started.put(asyncio.get_running_loop())),
        limits=EdgeLimits(**limits),
    )
    thread = threading.Thread(target=lambda: server.run(sockets=[listening]), daemon=True)
    thread.start()
    loop = started.get(timeout=HANG_S)
    loop.call_soon_threadsafe(server.patience.stop)
    try:
        yield RunningServer(listening.getsockname()[1], loop, server.patience, listener)
    finally:
        server.should_exit = True
        thread.join(HANG_S)
