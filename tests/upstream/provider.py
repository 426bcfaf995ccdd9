"""The scripted provider itself: a small HTTP server with a log of all that it saw."""

import asyncio
import contextlib
import itertools
import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qsl

from tests.patience import HANG_S
from tests.upstream import answers
from tests.upstream import incomplete as _incomplete  # noqa: F401  (registers its behaviours)
from tests.upstream.behaviours import NAMED
from tests.upstream.exchange import Dropped, Exchange

Address = tuple[str, int]
# Unique over processes and restarts too.
_ids = (f"seen-{number}-{time.time_ns():x}" for number in itertools.count(1))


@dataclass
class Seen:
    """One request. `id` is in the answer's `id` and `x-request-id`; `at` is Unix seconds, `peer` the client's end."""

    id: str
    at: float
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    behaviour: str
    peer: Address
    has_hung_up: bool = False
    """The client left before the answer was complete."""
    ended_at: float | None = None


class ScriptedProvider:
    """In a `with`, serves from a thread of its own on a free port, or on `port`."""

    def __init__(self, *, port: int = 0, default: str = "ok", log_path: Path | None = None) -> None:
        self.default = default
        self.models = ["scripted-model"]
        self.list_behaviour = "list"
        self.log: list[Seen] = []
        self.port = port
        self._log_path = log_path
        self._script: deque[str] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = asyncio.Event()
        self._held = asyncio.Semaphore(0)
        self._is_ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self.run()), daemon=True)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def address(self) -> str:
        """As the settings of the outbound policy name it."""
        return f"127.0.0.1:{self.port}"

    @property
    def calls(self) -> list[Seen]:
        """The log without model lists."""
        return [seen for seen in self.log if seen.method == "POST"]

    def script(self, *behaviours: str) -> None:
        """What the next requests meet, one after the other; after them comes the default again."""
        for name in behaviours:
            _parse(name)
        self._script.extend(behaviours)

    def go_on(self) -> None:
        """Let one answer go on that has the option `hold`: 0 holds it before its head, 2 after its second piece.

        Whatever a test looks at meanwhile cannot pass by itself. It may be said before the answer is there.
        """
        assert self._loop
        self._loop.call_soon_threadsafe(self._held.release)

    def wait_for(self, count: int, *, timeout_s: float = HANG_S) -> list[Seen]:
        """The calls, once there are that many. Raises TimeoutError."""
        deadline = time.monotonic() + timeout_s
        while len(self.calls) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.calls)} calls instead of {count}")
            time.sleep(0.005)
        return self.calls

    async def told_to_go_on(self) -> None:
        await self._held.acquire()

    def __enter__(self) -> "ScriptedProvider":
        self._thread.start()
        if not self._is_ready.wait(HANG_S):
            raise RuntimeError("The scripted provider does not start")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(HANG_S)

    async def run(self) -> None:
        """Serve until stopped."""
        tasks: set[asyncio.Task[None]] = set()
        file = self._log_path.open("a") if self._log_path else None

        def accept(wire: _Wire) -> None:
            task = asyncio.ensure_future(_Connection(self, wire, file).serve())
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        self._loop = asyncio.get_running_loop()
        server = await self._loop.create_server(
            lambda: _Protocol(accept), "127.0.0.1", self.port, backlog=2048
        )
        self.port = server.sockets[0].getsockname()[1]
        self._is_ready.set()
        await self._stopped.wait()
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if file:
            file.close()

    def choose(self, body: Any) -> str:
        """The behaviour: named by the request in `scripted`, by the script, by the model, or the default."""
        if isinstance(body, dict) and "scripted" in body:
            return str(body["scripted"])
        if self._script:
            return self._script.popleft()
        model = str(body.get("model", "")) if isinstance(body, dict) else ""
        return model.removeprefix("fault-") if model.startswith("fault-") else self.default


@dataclass
class _Wire:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    has_left: asyncio.Event


class _Protocol(asyncio.StreamReaderProtocol):
    """Tells at once when the client leaves, also while nobody reads."""

    def __init__(self, accept: Callable[[_Wire], None]) -> None:
        self._has_left = asyncio.Event()
        reader = asyncio.StreamReader(limit=1 << 26)
        super().__init__(reader, lambda reader, writer: accept(_Wire(reader, writer, self._has_left)))

    def eof_received(self) -> bool | None:
        self._has_left.set()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._has_left.set()
        super().connection_lost(exc)


@dataclass
class _Connection:
    provider: ScriptedProvider
    wire: _Wire
    file: IO[str] | None

    async def serve(self) -> None:
        try:
            while request := await self._read_request():
                await self._answer(request)
        except (Dropped, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.wire.writer.close()

    async def _read_request(self) -> Seen | None:
        try:
            head = await self.wire.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        raw = await self._read_body(headers)
        method, path, _ = first.split(" ")
        try:
            body = json.loads(raw or b"null")
        except ValueError:
            body = None
        peer = self.wire.writer.get_extra_info("peername")[:2]
        name = self.provider.choose(body) if method == "POST" else self.provider.list_behaviour
        return Seen(next(_ids), time.time(), method, path, headers, body, name, peer)

    async def _read_body(self, headers: dict[str, str]) -> bytes:
        reader = self.wire.reader
        if headers.get("transfer-encoding") != "chunked":
            return await reader.readexactly(int(headers.get("content-length", 0)))
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return body

    async def _answer(self, seen: Seen) -> None:
        if seen.path.endswith("/_seen"):
            log = [asdict(entry) for entry in self.provider.log]
            await self._exchange(seen, {}).json(200, log)
            return
        self._note(seen)
        name, options = _parse(seen.behaviour)
        exchange = self._exchange(seen, options)
        behaviour = asyncio.ensure_future(self._behave(exchange, seen, name))
        leaving = asyncio.ensure_future(self.wire.has_left.wait())
        try:
            await asyncio.wait({behaviour, leaving}, return_when=asyncio.FIRST_COMPLETED)
            seen.has_hung_up = not behaviour.done() or isinstance(behaviour.exception(), ConnectionError)
        finally:
            seen.ended_at = time.time()
            behaviour.cancel()
            leaving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await behaviour

    def _exchange(self, seen: Seen, options: dict[str, str]) -> Exchange:
        body = seen.body if isinstance(seen.body, dict) else {}
        return Exchange(seen.id, body, options, self.wire.writer, self.provider.told_to_go_on)

    def _note(self, seen: Seen) -> None:
        self.provider.log.append(seen)
        if self.file:
            self.file.write(json.dumps(asdict(seen)) + "\n")
            self.file.flush()

    async def _behave(self, exchange: Exchange, seen: Seen, name: str) -> None:
        if name == "list":
            return await exchange.json(200, answers.models(self.provider.models))
        if seen.path.endswith("/embeddings") and name == "ok":
            return await exchange.json(200, answers.embeddings(exchange.body))
        return await NAMED[name](exchange)


def _parse(behaviour: str) -> tuple[str, dict[str, str]]:
    name, _, query = behaviour.partition("?")
    if name not in NAMED and name != "list":
        raise KeyError(f"No behaviour is called {name}")
    return name, dict(parse_qsl(query))
