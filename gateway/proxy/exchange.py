"""What travels with a call: the job that either lane carries out, and what comes back."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

import orjson

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
    of `revision` or later. Ids are UUID hex.
    """

    call_id: str
    request_id: str
    endpoint: str
    format: str
    created: int
    """Unix seconds."""
    is_streamed: bool
    wants_usage: bool
    team_id: int
    key_id: int
    project: str
    requested_model: str
    redirected_from: str
    offering_ids: tuple[int, ...]
    revision: int
    shows_translated: bool
    """The client wants to hear what was said to the provider in other words."""
    betas: str
    """See InferenceCall."""
    body: bytes = field(repr=False)

    def encode(self) -> bytes:
        """One line of JSON, then the body as it is."""
        facts = {name: getattr(self, name) for name in _JOB_FACTS}
        return orjson.dumps(facts) + b"\n" + self.body

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
        line, _, body = data.partition(b"\n")
        facts = orjson.loads(line)
        facts["offering_ids"] = tuple(facts["offering_ids"])
        return cls(**facts, body=body)


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
        return orjson.dumps(self) + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "Head":
        return cls(**orjson.loads(line))


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
        return orjson.dumps(self)

    @classmethod
    def decode(cls, data: bytes) -> "CallEnd":
        fields = orjson.loads(data)
        return cls([Sample(**sample) for sample in fields["samples"]], fields["error"], fields["attempts"])


CLIENT_GONE = "client_gone"


class ClientGone(Exception):
    """Whoever waits for the answer has left, or takes it too slowly."""


def read_reason(cancelled: asyncio.CancelledError) -> str:
    """Why a call was cancelled, as the ledger says it: `task.cancel(reason)` carries it; none: a client left."""
    return str(cancelled.args[0]) if cancelled.args and cancelled.args[0] else CLIENT_GONE


class Sink(Protocol):
    """Where an answer goes: the client's connection, or a web process' inbox. Both slow the sender down.

    `is_last` spares a message of its own for the end. Raises ClientGone.
    """

    async def begin(self, head: Head) -> None: ...

    async def send(self, data: bytes, *, is_last: bool = False) -> None: ...
