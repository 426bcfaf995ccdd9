"""What travels with a call: the job that either lane carries out, and what comes back."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import Any, Protocol, cast

from gateway import codec
from gateway.codec import Unreadable
from providers.wire.call import InferenceCall, ParsedRequest

OWN_FIELDS = frozenset({"project_id", "provider"})
"""Parameters of ours, which no provider knows."""


def without_own_fields(parsed: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is meant for this gateway alone stays here."""
    if OWN_FIELDS.isdisjoint(parsed):
        return parsed
    return {name: value for name, value in parsed.items() if name not in OWN_FIELDS}


@dataclass(slots=True)
class Job:
    """All that a lane needs to make the call. Holds no secret: the worker reads those from its own snapshot.

    `body` is the client's, byte for byte. `offering_ids` are the route plan's, best first, chosen from the snapshot
    of `revision` or later. Ids are UUID hex. It may be read by another version: see gateway.codec.
    """

    call_id: str
    request_id: str
    endpoint: str
    format: str
    created: int
    """Unix seconds."""
    is_streamed: bool
    team_id: int
    key_id: int
    requested_model: str
    offering_ids: tuple[int, ...]
    body: bytes = field(repr=False)
    revision: int = 0
    wants_usage: bool = False
    project: str = ""
    redirected_from: str = ""
    shows_translated: bool = False
    """The client wants to hear what was said to the provider in other words."""
    betas: str = ""
    """See InferenceCall."""
    input_tokens: int = 0
    """A rough count, for what nobody lives to tell."""

    def encode(self) -> bytes:
        """One line of JSON, then the body as it is."""
        facts = {name: getattr(self, name) for name in _JOB_FACTS}
        return codec.encode(facts) + b"\n" + self.body

    def call(self, parsed: Mapping[str, Any], request: ParsedRequest | None = None) -> InferenceCall:
        """The call to make, from the parsed body, and the same as its operation reads it, where that was done."""
        return InferenceCall(
            self.endpoint,
            without_own_fields(parsed),
            self.is_streamed,
            self.wants_usage,
            self.format,
            self.call_id,
            self.created,
            str(self.team_id),
            self.betas,
            request,
        )

    @classmethod
    def decode(cls, data: bytes) -> "Job":
        """Raises Unreadable."""
        line, _, body = data.partition(b"\n")
        job = codec.read(cls, {**codec.parse(line), "body": body})
        job.offering_ids = tuple(job.offering_ids)
        return job


_JOB_FACTS = tuple(entry.name for entry in fields(Job) if entry.name != "body")


@dataclass(slots=True)
class Head:
    """What is known when the first byte of an answer is ready. `length` is None for streams.

    `translated` is None where nobody asked for it.
    """

    provider: str
    model: str
    attempts: int
    length: int | None = None
    cost_usd: str | None = None
    translated: Sequence[str] | None = None

    def encode(self) -> bytes:
        return codec.encode(self) + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "Head":
        """Raises Unreadable."""
        return codec.decode(cls, line)


@dataclass(slots=True)
class Sample:
    """How one attempt went, for the health table of whoever routes. `failure` is a FailureKind's value."""

    offering_id: int
    latency_ms: float
    failure: str | None = None
    retry_after_s: float | None = None


@dataclass(slots=True)
class CallEnd:
    """How a call ended. `error` holds GatewayError.to_dict where nothing was sent to the client yet."""

    samples: list[Sample] = field(default_factory=list)
    error: dict[str, Any] | None = None
    attempts: int = 0

    def encode(self) -> bytes:
        return codec.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> "CallEnd":
        """What cannot be read of the samples is left out: they only advise. Raises Unreadable."""
        end = codec.decode(cls, data)
        told, end.samples = cast("list[dict[str, Any]]", end.samples), []
        for facts in told:
            with suppress(Unreadable):
                end.samples.append(codec.read(Sample, facts))
        return end


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


class Sink(Protocol):
    """Where an answer goes: the client's connection, or a web process' inbox. Both slow the sender down.

    `is_last` spares a message of its own for the end. Raises ClientGone.
    """

    async def begin(self, head: Head) -> None: ...

    async def send(self, data: bytes, *, is_last: bool = False) -> None: ...
