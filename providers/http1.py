"""One HTTP/1.1 connection to a provider: a request out, its answer in as it comes, bounded and watched."""

import asyncio
import select
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, cast

import httptools

from providers.engine import Timeouts
from providers.wire.failure import BrokenOff, FailureKind, UpstreamFailure

# What a server may send beside the body at a stretch: the head, or what frames the chunks.
_FRAMING_LIMIT_BYTES = 64 * 1024
_HELD_BYTES = 256 * 1024
_NOT_HTTP = (httptools.HttpParserError, httptools.HttpParserUpgrade)


class Server(NamedTuple):
    """Connections to the same server serve each other's calls."""

    host: str
    port: int
    is_tls: bool


class Reply:
    """The answer to one request, as far as it has come. `status` is 0 until its head is there.

    `headers` have lower-case names.
    """

    status = 0
    headers: Mapping[str, str] = {}
    is_complete = False
    is_held = False
    """So much waits to be taken that nothing more is read; silence is then not the provider's."""
    _held_bytes = 0
    _failure: UpstreamFailure | None = None
    _waiter: "asyncio.Future[None] | None" = None

    def __init__(self, connection: "Connection", timeouts: Timeouts) -> None:
        self.connection = connection
        self._timeouts = timeouts
        self._began_at = self._heard_at = time.monotonic()
        self._parts: list[bytes] = []

    async def wait_for_head(self) -> None:
        """Raises UpstreamFailure."""
        while not self.status:
            await self._news()

    async def take(self) -> bytes:
        """What has come of the body, b"" at its end. Raises UpstreamFailure."""
        while not self._parts:
            if self.is_complete:
                return b""
            await self._news()
        data = b"".join(self._parts)
        self._parts.clear()
        self._held_bytes = 0
        if self.is_held:
            self.is_held = False
            self._heard_at = time.monotonic()
            self.connection.resume_reading()
        return data

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        self.status, self.headers = status, headers
        self._heard_at = time.monotonic()
        self.wake()

    def add(self, parts: list[bytes], read_bytes: int) -> None:
        """What a read of so many bytes holds of the body."""
        self._parts += parts
        self._heard_at = time.monotonic()
        if self._waiter:
            self.wake()
        self._held_bytes += read_bytes
        if self._held_bytes > _HELD_BYTES and not self.is_held:
            self.is_held = True
            self.connection.pause_reading()

    def complete(self, parts: Iterable[bytes] = ()) -> None:
        """With the last of the body."""
        self._parts += parts
        self.is_complete = True
        if self._waiter:
            self.wake()

    def fail(self, failure: UpstreamFailure) -> None:
        """Too late where all has come, or has failed already."""
        if not self.is_complete and self._failure is None:
            self._failure = failure
            self.wake()

    def sent(self) -> None:
        """The request's last byte has left: from now on the provider is waited for."""
        self._heard_at = time.monotonic()

    def overdue(self, now: float, *, is_sending: bool) -> UpstreamFailure | None:
        """Which limit has run out, if one has."""
        if self.is_complete:
            return None
        limits = self._timeouts
        if now >= self._began_at + limits.total_s:
            return timed_out("provider_timeout", "The provider's answer took too long.")
        silent_s = now - self._heard_at
        if not self.status and not is_sending and silent_s > limits.first_byte_s:
            return timed_out("provider_timeout", "The provider did not answer in time.")
        if self.status and not self.is_held and silent_s > limits.idle_s:
            return timed_out("provider_stalled", "The provider stopped in the middle of its answer.")
        return None

    def wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter and not waiter.done():
            waiter.set_result(None)

    def _news(self) -> "asyncio.Future[None]":
        if self._failure:
            raise self._failure
        waiter = self._waiter = self.connection.loop.create_future()
        return waiter


class Connection(asyncio.Protocol):
    """To that `server`. Carries one call at a time. Callbacks of the parser have httptools' names.

    Those for a header field and for a piece of a body are builtins, since answers have many of both: what they gather
    is looked at once the head is there, and once for each read.
    """

    def __init__(self, server: Server, lose: Callable[["Connection"], None]) -> None:
        """`lose` is called when the socket is gone."""
        self.server = server
        self.loop = asyncio.get_running_loop()
        self.idle_since = 0.0
        self._lose = lose
        self._transport: asyncio.Transport | None = None
        self._fields: dict[bytes, bytes] = {}
        self._parts: list[bytes] = []
        self.on_header = self._fields.__setitem__
        self.on_body = self._parts.append
        self._parser = httptools.HttpResponseParser(self)
        self._reply: Reply | None = None
        self._is_reusable = False
        self._is_sending = False
        self._framing_bytes = 0
        self._unread = select.poll()

    def ask(self, request: bytes, reply: Reply) -> None:
        self._reply = reply
        self._is_reusable = False
        self._framing_bytes = 0
        if self._transport:
            # Together with what else this turn writes: see gateway.core.batched_writes.
            self.loop.call_soon(self._send, request)
        else:
            reply.fail(disconnected())

    def can_be_asked(self) -> bool:
        """Open, and the provider has said nothing too much: that would be taken for the next call's answer."""
        transport = self._transport
        return transport is not None and not transport.is_closing() and not self._unread.poll(0)

    def release(self) -> bool:
        """The call is over. False: nothing more can be asked here, so the connection is gone."""
        self._reply = None
        if self._is_reusable and self._transport and not self._is_sending:
            return True
        self.abort()
        return False

    def abort(self) -> None:
        if self._transport:
            self._transport.abort()

    def judge(self, now: float) -> None:
        """Give the call up where one of its limits has run out."""
        if self._reply and (failure := self._reply.overdue(now, is_sending=self._is_sending)):
            self._give_up(failure)

    def _send(self, request: bytes) -> None:
        transport = self._transport
        if transport and not transport.is_closing():
            transport.write(request)

    # The socket's events

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        # So that a large request counts as sent when all of it is.
        self._transport.set_write_buffer_limits(low=0)
        self._unread.register(transport.get_extra_info("socket"), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except _NOT_HTTP:
            self._give_up(broken("provider_bad_response", "The provider's answer is not HTTP."))
        reply, parts = self._reply, self._parts
        if reply is None:
            # Said unasked.
            self.abort()
        elif reply.is_complete:
            # What else has come is nobody's.
            parts.clear()
        elif parts:
            self._framing_bytes = 0
            reply.add(parts, len(data))
            parts.clear()
        else:
            self._framing_bytes += len(data)
            if self._framing_bytes > _FRAMING_LIMIT_BYTES:
                self._give_up(broken("provider_bad_response", "The provider's answer has too large a head."))

    def eof_received(self) -> None:
        reply = self._reply
        if reply and reply.status and _ends_with_the_connection(reply):
            reply.complete()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's
        self._transport = None
        self._give_up(disconnected())
        self._lose(self)

    def pause_writing(self) -> None:
        self._is_sending = True

    def resume_writing(self) -> None:
        self._is_sending = False
        if self._reply:
            self._reply.sent()

    def pause_reading(self) -> None:
        if self._transport:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._transport:
            self._transport.resume_reading()

    # The parser's

    def on_message_begin(self) -> None:
        # Trailers of the last one, and what was said in between.
        self._fields.clear()
        if self._reply is None or self._reply.is_complete:
            self._is_reusable = False

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        reply = self._reply
        # What is below 200 is said in between, such as 103: the answer follows.
        if reply and not reply.status and status >= 200:
            reply.begin(status, _read_fields(self._fields))

    def on_message_complete(self) -> None:
        reply = self._reply
        if reply and reply.status and not reply.is_complete:
            self._is_reusable = self._parser.should_keep_alive()
            reply.complete(self._parts)

    def _give_up(self, failure: UpstreamFailure) -> None:
        self._is_reusable = False
        if self._reply:
            self._reply.fail(failure)
        self.abort()


def _read_fields(fields: Mapping[bytes, bytes]) -> Mapping[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in fields.items()}


def _ends_with_the_connection(reply: Reply) -> bool:
    """Neither a length nor chunks say where such a body ends."""
    headers = reply.headers
    return "content-length" not in headers and "chunked" not in headers.get("transfer-encoding", "").lower()


def disconnected() -> UpstreamFailure:
    message = "The provider broke the connection."
    return BrokenOff(FailureKind.UNAVAILABLE, message, code="provider_disconnected")


def unavailable(message: str, code: str) -> UpstreamFailure:
    return UpstreamFailure(FailureKind.UNAVAILABLE, message, code=code)


def timed_out(code: str, message: str) -> UpstreamFailure:
    return BrokenOff(FailureKind.TIMEOUT, message, code=code)


def broken(code: str, message: str) -> UpstreamFailure:
    return UpstreamFailure(FailureKind.BAD_RESPONSE, message, code=code)
