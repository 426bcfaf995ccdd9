"""Stop 8: an answer's bytes out to the client, untouched where the formats agree, and its usage in."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from gateway.proxy.exchange import ResponseSink
from providers.adapters.base import StreamReader
from providers.engine import UpstreamResponse
from providers.wire.failure import BrokenOff, FailureKind, UpstreamFailure

_DRAIN_S = 0.25
_AFTER_END_S = 2.0


@dataclass(slots=True)
class RelayLimits:
    """Seconds and bytes that one answer may take. `first_byte_s` counts to the first event, not the first comment."""

    first_byte_s: float
    idle_s: float
    answer_bytes: int


class StreamRelay:
    """One streamed answer on its way. `has_begun` once the client has been sent something.

    What only opens an answer is held back, since a provider that breaks off there can still be replaced.
    """

    def __init__(
        self,
        reader: StreamReader,
        sink: ResponseSink,
        *,
        begin: Callable[[], Awaitable[None]],
    ) -> None:
        self.reader = reader
        self.sink = sink
        self.has_begun = False
        self.first_output_at: float | None = None
        self.when_begun: Callable[[bytes], None] | None = None
        """Called with the beginning before it is sent; what it raises ends the relay."""
        self._begin = begin
        self._held: list[bytes] = []

    async def run(self, response: UpstreamResponse, limits: RelayLimits) -> None:
        """Relay to the end. Raises UpstreamFailure for an answer that ends otherwise than well, and ClientGone."""
        try:
            await self._relay(response, limits)
        except BrokenOff as failure:
            await self._end_early(failure)

    async def _relay(self, response: UpstreamResponse, limits: RelayLimits) -> None:
        chunks = response.chunks()
        quiet_since, size = time.monotonic(), 0
        async for chunk in _until_the_end(chunks, self.reader):
            size += len(chunk)
            data = self.reader.feed(chunk)
            now = time.monotonic()
            if self.reader.is_done:
                await self._end(data)
                return await _drain(chunks)
            if data:
                await self._send(data)
            if data and self.has_begun:
                quiet_since = now
            elif now - quiet_since > (limits.idle_s if self.has_begun else limits.first_byte_s):
                raise _stalled()
            if size > limits.answer_bytes:
                raise _too_large()
        await self._end(self.reader.finish())
        return None

    async def _send(self, data: bytes, *, is_last: bool = False) -> None:
        if not self.has_begun:
            self._held.append(data)
            if not (is_last or self.reader.has_begun):
                return
            data = b"".join(self._held)
            self._held.clear()
            if self.when_begun:
                self.when_begun(data)
            await self._begin()
            self.has_begun = True
        if self.first_output_at is None and self.reader.has_output:
            self.first_output_at = time.monotonic()
        await self.sink.send(data, is_last=is_last)

    async def _end_early(self, failure: BrokenOff) -> None:
        """An answer whose end was told is whole, whatever became of the connection after that."""
        try:
            data = self.reader.finish()
        except UpstreamFailure:
            raise failure from None
        if not self.reader.has_finished:
            raise failure
        await self._end(data)

    async def _end(self, data: bytes) -> None:
        """A tidy end needs a finish reason; one that did not come is never invented."""
        if self.reader.has_finished:
            return await self._send(data + self.reader.terminator(), is_last=True)
        if data:
            await self._send(data)
        raise UpstreamFailure(
            FailureKind.BAD_RESPONSE,
            "The provider's answer ended without a finish reason.",
            code="provider_truncated" if self.has_begun else "provider_bad_response",
        )


async def _until_the_end(chunks: AsyncIterator[bytes], reader: StreamReader) -> AsyncIterator[bytes]:
    """What comes; and once the reader was told an end, only what comes soon after, such as usage."""
    async for chunk in chunks:
        yield chunk
        while reader.has_told_end and not reader.is_done:
            try:
                async with asyncio.timeout(_AFTER_END_S):
                    late = await anext(chunks)
            except (TimeoutError, StopAsyncIteration):
                return
            yield late


async def _drain(chunks: AsyncIterator[bytes]) -> None:
    """Read what follows the end, so that the connection can be used again; not for long."""
    try:
        async with asyncio.timeout(_DRAIN_S):
            async for _ in chunks:
                pass
    except (TimeoutError, UpstreamFailure):
        return


def _stalled() -> UpstreamFailure:
    return BrokenOff(
        FailureKind.TIMEOUT,
        "The provider kept the connection open but sent nothing.",
        code="provider_stalled",
    )


def _too_large() -> UpstreamFailure:
    return UpstreamFailure(
        FailureKind.BAD_RESPONSE, "The provider's answer is too large.", code="provider_response_too_large"
    )
