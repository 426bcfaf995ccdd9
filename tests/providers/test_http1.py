"""The engine's HTTP, byte for byte: framing, keeping and losing connections, codings, and what is too much."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from gateway.core.outbound import OutboundPolicy
from providers.adapters.base import UpstreamRequest
from providers.engine import Timeouts
from providers.transport import HttpEngine
from providers.unpacking import Unpacker
from providers.wire.failure import FailureKind, UpstreamFailure
from tests.patience import HANG_S

PATIENT = Timeouts(connect_s=HANG_S, first_byte_s=HANG_S, idle_s=HANG_S, total_s=HANG_S)
OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = OK + b"content-length: 2\r\n\r\nhi"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
HANG_UP = b""
PAUSE = b"<pause>"


@dataclass
class RawServer:
    """Answers each request, on whichever connection, with the next of its answers. HANG_UP closes."""

    answers: list[bytes]
    pause_s: float = 0.0
    """At each PAUSE in an answer."""
    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while self.answers and (request := await reader.read(65536)):
                self.requests.append(request)
                await self._answer(self.answers.pop(0), writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(self, answer: bytes, writer: asyncio.StreamWriter) -> None:
        for piece in answer.split(PAUSE):
            writer.write(piece)
            await asyncio.sleep(self.pause_s)
        if answer == HANG_UP or b"\r\nconnection: close" in answer:
            raise ConnectionResetError


@asynccontextmanager
async def serving(server: RawServer) -> AsyncIterator[HttpEngine]:
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    engine = HttpEngine(OutboundPolicy(frozenset({f"127.0.0.1:{server.port}"})), rest_s=0)
    try:
        yield engine
        assert engine.in_flight == 0
    finally:
        await engine.close()
        listener.close()
        await asyncio.sleep(0.01)


async def get(engine: HttpEngine, server: RawServer, headers: dict[str, str] | None = None) -> bytes:
    request = UpstreamRequest(f"http://127.0.0.1:{server.port}/v1?a=b", headers or {}, b"{}")
    response = await engine.open(request, PATIENT)
    try:
        return await response.read(1 << 20)
    finally:
        await response.close()


def ask(*answers: bytes, pause_s: float = 0.0) -> tuple[list[bytes], RawServer]:
    """The bodies that one engine reads, one after the other."""
    server = RawServer(list(answers), pause_s)

    async def main() -> list[bytes]:
        async with serving(server) as engine:
            return [await get(engine, server) for _ in answers]

    return asyncio.run(main()), server


def failure_of(answer: bytes, pause_s: float = 0.0) -> UpstreamFailure:
    with pytest.raises(UpstreamFailure) as caught:
        ask(answer, pause_s=pause_s)
    return caught.value


def run(server: RawServer, work: Callable[[HttpEngine], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with serving(server) as engine:
            return await work(engine)

    return asyncio.run(main())


def test_each_request_has_its_own_fields_whatever_the_one_before_it_had():
    given = [{"a": "1"}, {"a": "1"}, {"a": "2", "b": "3"}, {"b": "3", "a": "2"}, {}, {"a": "1"}]
    server = RawServer([WHOLE] * len(given))

    async def work(engine):
        for headers in given:
            await get(engine, server, headers)

    run(server, work)
    asked = [dict(line.split(": ") for line in each.decode().split("\r\n")[2:-3]) for each in server.requests]
    assert asked == given


def test_request_is_written_as_it_should_be():
    _, server = ask(WHOLE)
    head = f"POST /v1?a=b HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\ncontent-length: 2\r\n\r\n"
    assert server.requests == [head.encode() + b"{}"]


@pytest.mark.parametrize(
    "answer",
    [
        WHOLE,
        PAUSE.join(bytes([byte]) for byte in WHOLE),
        CHUNKED + b"1\r\nh\r\n1\r\ni\r\n0\r\n\r\n",
        CHUNKED + b"2;name=value\r\nhi\r\n0\r\ntrailer: ignored\r\n\r\n",
        OK + b"x-empty:\r\ncontent-length: 2\r\n\r\nhi",
        b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + WHOLE,
        b"HTTP/1.1 100 Continue\r\n\r\n" + PAUSE + WHOLE,
    ],
)
def test_body_is_read_however_it_is_framed_and_the_connection_kept(answer):
    bodies, server = ask(answer, WHOLE)
    assert bodies == [b"hi", b"hi"]
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi",
        OK + b"content-length: 2\r\nconnection: close\r\n\r\nhi",
        WHOLE + b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
        WHOLE + b"garbage",
    ],
)
def test_connection_is_not_used_again_where_that_is_not_safe(answer):
    bodies, server = ask(answer, WHOLE)
    assert bodies == [b"hi", b"hi"]
    assert server.connections == 2


def test_body_without_a_length_ends_with_the_connection():
    assert ask(OK + b"content-type: text/plain\r\nconnection: close\r\n\r\nhi")[0] == [b"hi"]


def test_answer_without_a_body_is_empty():
    bodies, server = ask(b"HTTP/1.1 204 No Content\r\n\r\n", WHOLE)
    assert bodies == [b"", b"hi"]
    assert server.connections == 1


def test_last_header_of_a_name_counts_and_names_are_in_lower_case():
    server = RawServer([OK + b"X-One: a\r\nX-ONE: b\r\ncontent-length: 0\r\n\r\n"])

    async def work(engine):
        response = await engine.open(UpstreamRequest(f"http://127.0.0.1:{server.port}/", {}, b""), PATIENT)
        await response.close()
        return response.headers

    assert run(server, work) == {"x-one": "b", "content-length": "0"}


def test_call_on_a_kept_connection_that_was_closed_meanwhile_is_not_sent_there():
    server = RawServer([WHOLE])

    async def work(engine):
        await get(engine, server)
        await asyncio.sleep(0.05)
        server.answers.append(WHOLE)
        return await get(engine, server)

    assert run(server, work) == b"hi"
    assert server.connections == 2


def test_call_that_was_sent_and_not_answered_is_a_failure_and_is_not_sent_again():
    server = RawServer([WHOLE, HANG_UP, WHOLE])

    async def work(engine):
        await get(engine, server)
        with pytest.raises(UpstreamFailure) as caught:
            await get(engine, server)
        return caught.value.code

    assert run(server, work) == "provider_disconnected"
    assert len(server.requests) == 2


def test_idle_connection_is_closed_before_its_server_closes_it(monkeypatch):
    monkeypatch.setattr("providers.transport._KEEP_ALIVE_S", 0.1)
    server = RawServer([WHOLE, WHOLE])

    async def work(engine):
        await get(engine, server)
        await asyncio.sleep(0.3)
        assert not any(engine._idle.values())
        return await get(engine, server)

    assert run(server, work) == b"hi"
    assert server.connections == 2


def test_what_is_said_unasked_ends_a_kept_connection():
    server = RawServer([WHOLE + PAUSE + WHOLE, WHOLE], pause_s=0.05)

    async def work(engine):
        await get(engine, server)
        (kept,) = (each for idle in engine._idle.values() for each in idle)
        while kept.can_be_asked():
            await asyncio.sleep(0.005)
        return await get(engine, server)

    assert run(server, work) == b"hi"
    assert server.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"content-length: 3\r\nconnection: close\r\n\r\nhi",
        CHUNKED + b"2\r\nhi\r\n\r\nconnection: close",
        OK + b"content-le\r\nconnection: close",
    ],
)
def test_answer_that_ends_too_early_is_a_failure(answer):
    assert failure_of(answer).kind in {FailureKind.UNAVAILABLE, FailureKind.BAD_RESPONSE}


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"x: " + b"y" * 100_000 + b"\r\n\r\n",
        OK + b"x: y\r\n" * 20_000 + b"\r\n",
        b"HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n" * 5_000,
        CHUNKED + b"0\r\n" + b"x: y\r\n" * 20_000,
        OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\nhi",
        OK + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\nhi",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        OK + b"bad header: x\r\n\r\n",
        CHUNKED + b"zz\r\nhi\r\n0\r\n\r\n",
    ],
)
def test_what_is_too_much_or_no_http_is_a_bad_response(answer):
    assert failure_of(answer).code == "provider_bad_response"


def packed(body: bytes, coding: bytes = b"gzip") -> bytes:
    return OK + b"content-encoding: %b\r\ncontent-length: %d\r\n\r\n" % (coding, len(body)) + body


@pytest.mark.parametrize("coding", [b"gzip", b"GZip", b"x-gzip"])
def test_gzip_is_undone(coding):
    text = b"hello " * 100_000
    assert ask(packed(gzip.compress(text, mtime=0), coding))[0] == [text]


@pytest.mark.parametrize("size", [1, 7, 1000, 1_000_000])
@pytest.mark.parametrize(
    "members", [[b"hello ", b"you"], [b"", b"hello", b"", b""], [b"x" * 300_000] * 3, [b"y"] * 1000]
)
@pytest.mark.parametrize("padding", [b"", b"\0" * 20])
def test_gzip_may_have_several_members(members, padding, size):
    body = b"".join(gzip.compress(member, mtime=0) for member in members) + padding
    unpacker, told = Unpacker(), b""
    for start in range(0, len(body), size):
        unpacker.feed(body[start : start + size])
        while data := unpacker.take():
            told += data
    unpacker.finish()
    assert told == b"".join(members)


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (gzip.compress(b"hello", mtime=0)[:-5], b"gzip"),
        (gzip.compress(b"hello", mtime=0) * 2 + gzip.compress(b"you", mtime=0)[:-3], b"gzip"),
        (gzip.compress(b"hello", mtime=0) + zlib.compress(b"you"), b"gzip"),
        (gzip.compress(b"", mtime=0) * 20_000, b"gzip"),
        (zlib.compress(b"hello") + gzip.compress(b"you", mtime=0), b"deflate"),
        (gzip.compress(b"hello", mtime=0) + b"more", b"gzip"),
        (b"hello", b"gzip"),
        (b"hello", b"br"),
        (b"hello", b"gzip, gzip"),
    ],
)
def test_what_is_badly_packed_or_was_not_asked_for_is_a_bad_response(body, coding):
    assert failure_of(packed(body, coding)).code == "provider_bad_response"


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\ny", "ä", "a\r"])
def test_header_that_would_change_the_request_is_not_sent(value):
    server = RawServer([WHOLE])

    async def work(engine):
        with pytest.raises(UpstreamFailure) as caught:
            await get(engine, server, {"x": value})
        return caught.value.code

    assert run(server, work) == "provider_bad_response"
    assert server.requests == []


def test_answer_that_nobody_takes_is_not_read_into_memory():
    body = b"x" * 20_000_000
    server = RawServer([OK + b"content-length: %d\r\n\r\n" % len(body) + body])

    async def work(engine):
        response = await engine.open(UpstreamRequest(f"http://127.0.0.1:{server.port}/", {}, b""), PATIENT)
        await asyncio.sleep(0.1)
        held = response._held_bytes
        size = len(await response.read(1 << 30))
        await response.close()
        return held, size

    held, size = run(server, work)
    assert held < 1_000_000
    assert size == len(body)


def test_silence_of_an_answer_that_nobody_takes_is_not_the_providers():
    body = b"x" * 20_000_000
    server = RawServer([OK + b"content-length: %d\r\n\r\n" % len(body) + body])
    # Longer than a busy machine stands still while the answer is read.
    hasty = replace(PATIENT, idle_s=1.0)

    async def work(engine):
        response = await engine.open(UpstreamRequest(f"http://127.0.0.1:{server.port}/", {}, b""), hasty)
        await asyncio.sleep(1.5)
        size = len(await response.read(1 << 30))
        await response.close()
        return size

    assert run(server, work) == len(body)


def test_second_address_is_tried_where_the_first_does_not_answer():
    server = RawServer([WHOLE])

    async def main() -> bytes:
        async with serving(server):
            policy = OutboundPolicy(frozenset({"127.0.0.0/8"}))

            async def look_up(host: str, port: int) -> list[str]:
                return ["127.0.0.2", "10.0.0.1", "127.0.0.1"]

            engine = HttpEngine(policy, look_up=look_up)
            request = UpstreamRequest(f"http://provider.example:{server.port}/", {}, b"")
            response = await engine.open(request, PATIENT)
            body = await response.read(100)
            await response.close()
            await engine.close()
            return body

    assert asyncio.run(main()) == b"hi"


def test_name_that_leads_elsewhere_later_is_checked_again(monkeypatch):
    monkeypatch.setattr("providers.transport._NAMES_KEPT_S", 0.0)
    answers = [["127.0.0.1"], ["10.0.0.1"]]

    async def look_up(host: str, port: int) -> list[str]:
        return answers.pop(0)

    server = RawServer([OK + b"content-length: 2\r\nconnection: close\r\n\r\nhi", WHOLE])

    async def main() -> str:
        async with serving(server):
            engine = HttpEngine(OutboundPolicy(frozenset({"127.0.0.1"})), look_up=look_up)
            request = UpstreamRequest(f"http://provider.example:{server.port}/", {}, b"")
            await (await engine.open(request, PATIENT)).close()
            with pytest.raises(UpstreamFailure) as caught:
                await engine.open(request, PATIENT)
            await engine.close()
            return caught.value.code

    assert asyncio.run(main()) == "provider_address_forbidden"


def test_what_is_taken_of_a_stream_that_pours_in_leaves_others_their_turn():
    """All of it is there at once, and comes in pieces between which the loop turns."""
    body = bytes(range(256)) * 800
    server = RawServer([OK + b"content-length: %d\r\n\r\n" % len(body) + body])

    async def work(engine):
        response = await engine.open(UpstreamRequest(f"http://127.0.0.1:{server.port}/", {}, b""), PATIENT)
        while not response.is_complete:
            await asyncio.sleep(0.01)
        turns, pieces = [], []
        loop = asyncio.get_running_loop()
        async for piece in response.chunks():
            pieces.append(piece)
            loop.call_soon(turns.append, len(pieces))
            if len(pieces) == 4:
                break
        pieces.append(await response.read(1 << 20))
        await response.close()
        return pieces, turns

    pieces, turns = run(server, work)
    assert b"".join(pieces) == body
    assert max(len(piece) for piece in pieces[:4]) < len(body) / 4
    assert turns[:3] == [1, 2, 3]
