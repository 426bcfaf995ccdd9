"""The client's connection: where an answer or an error ends up, over ASGI."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any

import orjson

from gateway.proxy.errors import BodyTooLarge, GatewayError
from gateway.proxy.exchange import ClientGone, ResponseHead
from gateway.proxy.observers import CallRecord
from gateway.proxy.response_headers import Headers

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_EVENT_STREAM = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
_JSON = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


_EVENT_ENDS = (b"\n\n", b"\r\n\r\n")
_MOST_TOLD_BYTES = 2048
_NOT_IN_HEADERS = re.compile(rb"[^ -~]")


class ClientConnection:
    """One request's way back, of which `record` tells observers. `headers` are those that its answer has in any case.

    `has_begun` and `has_ended` tell how far the answer is. `writing_since` is the monotonic time since when a write
    waits for the client, None while none does: whoever watches many connections ends those that wait for too long,
    and lets those `beat` that were quiet for too long.
    """

    has_begun = False
    has_ended = False
    writing_since: float | None = None
    _is_whole = False
    _sent_at = 0.0
    _sent = b""
    _late: str | None = None
    """What goes into the event that ends the answer."""
    headers_of: Mapping[tuple[str, str], Headers] = {}
    """What else is told by who answers: the slug of a provider and the id of a model."""

    def __init__(
        self,
        send: Send,
        headers: Headers,
        record: CallRecord,
        *,
        first_byte: Callable[[CallRecord], None],
        write_timeout_s: float,
    ) -> None:
        """`first_byte` is told when the answer begins."""
        self.headers = headers
        self.record = record
        self._send = send
        self._first_byte = first_byte
        self._write_timeout_s = write_timeout_s

    async def begin(self, head: ResponseHead) -> None:
        if self.has_begun:
            await self._tell_late(head)
            return
        record, length = self.record, head.length
        self._is_whole = length is not None
        told = _usual(
            head.content_type, self._is_whole, head.provider, head.model, head.attempts, record.lane
        )
        headers = [*self.headers, *told]
        if self.headers_of:
            headers += self.headers_of.get((head.provider, head.model), ())
        if length is not None:
            headers.append((b"content-length", b"%d" % length))
        if head.cost_usd is not None:
            headers.append((b"x-gateway-cost", head.cost_usd.encode()))
        if head.translated is not None:
            headers.append((b"x-gateway-translated", _as_list(head.translated)))
        if head.fell_back:
            headers.append((b"x-gateway-fallback-on", head.fell_back.encode()))
        self.has_begun = True
        record.head, record.status = head, 200
        self._first_byte(record)
        await self._write({"type": "http.response.start", "status": 200, "headers": headers})

    async def open(self) -> None:
        """Begin a stream before anything is known of its answer: status, headers and a sign of life."""
        if self.has_begun or self.has_ended or self.record.status is not None:
            return
        self.has_begun = True
        self.record.status = 200
        headers = [*self.headers, *_EVENT_STREAM, (b"x-gateway-lane", self.record.lane.encode())]
        await self._write({"type": "http.response.start", "status": 200, "headers": headers})
        self._sent = _EVENT_ENDS[0]
        await self._write_heartbeat()

    async def _tell_late(self, head: ResponseHead) -> None:
        """Of a stream that was opened before its answer began: at its end, where the format has a place; else here."""
        self.record.head = head
        self._first_byte(self.record)
        told = [
            (b"x-gateway-provider", head.provider.encode()),
            (b"x-gateway-model", head.model.encode()),
            (b"x-gateway-attempts", str(head.attempts).encode()),
        ]
        told += self.headers_of.get((head.provider, head.model), ())
        if head.translated is not None:
            told.append((b"x-gateway-translated", _as_list(head.translated)))
        if head.fell_back:
            told.append((b"x-gateway-fallback-on", head.fell_back.encode()))
        if self.record.surface.wire_format.end_marks:
            self._late = "; ".join(f"{name.decode()}: {value.decode()}" for name, value in told)
            return
        comment = b"".join(b": %b: %b\n" % each for each in told)
        await self._write({"type": "http.response.body", "body": comment + b"\n", "more_body": True})

    async def send(self, data: bytes, *, is_last: bool = False) -> None:
        self.has_ended = is_last
        if self._late is not None:
            data = self._with_late(data, self._late)
        self._sent = data or self._sent
        await self._write({"type": "http.response.body", "body": data, "more_body": not is_last})

    def _with_late(self, data: bytes, told: str) -> bytes:
        own = self.record.surface.wire_format
        changed = _in_last_event(data, own.end_marks, own.tell_late, told)
        self._late = told if changed is None else None
        return data if changed is None else changed

    def is_quiet(self, now: float, quiet_s: float) -> bool:
        """A stream of which nothing was sent for so long, and nothing of an event is half out."""
        return (
            self.has_begun
            and not (self.has_ended or self._is_whole)
            and self.writing_since is None
            and now - self._sent_at > quiet_s
            and self._sent.endswith(_EVENT_ENDS)
        )

    async def beat(self, quiet_s: float) -> None:
        """Keep what stands between us and the client from taking a quiet stream for a dead one."""
        # A task begins later than it is made, and the stream may have gone on meanwhile.
        if self.is_quiet(time.monotonic(), quiet_s):
            await self._write_heartbeat()

    async def _write_heartbeat(self) -> None:
        beat = self.record.surface.heartbeat
        await self._write({"type": "http.response.body", "body": beat, "more_body": True})

    async def answer(self, body: bytes) -> None:
        """A whole answer of the gateway's own."""
        headers = [*self.headers, *_JSON, (b"content-length", str(len(body)).encode())]
        self.record.status = 200
        await self._write({"type": "http.response.start", "status": 200, "headers": headers})
        await self.send(body, is_last=True)

    async def finish(self) -> None:
        """Safe to repeat."""
        if not self.has_ended:
            await self.send(b"", is_last=True)

    async def fail(self, error: GatewayError, *, attempts: int | None = None) -> None:
        """Answer with the error: in its envelope, or as an event where the stream has begun.

        Raises ClientGone where half of a whole answer is out: only a broken connection is honest then.
        """
        self.record.fail(error.error_code)
        try:
            async with asyncio.timeout(self._write_timeout_s):
                await self._fail(error, attempts)
        except TimeoutError:
            raise ClientGone from None

    async def _fail(self, error: GatewayError, attempts: int | None) -> None:
        surface, lane = self.record.surface, self.record.lane
        if self.has_begun:
            if self._is_whole:
                raise ClientGone
            return await self.send(surface.error_event(error, self._sent), is_last=True)
        body = surface.error_body(error, self.headers[0][1].decode())
        headers = [*self.headers, *_JSON, *error.headers, (b"content-length", str(len(body)).encode())]
        if attempts is not None:
            headers.append((b"x-gateway-attempts", str(attempts).encode()))
        if lane:
            headers.append((b"x-gateway-lane", lane.encode()))
        status = self.record.status = surface.error_status(error)
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        return await self._send({"type": "http.response.body", "body": body})

    async def _write(self, message: Message) -> None:
        self.writing_since = self._sent_at = time.monotonic()
        await self._send(message)
        self.writing_since = None


@lru_cache(maxsize=4096)
def _usual(
    content_type: str, is_whole: bool, provider: str, model: str, attempts: int, lane: str, /
) -> Headers:
    """What an answer is, and where it comes from: the same for many calls."""
    kind = [(b"content-type", content_type.encode()), *_JSON[1:]] if is_whole else _EVENT_STREAM
    return [
        *kind,
        (b"x-gateway-provider", provider.encode()),
        (b"x-gateway-model", model.encode()),
        (b"x-gateway-attempts", str(attempts).encode()),
        (b"x-gateway-lane", lane.encode()),
    ]


def _as_list(lines: Sequence[str]) -> bytes:
    """One header of many lines, without what would end it or look like another line of it; then how many more."""
    texts = [line.replace(",", "").encode("ascii", "backslashreplace") for line in lines]
    told = b", ".join(texts)
    if len(told) > _MOST_TOLD_BYTES:
        room = _MOST_TOLD_BYTES - len(b"and %d more" % len(texts))
        ends = accumulate(len(text) + len(b", ") for text in texts)
        kept = sum(end <= room for end in ends)
        told = b", ".join([*texts[:kept], b"and %d more" % (len(texts) - kept)])
    return _NOT_IN_HEADERS.sub(b"?", told)


async def read_body(receive: Receive, limit_bytes: int) -> bytes:
    """The whole body. Raises BodyTooLarge as soon as it is, and ClientGone."""
    parts, size = [], 0
    while True:
        message = await receive()
        if part := message.get("body"):
            size += len(part)
            if size > limit_bytes:
                raise BodyTooLarge(f"The body is larger than {limit_bytes} bytes, the limit.", param="body")
            parts.append(part)
        elif message["type"] == "http.disconnect":
            raise ClientGone
        if not message.get("more_body"):
            return b"".join(parts)


def _in_last_event(
    data: bytes, marks: Collection[bytes], place: Callable[[MutableMapping[str, Any], str], None], told: str
) -> bytes | None:
    """The events with `told`, put by `place` into the last one that holds a mark; None where none does."""
    lines = data.split(b"\n")
    for number in range(len(lines) - 1, -1, -1):
        line = lines[number]
        if line.startswith(b"data:") and any(mark in line for mark in marks):
            value = orjson.loads(line.removeprefix(b"data:"))
            place(value, told)
            lines[number] = b"data: %b%b" % (orjson.dumps(value), b"\r" if line.endswith(b"\r") else b"")
            return b"\n".join(lines)
    return None
