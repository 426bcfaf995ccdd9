"""What comes back of a call, whichever lane makes it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.core import codec

JSON_TYPE = "application/json"


@dataclass
class ResponseHead:
    """What is known when the first byte of an answer is ready. `length` is None for streams.

    `translated` is None where nobody asked for it and nothing was lost; where only that, it is what was lost.
    """

    provider: str
    model: str
    attempts: int
    length: int | None = None
    cost_usd: str | None = None
    translated: Sequence[str] | None = None
    fell_back: str = ""
    """For which trouble with the request another model was asked: see gateway.proxy.fallbacks."""
    content_type: str = JSON_TYPE
    """Of a whole answer."""
    waited_s: float = 0.0
    """As the call's own: before its first attempt, so it grows no more."""

    def encode(self) -> bytes:
        return codec.encode_line(self)

    @classmethod
    def decode(cls, line: bytes) -> "ResponseHead":
        """Raises Unreadable."""
        return codec.decode(cls, line)


@dataclass
class CallResult:
    """How a call ended. `error` holds GatewayError.to_dict where nothing was sent to the client yet."""

    error: dict[str, Any] | None = None
    attempts: int = 0
    cut_by: str = ""
    """The code of what broke the answer off after its first byte: its client has been told so there."""
    output_tokens: int = 0
    """Of the last attempt, where a budget holds what is likely; 0: unknown."""
    withheld: int = 0
    """Targets that were passed over so that failing over does not overload them."""
    spent_ms: float = 0.0
    """In all of its attempts; 0: unknown, as to a worker of another version."""
    waited_s: float = 0.0
    """As the call's own, where there was no answer whose head would tell; else 0."""

    def encode(self) -> bytes:
        return codec.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> "CallResult":
        """Raises Unreadable."""
        return codec.decode(cls, data)


# Why a call was cancelled, as the ledger says it. These two are the team's own doing; all others are ours.
CLIENT_GONE = "client_gone"
KEY_ENDED = "invalid_api_key"
"""It was revoked or expired, or its team was switched off, while the call ran."""
_INTERRUPTED = "interrupted"


class ClientGone(Exception):
    """Whoever waits for the answer has left, or takes it too slowly."""


def read_reason(cancelled: asyncio.CancelledError) -> str:
    """`task.cancel(reason)` carries it. Where there is none, something stopped that knew of no calls: the process."""
    return str(cancelled.args[0]) if cancelled.args and cancelled.args[0] else _INTERRUPTED


class ResponseSink(Protocol):
    """Where an answer goes: the client's connection, or a web process' inbox. Both slow the sender down.

    `is_last` spares a message of its own for the end. Raises ClientGone.
    """

    async def begin(self, head: ResponseHead) -> None: ...

    async def send(self, data: bytes, *, is_last: bool = False) -> None: ...
