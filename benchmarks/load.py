"""The load: wrk for whole answers, and for streams a client of our own that notes when each chunk came."""

import asyncio
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import urlsplit

import httptools
import uvloop

_PROMPT = "Say in a few sentences what distinguishes a catalogue from a list. " * 11
_CHAT = {
    "model": "acme/one",
    "messages": [
        {"role": "system", "content": "You answer briefly."},
        {"role": "user", "content": _PROMPT},
    ],
    "temperature": 0.2,
    "max_tokens": 400,
}
_DUE = re.compile(rb"@(\d+\.\d+)")
_ANSWER_TIMEOUT_S = 60.0


class WrongAnswer(Exception):
    """A call of the load was not answered as it should be: figures would be worth nothing."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where calls go, such as http://127.0.0.1:8000/v1/chat/completions, and headers beside the usual."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    model: str = "acme/one"

    def of_model(self, model: str) -> "Target":
        return replace(self, model=model)


@dataclass(frozen=True, slots=True)
class WholeAnswers:
    """What wrk counted; latencies in ms."""

    count: int
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


def ask_whole(target: Target, *, concurrency: int, seconds: int) -> WholeAnswers:
    """Ask without a pause over `concurrency` connections. Raises WrongAnswer."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_wrk_script(target))
        script.flush()
        command = [
            "wrk",
            "-t1",
            f"-c{concurrency}",
            f"-d{seconds}s",
            "--timeout",
            "30s",
            "-s",
            script.name,
            target.url,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    counted = json.loads(done.stdout.rpartition("result:")[2])
    if counted["wrong"] or not counted["count"]:
        raise WrongAnswer(f"{counted['wrong']} of {counted['count']} calls of {target.url} failed.")
    return WholeAnswers(
        counted["count"],
        counted["count"] / counted["us"] * 1e6,
        counted["p50_us"] / 1000,
        counted["p95_us"] / 1000,
        counted["p99_us"] / 1000,
    )


def _wrk_script(target: Target) -> str:
    headers = {"content-type": "application/json", **target.headers}
    lines = [f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items()]
    return "\n".join(
        [
            'wrk.method = "POST"',
            f"wrk.body = {json.dumps(json.dumps({**_CHAT, 'model': target.model}))}",
            *lines,
            "function done(summary, latency)",
            "  local e = summary.errors",
            "  local wrong = e.connect + e.read + e.write + e.status + e.timeout",
            """  io.write(string.format('result:{"count":%d,"us":%d,"wrong":%d,',""",
            "    summary.requests, summary.duration, wrong))",
            """  io.write(string.format('"p50_us":%d,"p95_us":%d,"p99_us":%d}',""",
            "    latency:percentile(50), latency:percentile(95), latency:percentile(99)))",
            "end",
        ]
    )


@dataclass(frozen=True, slots=True)
class Pace:
    """What the upstream is asked to send."""

    chunks: int = 40
    first_ms: int = 50
    gap_ms: int = 20

    def body(self) -> bytes:
        metadata = {"chunks": str(self.chunks), "first_ms": str(self.first_ms), "gap_ms": str(self.gap_ms)}
        return json.dumps({**_CHAT, "stream": True, "metadata": metadata}).encode()


@dataclass(slots=True)
class Streamed:
    """One stream as it came. `first_s` counts from the question; a chunk's delay from when it was due."""

    first_s: float = 0.0
    delays_s: list[float] = field(default_factory=list)


class StreamConnection(asyncio.Protocol):
    """A connection that asks for one stream after the other. Parser callbacks have httptools' names."""

    def __init__(self) -> None:
        self.has_first = asyncio.Event()
        self._transport: Any = None
        self._parser = httptools.HttpResponseParser(self)
        self._done: asyncio.Future[None] | None = None

    @classmethod
    async def open(cls, target: Target) -> Self:
        address = urlsplit(target.url)
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(cls, address.hostname or "", address.port or 80))[1]

    async def ask(self, request: bytes, pace: Pace) -> Streamed:
        """Raises WrongAnswer."""
        self._streamed, self._rest, self._pace = Streamed(), b"", pace
        self._done = asyncio.get_running_loop().create_future()
        self._asked_at = time.monotonic()
        self._transport.write(request)
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            await self._done
        return self._streamed

    def close(self) -> None:
        self._transport.close()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(WrongAnswer(f"The connection was closed in a stream: {exc}"))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        now = time.monotonic()
        # A read may end inside an event: its rest counts when it has come.
        whole, mark, rest = (self._rest + body).rpartition(b"\n\n")
        self._rest = rest
        streamed = self._streamed
        for due_at in _DUE.findall(whole):
            streamed.delays_s.append(now - float(due_at))
        if streamed.delays_s and not streamed.first_s:
            streamed.first_s = now - self._asked_at
            self.has_first.set()
        self._is_tidy = (whole + mark).endswith(b"data: [DONE]\n\n")

    def on_message_complete(self) -> None:
        status, count = self._parser.get_status_code(), len(self._streamed.delays_s)
        if status == 200 and count == self._pace.chunks and self._is_tidy:
            self._end(None)
        else:
            self._end(WrongAnswer(f"A stream ended with status {status} after {count} chunks."))

    def _end(self, error: Exception | None) -> None:
        if self._done is None or self._done.done():
            return
        if error:
            self._done.set_exception(error)
        else:
            self._done.set_result(None)


def ask_streams(target: Target, *, concurrency: int, times: int, pace: Pace) -> list[Streamed]:
    """Ask for `concurrency` streams at once, so many times. Raises WrongAnswer."""
    return uvloop.run(_ask_streams(target, concurrency, times, pace))


async def _ask_streams(target: Target, concurrency: int, times: int, pace: Pace) -> list[Streamed]:
    connections = [await StreamConnection.open(target) for _ in range(concurrency)]
    request = make_request(target, pace.body())
    answers: list[Streamed] = []
    for _ in range(times):
        answers += await asyncio.gather(*(connection.ask(request, pace) for connection in connections))
    for connection in connections:
        connection.close()
    return answers


def hold_streams(target: Target, *, concurrency: int, pace: Pace, look: Callable[[], int]) -> int:
    """What `look` returns while so many streams are open, each with its first chunk here. Raises WrongAnswer."""
    return uvloop.run(_hold_streams(target, concurrency, pace, look))


async def _hold_streams(target: Target, concurrency: int, pace: Pace, look: Callable[[], int]) -> int:
    connections = [await StreamConnection.open(target) for _ in range(concurrency)]
    request = make_request(target, pace.body())
    asking = [asyncio.create_task(connection.ask(request, pace)) for connection in connections]
    async with asyncio.timeout(_ANSWER_TIMEOUT_S):
        for connection in connections:
            await connection.has_first.wait()
    seen = look()
    await asyncio.gather(*asking)
    for connection in connections:
        connection.close()
    return seen


def make_request(target: Target, body: bytes) -> bytes:
    address = urlsplit(target.url)
    headers = {
        "host": address.netloc,
        "content-type": "application/json",
        "content-length": str(len(body)),
        **target.headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {address.path} HTTP/1.1\r\n{lines}\r\n".encode() + body
