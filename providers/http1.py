"""One HTTP/1.1 connection to a provider: a request out, its answer in as it comes, bounded and watched."""

import asyncio
import select
import time
from collections.abc import Callable
from typing import cast

import httptools

from gateway.core.batched_writes import BatchingTransport
from providers.engine import Timeouts
from providers.wire.failure import BrokenOff, FailureKind, UpstreamFailure

# What a server may send beside the body at a stretch: the head, or what frames the chunks.
_FRAMING_LIMIT_BYTES = 64 * 1024
_HELD_BYTES = 256 * 1024
_NOT_HTTP = (httptools.HttpParserError, httptools.HttpParserUpgrade)


class Reply:
    """The answer to one request, as far as it has come. `headers` have lower-case names."""

    __slots__ = (
        "_ends_at",
        "_failure",
        "_first_byte_s",
        "_heard_at",
        "_held_bytes",
        "_idle_s",
        "_loop",
        "_parts",
        "_waiter",
        "has_head",
        "headers",
        "is_complete",
        "is_held",
        "resume",
        "status",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, timeouts: Timeouts, resume: Callable[[], None]
    ) -> None:
        """`resume` is called once what was held is taken."""
        now = time.monotonic()
        self.status = 0
        self.headers: dict[str, str] = {}
        self.has_head = False
        self.is_complete = False
        self.is_held = False
        """So much waits to be taken that nothing more is read; silence is then not the provider's."""
        self.resume = resume
        self._loop = loop
        self._first_byte_s = timeouts.first_byte_s
        self._idle_s = timeouts.idle_s
        self._ends_at = now + timeouts.total_s
        self._heard_at = now
        self._parts: list[bytes] = []
        self._held_bytes = 0
        self._failure: UpstreamFailure | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def wait_for_head(self) -> None:
        """Raises UpstreamFailure."""
        while not self.has_head:
            await self._wait()

    async def take(self) -> bytes:
        """What has come of the body, b"" at its end. Raises UpstreamFailure."""
        while not self._parts:
            if self.is_complete:
                return b""
            await self._wait()
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        self._held_bytes = 0
        if self.is_held:
            self.is_held = False
            self._heard_at = time.monotonic()
            self.resume()
        return data

    def begin(self, status: int) -> None:
        self.status, self.has_head = status, True
        self._heard_at = time.monotonic()
        self._wake()

    def add(self, data: bytes) -> bool:
        """True once as much waits as may: nothing more is to be read until it is taken."""
        self._parts.append(data)
        self._held_bytes += len(data)
        self._heard_at = time.monotonic()
        if self._waiter:
            self._wake()
        if self._held_bytes <= _HELD_BYTES or self.is_held:
            return False
        self.is_held = True
        return True

    def complete(self) -> None:
        self.is_complete = True
        if self._waiter:
            self._wake()

    def fail(self, failure: UpstreamFailure) -> None:
        """Too late where all has come, or has failed already."""
        if not self.is_complete and self._failure is None:
            self._failure = failure
            self._wake()

    def sent(self) -> None:
        """The request's last byte has left: from now on the provider is waited for."""
        self._heard_at = time.monotonic()

    def overdue(self, now: float, *, is_sending: bool) -> UpstreamFailure | None:
        """Which limit has run out, if one has."""
        if self.is_complete:
            return None
        if now >= self._ends_at:
            return timed_out("provider_timeout", "The provider's answer took too long.")
        silent_s = now - self._heard_at
        if not self.has_head and not is_sending and silent_s > self._first_byte_s:
            return timed_out("provider_timeout", "The provider did not answer in time.")
        if self.has_head and not self.is_held and silent_s > self._idle_s:
            return timed_out("provider_stalled", "The provider stopped in the middle of its answer.")
        return None

    async def _wait(self) -> None:
        if self._failure:
            raise self._failure
        self._waiter = self._loop.create_future()
        await self._waiter

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter and not waiter.done():
            waiter.set_result(None)


class Connection(asyncio.Protocol):
    """Carries one call at a time. Callbacks of the parser have httptools' names."""

    def __init__(self, lose: Callable[["Connection"], None]) -> None:
        """`lose` is called when the socket is gone."""
        self.idle_since = 0.0
        self._lose = lose
        self._transport: asyncio.Transport | None = None
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
            self._transport.write(request)
        else:
            reply.fail(disconnected())

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def can_be_asked(self) -> bool:
        """Open, and the provider has said nothing too much: that would be taken for the next call's answer."""
        return self.is_open and not self._unread.poll(0)

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

    # The socket's events

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = BatchingTransport(cast("asyncio.Transport", transport), asyncio.get_running_loop())
        # So that a large request counts as sent when all of it is.
        self._transport.set_write_buffer_limits(low=0)
        self._unread.register(transport.get_extra_info("socket"), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        self._framing_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except _NOT_HTTP:
            self._give_up(broken("provider_bad_response", "The provider's answer is not HTTP."))
        if self._reply is None:
            # Said unasked.
            self.abort()
        elif self._framing_bytes > _FRAMING_LIMIT_BYTES:
            self._give_up(broken("provider_bad_response", "The provider's answer has too large a head."))

    def eof_received(self) -> None:
        reply = self._reply
        if reply and reply.has_head and _ends_with_the_connection(reply):
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

    def resume_reading(self) -> None:
        if self._transport:
            self._transport.resume_reading()

    # The parser's

    def on_message_begin(self) -> None:
        if self._reply is None or self._reply.is_complete:
            self._is_reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        # After the head only trailers come, which nobody reads.
        reply = self._reply
        if reply and not reply.has_head:
            reply.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if self._reply is None or self._reply.has_head:
            return
        if status < 200:
            # Said in between, such as 103: the answer follows.
            self._reply.headers.clear()
        else:
            self._reply.begin(status)

    def on_body(self, body: bytes) -> None:
        self._framing_bytes = 0
        reply = self._reply
        if reply is None or reply.is_complete:
            return
        if reply.add(body) and self._transport:
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        if self._reply and self._reply.has_head and not self._reply.is_complete:
            self._is_reusable = self._parser.should_keep_alive()
            self._reply.complete()

    def _give_up(self, failure: UpstreamFailure) -> None:
        self._is_reusable = False
        if self._reply:
            self._reply.fail(failure)
        self.abort()


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
