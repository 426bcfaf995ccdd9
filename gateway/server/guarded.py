"""The connection of a client: uvicorn's, with bounds on its head, on its patience and on what it may add later."""

import asyncio
from typing import Any
from urllib.parse import unquote_to_bytes

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.core.batched_writes import BatchingTransport
from gateway.proxy.early import early_bytes
from gateway.proxy.errors import (
    GatewayError,
    HeadTooLarge,
    InvalidRequest,
    RequestTimeout,
    UrlTooLong,
    too_many_connections,
)
from gateway.server.front import inside
from gateway.server.patience import TICK_S, Patience

_URL_BYTES = 16 * 1024
# Between a name and its value, and at a line's end.
_LINE_BYTES = 4
# Of chunks: what is no content may be a few times as much as the content, and some more for trailers.
_FRAMING_BYTES, _FRAMING_EACH = 64 * 1024, 8
# Of a request that is answered already: so long, and so much of it, is heard and thrown away.
_LINGER_TICKS, _REST_BYTES = 10, 32 * 1024 * 1024
_SURPLUS_TICKS = 4

IDLE, HEAD, BODY, ANSWER, ENDING = range(5)
"""What is awaited: a request, the rest of its head, of its body, its answer, or that the client has read it."""


class GuardedProtocol(HttpToolsProtocol):
    """`lose_patience` is called at the tick `due`, which every change of phase sets anew."""

    def __init__(self, *arguments: Any, patience: Patience, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.address = ""
        self.url = b""
        self._patience = patience
        self._limits = patience.limits
        self._phase = IDLE
        self.due = patience.now + patience.idle
        self._is_surplus = False
        self._begun_bytes = self._coming_bytes = 0
        self._body_bytes = self._heard_bytes = 0
        self._heard_at = self._body_since = 0
        self._sent_bytes = -1

    # The transport's events

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(_ClientTransport(transport, self.loop, self))
        self.address = self.client[0] if self.client else ""
        if self._patience.enter(self):
            return
        self._is_surplus = True
        self.due = self._patience.now + _SURPLUS_TICKS
        if not self._patience.may_be_told():
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._patience.leave(self)
        self._phase = ENDING
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        phase, self._coming_bytes = self._phase, len(data)
        if phase >= BODY:
            self._heard_bytes += len(data)
            self._heard_at = self._patience.now
            if phase == ENDING:
                return self._check_rest()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Nothing is upgraded, and this parser reads no further.
            self.cycle.keep_alive = False
        except httptools.HttpParserError as error:
            found = error.__context__
            self.refuse(
                found if isinstance(found, GatewayError) else InvalidRequest("This is not valid HTTP.")
            )
        else:
            if self._phase == HEAD:
                self._check_begun_head(phase)
            elif self._phase == BODY:
                self._check_framing()
        return None

    def shutdown(self) -> None:
        if self._phase in {HEAD, ENDING}:
            self.transport.abort()
        else:
            super().shutdown()

    # The parser's events

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._phase = HEAD
        self._begun_bytes = 0
        if not self._is_surplus:
            self.due = self._patience.now + self._patience.head

    def on_headers_complete(self) -> None:
        self._check_head()
        self._phase = BODY
        self._begin_body()
        super().on_headers_complete()
        # Trailers come here: who has read the head has decided already, so they can say nothing.
        self.headers = []

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self.cycle.response_complete:
            self._await_request()
        else:
            self._phase = ANSWER
            self.due = self._patience.now + self._patience.write

    def on_response_complete(self) -> None:
        """In place of uvicorn's, which sets and cancels a timer for each request."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return self._await_reader()
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._phase == ANSWER:
            self._await_request()
        elif self._phase == BODY:
            # The rest of a body that nobody wants.
            self._begin_body()
            self.due = self._patience.now + _LINGER_TICKS
        return None

    # Patience

    def lose_patience(self) -> None:
        if self._phase == IDLE:
            self.transport.abort()
        elif self._phase == HEAD:
            self.refuse(RequestTimeout(f"The head took longer than {self._limits.head_s:g} s."))
        elif self._phase == BODY:
            self._judge_body()
        else:
            self._judge_reading()

    def refuse(self, error: GatewayError) -> None:
        """Answer in place of whoever would have, and end."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if cycle.response_started or self.pipeline or self._phase == HEAD:
                # Another answer is under way: nothing can be said in between.
                return self.transport.abort()
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.write(early_bytes(self._path(), error, self.server_state.default_headers))
        return self.transport.close()

    @property
    def is_idle(self) -> bool:
        """It has its place, and no request is under way, nor begun."""
        return self._phase == IDLE and not self._is_surplus

    @property
    def is_half_read(self) -> bool:
        """More of a request may come, though nobody waits for it."""
        return self._phase in {HEAD, BODY}

    def linger(self) -> None:
        """Read on for a while without listening: a socket closed on unread bytes takes back what it has sent."""
        self._phase = ENDING
        self._begin_body()
        self.due = self._patience.now + _LINGER_TICKS
        self._sent_bytes = -1
        self.flow.resume_reading()

    def _await_request(self) -> None:
        self._phase = IDLE
        self.due = self._patience.now + self._patience.idle

    def _await_reader(self) -> None:
        """Of the last answer: the socket closes by itself once that is sent."""
        if self._phase == ANSWER:
            self._phase, self._sent_bytes = ENDING, -1
            self.due = self._patience.now + self._patience.write

    def _begin_body(self) -> None:
        self._body_since = self._heard_at = self._patience.now
        self._heard_bytes = self._body_bytes = 0
        self.due = self._body_since + self._patience.body

    def _judge_body(self) -> None:
        now, patience = self._patience.now, self._patience
        if self.cycle.response_complete:
            self.transport.abort()
        elif self.flow.read_paused or self.pipeline:
            # It waits for us, or for the answer of an earlier request.
            self._begin_body()
            self._judge_reading()
        elif now - self._heard_at >= patience.body:
            self.refuse(RequestTimeout(f"The body stood still for {self._limits.body_silence_s:g} s."))
        elif self._heard_bytes < self._least_bytes(now):
            least = self._limits.body_bytes_per_s
            self.refuse(RequestTimeout(f"The body came slower than {least} bytes a second."))
        else:
            self.due = max(now + 1, self._body_since + patience.body)

    def _least_bytes(self, now: int) -> float:
        """Of the body that began to come, by now."""
        asked_s = (now - self._body_since - self._patience.body) * TICK_S
        return self._limits.body_bytes_per_s * asked_s

    def _judge_reading(self) -> None:
        """Of a client that has to take what is written, or has taken all and does not leave."""
        assert isinstance(self.transport, _ClientTransport)  # noqa: S101  (since connection_made)
        sent_bytes, is_ending = self.transport.sent_bytes, self._phase == ENDING
        is_stuck = sent_bytes == self._sent_bytes and (is_ending or self.flow.write_paused)
        if is_stuck or (is_ending and not self.transport.get_write_buffer_size()):
            self.transport.abort()
        self._sent_bytes = sent_bytes
        self.due = self._patience.now + self._patience.write

    # Bounds

    def _check_head(self) -> None:
        """Of a whole head. Raises what the parser passes on."""
        limits, headers = self._limits, self.headers
        if self._is_surplus:
            raise too_many_connections()
        if len(self.url) > _URL_BYTES and len(unquote_to_bytes(self.url)) > _URL_BYTES:
            raise UrlTooLong(f"The URL is longer than {_URL_BYTES} bytes, the limit.")
        if len(headers) > limits.head_fields:
            raise self._head_too_large()
        if self._begun_bytes + self._coming_bytes > limits.head_bytes:
            size = len(self.url) + sum(len(name) + len(value) + _LINE_BYTES for name, value in headers)
            if size > limits.head_bytes:
                raise self._head_too_large()

    def _check_begun_head(self, phase: int) -> None:
        """After bytes that came in this phase: the parser tells nothing of a line that has no end yet."""
        self._begun_bytes += self._coming_bytes if phase <= HEAD else 0
        if self._begun_bytes > self._limits.head_bytes or len(self.headers) > self._limits.head_fields:
            self.refuse(self._head_too_large())

    def _check_framing(self) -> None:
        if self.cycle.response_complete:
            self._check_rest()
        elif self._heard_bytes > _FRAMING_BYTES + _FRAMING_EACH * self._body_bytes:
            self.refuse(InvalidRequest("The body has more framing than content."))

    def _check_rest(self) -> None:
        """Of a request that is answered."""
        if self._heard_bytes > _REST_BYTES:
            self.transport.abort()

    def _head_too_large(self) -> HeadTooLarge:
        limits = self._limits
        return HeadTooLarge(
            f"The head of a request may have {limits.head_bytes} bytes in {limits.head_fields} fields."
        )

    def _path(self) -> str:
        """As far as it was understood."""
        if self._phase == IDLE or (self._phase == HEAD and not self.headers):
            # The request's first line may not have come to its end.
            return ""
        try:
            path = unquote_to_bytes(httptools.parse_url(self.url).path or b"").decode("latin-1")
        except httptools.HttpParserInvalidURLError:
            return ""
        return inside(path, self._limits.base_path)


class _ClientTransport(BatchingTransport):
    """Closes in two steps where the client may still be sending."""

    __slots__ = ("_is_ending", "_protocol")

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, protocol: GuardedProtocol
    ) -> None:
        super().__init__(transport, loop)
        self._protocol = protocol
        self._is_ending = False

    def is_closing(self) -> bool:
        return self._is_ending or super().is_closing()

    def close(self) -> None:
        if self.is_closing() or not self._protocol.is_half_read:
            return super().close()
        self._is_ending = True
        self.write_eof()
        return self._protocol.linger()
