"""The upstream engine: open → status, headers, chunks, close. The hot path's only way out."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from providers.adapters.base import UpstreamRequest


@dataclass(frozen=True, slots=True, eq=False)
class Timeouts:
    connect_s: float
    first_byte_s: float
    """From the request's last byte to the answer's headers."""
    idle_s: float
    """Between two chunks."""
    total_s: float
    """For the whole attempt, headers and body."""
    thinking_s: float = 300
    """In place of `first_byte_s` where the model thinks first."""


class UpstreamResponse(Protocol):
    status: int
    headers: Mapping[str, str]
    """Lower-case names."""

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes, decompressed. Raises UpstreamFailure (timeout, broken off)."""

    async def read(self, limit_bytes: int) -> bytes:
        """The whole body. Raises UpstreamFailure, also where it is larger than the limit."""

    async def read_part(self, limit_bytes: int, within_s: float) -> bytes:
        """As much of the body as comes in that time, and no more: of a refusal, which is one without it too."""

    async def close(self) -> None:
        """Give the connection back if the body was read to its end, drop it at once if not. Safe to repeat."""


class UpstreamEngine(Protocol):
    """Raises UpstreamFailure for refused, unreachable, forbidden address, timeout, and a full pool (never queues)."""

    async def open(self, request: UpstreamRequest, timeouts: Timeouts) -> UpstreamResponse: ...

    async def close(self) -> None: ...
