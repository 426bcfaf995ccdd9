"""The shape of an adapter: pure translation between the canonical call and one wire format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from providers.facts import ProviderFacts
from providers.formats.base import SaidTools
from providers.wire.call import Call
from providers.wire.failure import UpstreamFailure
from providers.wire.upstream import Upstream
from providers.wire.usage import Costing, Usage


@dataclass(slots=True)
class UpstreamRequest:
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    method: str = "POST"
    translated: tuple[str, ...] = ()
    """Parameters that were said in other words, or left out."""
    told: tuple[str, ...] = ()
    """What of that clients hear of without asking: what is a loss (providers.formats.losses), and what is told too."""
    tools: SaidTools | None = None
    """How calls of tools in the answer are read back."""


@dataclass(slots=True)
class Answer:
    """A whole answer as the client gets it. Usage that the provider did not report is estimated, in `body` too."""

    body: bytes
    usage: Usage
    translated: tuple[str, ...] = ()
    """What the client was told in other words, or not at all, since its format has no place for it."""
    content_type: str = "application/json"


class StreamReader(Protocol):
    """Reads one streamed answer; gives back what the client gets, untouched where the formats agree."""

    has_finished: bool
    """A finish reason has been seen for every choice."""
    output_chars: int
    """Characters of generated text, for an estimate where usage is missing."""
    has_output: bool
    """Text, reasoning or a tool call has been seen: the first token."""
    has_begun: bool
    """Something has been seen that does more than open an answer: before that, another provider may still give it."""

    @property
    def has_told_end(self) -> bool:
        """What may still come is usage, and is not waited for long."""

    @property
    def is_done(self) -> bool:
        """The terminator has been seen; whatever follows is ignored."""

    @property
    def usage(self) -> Usage | None:
        """What the provider reported or the client was told, with an estimate of what was generated since.

        None where there was neither.
        """

    def feed(self, data: bytes) -> bytes:
        """Whole events to relay, b"" while there is none. Never the terminator: the relay writes that.

        Raises UpstreamFailure for an error event, a second unreadable frame or an oversized line.
        """

    def finish(self) -> bytes:
        """What was still held when the body ended. Raises UpstreamFailure if there was no event at all."""

    def terminator(self) -> bytes:
        """The tidy end, once a finish reason has been seen; with usage estimated where it has to be told."""

    def fail(self, error: Mapping[str, Any]) -> bytes:
        """The untidy end: an error event, and nothing that looks like an end. `error` as GatewayError.to_dict."""


class Adapter(Protocol):
    """One wire format. No I/O, settings or logging."""

    def request(self, call: Call, provider: ProviderFacts, upstream: Upstream) -> UpstreamRequest: ...

    def answer(
        self,
        call: Call,
        model: str,
        status: int,
        body: bytes,
        issuer: str = "",
        tools: SaidTools | None = None,
    ) -> Answer:
        """Read a whole 2xx answer of that model. Raises UpstreamFailure if it is not one.

        `issuer`: whose proofs of reasoning are in it, to be told with them (formats.proofs). `tools` are the request's.
        """

    def stream(
        self,
        call: Call,
        model: str,
        cost_usd: Costing | None = None,
        issuer: str = "",
        tools: SaidTools | None = None,
    ) -> StreamReader:
        """`cost_usd` is told with the usage where the client asked for that in a stream. Source: OpenRouter's
        usage accounting (November 2026), whose clients read `usage.cost`.
        """

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        """Classify an answer that is not 2xx. `headers` have lower-case names."""
