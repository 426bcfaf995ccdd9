"""A provider on a real socket that speaks any wire format, and whose faults are scripted in each.

The path of its address begins with the format, and a model's name with the fault: `/openai/v1`, `rst-mid.17`. It keeps
nothing between two calls, so as many as a test likes may be made at once; `asked` counts them by the model's name.
What goes wrong after the first text does so once its client has read that: a test puts the model's name into `heard`.
"""

import asyncio
import gzip
import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from providers.formats.base import AnswerFacts, Format
from providers.formats.registry import FORMATS
from tests.patience import HANG_S
from tests.upstream.speaking import EVENTS

JSON, EVENT_STREAM, HTML = "application/json", "text/event-stream", "text/html"
WAITS_S = 7
"""What it asks to wait, where it says that."""
SECRET = "s3cret-of-the-operator"
PRIVATE_FIELDS = (
    "set-cookie: session=of-the-provider",
    "server: vendor/1.0",
    "keep-alive: timeout=5",
    "proxy-authenticate: Basic",
    "www-authenticate: Bearer",
    "openai-organization: the-operators",
    "x-request-id: theirs",
    "x-ratelimit-remaining-requests: 7",
    "access-control-allow-origin: *",
    "via: 1.1 10.1.2.3",
)
ENDLESS_BYTES = 64 << 20
_MESSAGE = f"No, not with {SECRET}, said 10.1.2.3."
_BLOCK = b" " * (1 << 16)


@dataclass
class Wire:
    """One request's way back, and what a good answer to it were."""

    wire_format: Format
    is_streamed: bool
    writer: asyncio.StreamWriter
    has_heard: Callable[[], bool] = lambda: True

    @cached_property
    def events(self) -> list[bytes]:
        """Of the whole stream."""
        return good_events(self.wire_format.name)

    @property
    def first_text(self) -> int:
        """Which of them brings the first text."""
        return next(place for place, event in enumerate(self.events) if b"Hello" in event)

    @property
    def first_end(self) -> int:
        """Which of them comes after the last text."""
        later = range(self.first_text + 1, len(self.events))
        return next(place for place in later if b'" there."' not in self.events[place])

    @cached_property
    def whole(self) -> bytes:
        return json.dumps(self.wire_format.write_answer(EVENTS, _facts())).encode()

    def error(self, status: int, code: str | None, kind: str = "invalid_request") -> bytes:
        error = {"status": status, "message": _MESSAGE, "type": kind, "code": code, "param": None}
        return json.dumps(self.wire_format.error_body(error, "")).encode()

    def head(self, status: int, *fields: str) -> None:
        lines = (f"HTTP/1.1 {status} Said", "connection: close", *fields, "", "")
        self.writer.write("\r\n".join(lines).encode())

    async def answer(self, status: int, body: bytes, kind: str = JSON, *fields: str) -> None:
        self.head(status, f"content-type: {kind}", f"content-length: {len(body)}", *fields)
        self.writer.write(body)
        await self.writer.drain()

    async def open(self) -> None:
        self.head(200, f"content-type: {EVENT_STREAM}", "transfer-encoding: chunked")
        await self.writer.drain()

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await self.writer.drain()

    async def end(self) -> None:
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    async def stream(self, *pieces: bytes) -> None:
        """All of a body."""
        await self.open()
        await self.send(*pieces)
        await self.end()

    async def begin(self) -> None:
        """A stream as far as its first text, until the client has that."""
        await self.open()
        await self.send(*self.events[: self.first_text + 1])
        while not self.has_heard():
            await asyncio.sleep(0.002)

    def reset(self) -> None:
        wire = self.writer.get_extra_info("socket")
        wire.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER: what closes now is a reset
        self.writer.transport.abort()


Act = Callable[[Wire], Awaitable[None]]
ACTS: dict[str, Act] = {}


def act(name: str) -> Callable[[Act], Act]:
    def register(function: Act) -> Act:
        ACTS[name] = function
        return function

    return register


@lru_cache(maxsize=8)
def good_events(name: str) -> list[bytes]:
    writer = FORMATS[name].writer(_facts())
    said = b"".join(writer.write([event]) for event in EVENTS) + writer.finish()
    return [event + b"\n\n" for event in said.replace(b"\r\n", b"\n").split(b"\n\n") if event]


def _facts() -> AnswerFacts:
    return AnswerFacts("upstream-1", 1_780_000_000, "upstream")


@act("ok")
async def serve(wire: Wire) -> None:
    await (wire.stream(*wire.events) if wire.is_streamed else wire.answer(200, wire.whole))


@act("leaky-headers")
async def tell_of_its_own(wire: Wire) -> None:
    """What is meant for the next hop only, and what clients must not hear of whoever answers."""
    if wire.is_streamed:
        wire.head(200, f"content-type: {EVENT_STREAM}", "transfer-encoding: chunked", *PRIVATE_FIELDS)
        await wire.send(*wire.events)
        await wire.end()
    else:
        await wire.answer(200, wire.whole, JSON, *PRIVATE_FIELDS)


@act("slow-body")
async def take_its_time(wire: Wire) -> None:
    """What it says comes in many small pieces."""
    if wire.is_streamed:
        await wire.stream(*wire.events)
        return
    wire.head(200, f"content-type: {JSON}", f"content-length: {len(wire.whole)}")
    for start in range(0, len(wire.whole), 64):
        wire.writer.write(wire.whole[start : start + 64])
        await wire.writer.drain()
        await asyncio.sleep(0.002)


def _saying(name: str, text: bytes) -> None:
    """In place of `there`, byte by byte where it is streamed."""

    async def say(wire: Wire) -> None:
        if wire.is_streamed:
            said = b"".join(wire.events).replace(b"there", text)
            await wire.stream(*[bytes([byte]) for byte in said])
        else:
            await wire.answer(200, wire.whole.replace(b"there", text))

    ACTS[name] = say


_saying("split-text", "thére ☃".encode())
_saying("no-utf8", b"the\xffre")
_saying("surrogate", rb"the\ud800re")
_saying("nul", rb"the\u0000re")


# What it says was used

_LEFT_OUT = object()


def _using(name: str, change: Callable[[Any], Any]) -> None:
    """Wherever its format tells that."""

    async def tell(wire: Wire) -> None:
        field_name = wire.wire_format.usage_name
        if wire.is_streamed:
            wire.events = [_changed_event(event, field_name, change) for event in wire.events]
            await wire.begin()
            await wire.send(*_rest(wire))
            await wire.end()
        else:
            await wire.answer(200, json.dumps(_changed(json.loads(wire.whole), field_name, change)).encode())

    ACTS[name] = tell


def _changed_event(event: bytes, name: str, change: Callable[[Any], Any]) -> bytes:
    head, mark, data = event.partition(b"data: {")
    if not mark:
        return event
    changed = _changed(json.loads(b"{" + data), name, change)
    return head + b"data: " + json.dumps(changed).encode() + b"\n\n"


def _changed(value: Any, name: str, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, list):
        return [_changed(each, name, change) for each in value]
    if not isinstance(value, dict):
        return value
    found = {
        key: change(each) if key == name else _changed(each, name, change) for key, each in value.items()
    }
    return {key: each for key, each in found.items() if each is not _LEFT_OUT}


def _counting(count: object) -> Callable[[Any], Any]:
    """Each of its counts is that."""

    def change(usage: Any) -> Any:
        if isinstance(usage, dict):
            return {key: change(each) for key, each in usage.items()}
        return count if isinstance(usage, int) else usage

    return change


_using("usage-missing", lambda _: _LEFT_OUT)
_using("usage-null", lambda _: None)
_using("usage-list", lambda _: [7])
_using("usage-zero", _counting(0))
_using("usage-negative", _counting(-7))
_using("usage-huge", _counting(10**15))
_using("usage-text", _counting("many"))


# The connection


@act("rst-before")
async def reset_at_once(wire: Wire) -> None:
    wire.reset()


@act("eof-before")
async def close_at_once(wire: Wire) -> None:
    """Nothing is said."""


@act("hang")
async def say_nothing(wire: Wire) -> None:
    await asyncio.sleep(HANG_S)


@act("no-http")
async def speak_another_protocol(wire: Wire) -> None:
    wire.writer.write(b"SSH-2.0-OpenSSH_9.9\r\n")


# Whole answers, whatever was asked for


def _body(name: str, status: int, body: bytes, kind: str = JSON, *fields: str) -> None:
    async def answer(wire: Wire) -> None:
        await wire.answer(status, body, kind, *fields)

    ACTS[name] = answer


_body("html-200", 200, b"<html><body>Sign in</body></html>", HTML)
_body("empty-200", 200, b"")
_body("null-200", 200, b"null")
_body("list-200", 200, b"[]")
_body("object-200", 200, b"{}")
_body("text-200", 200, b"upstream connect error")
_body("deep-200", 200, b"[" * 100_000 + b"]" * 100_000)
_body("no-utf8-200", 200, b'{"id": "\xff\xfe"')
_body("204", 204, b"")
_body("redirect", 302, b"", "text/plain", "location: http://127.0.0.1:9/elsewhere")
_body("redirect-loop", 307, b"", "text/plain", "location: ")
_body("html-503", 503, b"<html><h1>503</h1></html>", HTML)


@act("error-200")
async def report_an_error_as_success(wire: Wire) -> None:
    await wire.answer(200, wire.error(500, None, "server_error"))


def _answering(name: str, value: object) -> None:
    """What its format lists answers in is that."""

    async def answer(wire: Wire) -> None:
        given = json.loads(wire.whole)
        (listed,) = {"choices", "content", "output", "candidates"} & given.keys()
        await wire.answer(200, json.dumps({**given, listed: value}).encode())

    ACTS[name] = answer


_answering("null-answers", None)
_answering("text-answers", "Hello there.")
_answering("odd-answers", [7])


@act("cut-body")
async def promise_more_than_comes(wire: Wire) -> None:
    wire.head(200, f"content-type: {JSON}", f"content-length: {len(wire.whole) + 100}")
    wire.writer.write(wire.whole)


@act("rst-body")
async def reset_in_the_body(wire: Wire) -> None:
    wire.head(200, f"content-type: {JSON}", f"content-length: {len(wire.whole)}")
    wire.writer.write(wire.whole[:-9])
    await wire.writer.drain()
    await asyncio.sleep(0.02)
    wire.reset()


@act("bad-chunk")
async def send_no_chunk(wire: Wire) -> None:
    wire.head(
        200, f"content-type: {EVENT_STREAM if wire.is_streamed else JSON}", "transfer-encoding: chunked"
    )
    wire.writer.write(b"no chunk at all\r\n")


@act("no-gzip")
async def claim_gzip(wire: Wire) -> None:
    await wire.answer(200, wire.whole, JSON, "content-encoding: gzip")


@act("gzip-bomb")
async def send_bomb(wire: Wire) -> None:
    await wire.answer(200, bomb(), JSON, "content-encoding: gzip")


@lru_cache(maxsize=1)
def bomb() -> bytes:
    return gzip.compress(bytes(ENDLESS_BYTES))


@act("huge-body")
async def send_huge_body(wire: Wire) -> None:
    wire.head(200, f"content-type: {JSON}", f"content-length: {ENDLESS_BYTES}")
    for _ in range(ENDLESS_BYTES // len(_BLOCK)):
        wire.writer.write(_BLOCK)
        await wire.writer.drain()


# Refusals


def _refusal(status: int, code: str | None = None, name: str = "", *fields: str) -> None:
    async def refuse(wire: Wire) -> None:
        await wire.answer(status, wire.error(status, code), JSON, *fields)

    ACTS[name or str(status)] = refuse


for _status in (400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 529):
    _refusal(_status)
_refusal(429, None, "429-waits", f"retry-after: {WAITS_S}")
_refusal(429, None, "429-garbage", "retry-after: soon")
_refusal(429, None, "429-before", "retry-after: -7")
_refusal(429, None, "429-insane", "retry-after: 99999999999")
_refusal(400, "context_length_exceeded", "context-length")


@act("429-quota")
async def tell_that_the_quota_is_used_up(wire: Wire) -> None:
    error = json.loads(wire.error(429, "insufficient_quota"))
    if wire.wire_format.name == "gemini":
        # It says `quota` of every limit, and only of this one that it counts by the day.
        error["error"]["details"].append(
            {
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}],
            }
        )
    await wire.answer(429, json.dumps(error).encode())


# Streams


def _stream(
    name: str, change: Callable[[Wire], list[bytes]], *, then: str = "end", has_begun: bool = False
) -> None:
    """`has_begun`: after the first text."""

    async def send(wire: Wire) -> None:
        await (wire.begin() if has_begun else wire.open())
        await wire.send(*change(wire))
        if then == "end":
            await wire.end()
        elif then == "reset":
            await asyncio.sleep(0.02)
            wire.reset()
        elif then == "hang":
            await asyncio.sleep(HANG_S)

    ACTS[name] = send


BROKEN = b'data: {"broken": [\n\n'


def _rest(wire: Wire) -> list[bytes]:
    """What comes after the first text."""
    return wire.events[wire.first_text + 1 :]


def _nothing(_: Wire) -> list[bytes]:
    return []


def _error_event(wire: Wire) -> bytes:
    error = {
        "status": 500,
        "message": _MESSAGE,
        "type": "server_error",
        "code": "server_error",
        "param": None,
    }
    return wire.wire_format.writer(_facts()).fail(error)


_stream("rst-first", _nothing, then="reset")
_stream("eof-first", _nothing, then="close")
_stream("empty-stream", _nothing)
_stream("rst-opened", lambda wire: wire.events[: wire.first_text], then="reset")
_stream("error-first", lambda wire: [_error_event(wire)])
_stream("garbage", lambda wire: [b"\x00\xff\xfe no event at all\r\n"] * 20)
_stream("only-comments", lambda wire: [b": here\n\n"] * 20)
_stream("stall-first", _nothing, then="hang")
_stream("rst-mid", _nothing, then="reset", has_begun=True)
_stream("eof-mid", _nothing, then="close", has_begun=True)
_stream("error-mid", lambda wire: [_error_event(wire)], has_begun=True)
_stream("no-finish", lambda wire: wire.events[wire.first_text + 1 : wire.first_end], has_begun=True)
_stream("two-broken", lambda wire: [BROKEN, BROKEN, *_rest(wire)], has_begun=True)
_stream("one-broken", lambda wire: [BROKEN, *_rest(wire)], has_begun=True)
_stream("stall-mid", _nothing, then="hang", has_begun=True)
_stream("dup-finish", lambda wire: [*wire.events, *wire.events[wire.first_end :]])
_stream("after-end", lambda wire: [*wire.events, b"data: [DONE]\n\n", BROKEN])
_stream("rst-after-end", lambda wire: wire.events, then="reset")
_stream("eof-after-end", lambda wire: wire.events, then="close")
_stream("hang-after-end", lambda wire: wire.events, then="hang")
_stream("one-byte", lambda wire: [bytes([byte]) for event in wire.events for byte in event])
_stream("crlf", lambda wire: [event.replace(b"\n", b"\r\n") for event in wire.events])
_stream("cr", lambda wire: [event.replace(b"\n", b"\r") for event in wire.events])
_stream("bom", lambda wire: [b"\xef\xbb\xbf", *wire.events])
_stream("comments", lambda wire: [b": here\n\n" + event for event in wire.events])
_stream(
    "data-in-lines", lambda wire: [each.replace(b'data: {"', b'data: {\ndata: "') for each in wire.events]
)


@act("bad-chunk-mid")
async def send_no_further_chunk(wire: Wire) -> None:
    await wire.begin()
    wire.writer.write(b"no chunk at all\r\n")


@act("no-last")
async def leave_out_what_comes_last(wire: Wire) -> None:
    """Of chat and Messages, whose finish was told before."""
    await wire.stream(*wire.events[:-1])


@act("endless-line")
async def send_endless_line(wire: Wire) -> None:
    await wire.open()
    await wire.send(b"data: ", *[_BLOCK] * (ENDLESS_BYTES // len(_BLOCK)))


@act("never-ending")
async def never_end(wire: Wire) -> None:
    """The same piece of text, again and again."""
    await wire.begin()
    piece = wire.events[wire.first_text] * 100
    while True:
        await wire.send(piece)


@act("keepalive-only")
async def send_signs_of_life(wire: Wire) -> None:
    await wire.open()
    while True:
        await wire.send(b": here\n\n")
        await asyncio.sleep(0.05)


@dataclass
class FaultyProvider:
    """`closed_port` is one at which nobody listens."""

    port: int = 0
    closed_port: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    heard: set[str] = field(default_factory=set)

    def base_url(self, wire_format: str, *, is_closed: bool = False) -> str:
        return f"http://127.0.0.1:{self.closed_port if is_closed else self.port}/{wire_format}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            path, body = await _read(reader)
            name = body.get("model") or path.rpartition("/")[2].partition(":")[0]
            self.asked[name] += 1
            is_streamed = bool(body.get("stream")) or "streamGenerate" in path
            spoken = FORMATS[path.split("/")[1]]
            wire = Wire(spoken, is_streamed, writer, has_heard=lambda: name in self.heard)
            leaving = asyncio.ensure_future(reader.read())
            acting = asyncio.ensure_future(ACTS[name.partition(".")[0]](wire))
            await asyncio.wait({leaving, acting}, return_when=asyncio.FIRST_COMPLETED)
            for each in (leaving, acting):
                each.cancel()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            with suppress(ConnectionError):
                writer.close()


async def _read(reader: asyncio.StreamReader) -> tuple[str, dict[str, Any]]:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in lines if line)
    return first.split()[1], json.loads(await reader.readexactly(int(fields["content-length"])))


@contextmanager
def faulty_provider() -> Iterator[FaultyProvider]:
    provider, ready, stopped = FaultyProvider(), threading.Event(), asyncio.Event()

    async def run() -> None:
        server = await asyncio.start_server(provider.serve, "127.0.0.1", 0, backlog=256, limit=1 << 22)
        provider.port = server.sockets[0].getsockname()[1]
        loops.append(asyncio.get_running_loop())
        ready.set()
        await stopped.wait()
        server.close()

    nobody = socket.socket()
    # Bound, and deaf: nobody else comes to listen there meanwhile.
    nobody.bind(("127.0.0.1", 0))
    provider.closed_port = nobody.getsockname()[1]
    loops: list[asyncio.AbstractEventLoop] = []
    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert ready.wait(HANG_S)
    try:
        yield provider
    finally:
        loops[0].call_soon_threadsafe(stopped.set)
        thread.join(HANG_S)
        nobody.close()
