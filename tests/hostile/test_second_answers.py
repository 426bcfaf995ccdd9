"""A provider that answers once too often: what it said too much is never the next caller's answer."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from gateway.core.outbound import OutboundPolicy
from providers.adapters.base import UpstreamRequest
from providers.engine import Timeouts
from providers.transport import REST_S, HttpEngine
from tests.patience import HANG_S

PATIENT = Timeouts(connect_s=30, first_byte_s=30, idle_s=30, total_s=60)
WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n%b"


class Talkative:
    """The first answer on its first connection is followed by another one; `has_said_more` once that is out."""

    def __init__(self, extra: bytes, pause_s: float) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.has_said_more = threading.Event()
        self.connections = 0
        self._extra = extra
        self._pause_s = pause_s

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self._answer, args=(connection, self.connections == 1)).start()

    def _answer(self, connection: socket.socket, says_more: bool) -> None:
        with connection, suppress(OSError):
            while connection.recv(65536):
                connection.sendall(WHOLE % b"good")
                if says_more and not self.has_said_more.is_set():
                    time.sleep(self._pause_s)
                    connection.sendall(self._extra)
                    self.has_said_more.set()


@contextmanager
def talkative(extra: bytes, pause_s: float = 0.002) -> Iterator[Talkative]:
    server = Talkative(extra, pause_s)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        thread.join(HANG_S)


async def get(engine: HttpEngine, server: Talkative) -> bytes:
    response = await engine.open(UpstreamRequest(f"http://127.0.0.1:{server.port}/", {}, b"{}"), PATIENT)
    try:
        return await response.read(1 << 20)
    finally:
        await response.close()


def ask(server: Talkative, calls: int) -> list[bytes]:
    """One call, and all others in the very turn of the loop in which it ended."""

    async def work() -> list[bytes]:
        engine = HttpEngine(OutboundPolicy(frozenset({f"127.0.0.1:{server.port}"})))
        try:
            first = await get(engine, server)
            # The loop stands still meanwhile, so it has not read what came.
            assert server.has_said_more.wait(HANG_S)
            return [first, *await asyncio.gather(*(get(engine, server) for _ in range(calls)))]
        finally:
            await engine.close()

    return asyncio.run(work())


@pytest.mark.parametrize("extra", [WHOLE % b"evil", b"HTTP/1.1 2", b"\r\n", b"x"])
@pytest.mark.parametrize("calls", [1, 3])
def test_second_answer_is_not_the_next_callers(extra, calls):
    with talkative(extra) as server:
        assert ask(server, calls) == [b"good"] * (calls + 1)
        assert server.connections == calls + 1


def test_connection_is_used_again_once_it_has_rested():
    async def work(server: Talkative) -> list[bytes]:
        engine = HttpEngine(OutboundPolicy(frozenset({f"127.0.0.1:{server.port}"})))
        try:
            answers = [await get(engine, server)]
            await asyncio.sleep(REST_S)
            return [*answers, await get(engine, server)]
        finally:
            await engine.close()

    with talkative(b"") as server:
        assert asyncio.run(work(server)) == [b"good"] * 2
        assert server.connections == 1


def test_second_answer_is_nobodys_when_the_next_call_comes_at_once():
    """The loop goes on meanwhile, and the next question leaves before the second answer is there."""

    async def work(server: Talkative) -> list[bytes]:
        engine = HttpEngine(OutboundPolicy(frozenset({f"127.0.0.1:{server.port}"})))
        try:
            return [await get(engine, server) for _ in range(5)]
        finally:
            await engine.close()

    with talkative(WHOLE % b"evil") as server:
        assert asyncio.run(work(server)) == [b"good"] * 5
