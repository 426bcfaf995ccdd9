"""The shape of an adapter: pure translation between the canonical call and one wire format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from providers.facts import ProviderFacts
from providers.wire.call import Call
from providers.wire.scrub import scrub
from providers.wire.upstream import Upstream
from providers.wire.usage import Costing, Usage


class FailureKind(Enum):
    """Whose trouble it is, and so what follows. All but CALLER are retried at the next offering.

    Neither of the first two is held against the provider.
    """

    CALLER = "caller"  # the caller's own mistake: passed on as a 4xx, no other offering is tried
    UNSAYABLE = (
        "unsayable"  # this provider's format has no words for it: nothing was sent; another one's may have
    )
    AUTH = "auth"  # the provider refuses our credential or account: alarm staff
    RATE_LIMIT = "rate_limit"
    MODEL_MISSING = "model_missing"
    UNAVAILABLE = "unavailable"  # 5xx, overload, refused, unreachable
    TIMEOUT = "timeout"
    BAD_RESPONSE = "bad_response"  # answered, but not in the format


@dataclass(slots=True)
class UpstreamRequest:
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    method: str = "POST"
    translated: tuple[str, ...] = ()
    """Parameters that were said in other words."""


NO_FAULT = frozenset({FailureKind.CALLER, FailureKind.UNSAYABLE})
"""The kinds that say nothing about the provider's health."""


INVALID_REQUEST = "invalid_request"
"""The code of a caller's mistake of which nothing more is known."""


class UpstreamFailure(Exception):
    """A provider's failure, classified.

    `status` is the provider's own, None where none came; `code` and `param` are for the client. `about_us` is what
    staff have to know of it: empty unless the provider refused our credential or account. `is_quoted`: the texts hold
    words of the provider. They are scrubbed of credentials, hosts and paths at once, and once more by `hide`.
    """

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        code: str,
        status: int | None = None,
        param: str | None = None,
        retry_after_s: float | None = None,
        about_us: str = "",
        is_quoted: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.code = code
        self.status = status
        self.param = param
        self.retry_after_s = retry_after_s
        self.about_us = about_us
        self._quoted = (message, about_us) if is_quoted else None
        self.hide("")

    def hide(self, secret: str | None) -> None:
        """Take the very credential that was used out of all that the provider said, whatever it looks like."""
        if not self._quoted:
            return
        self.message, self.about_us = (scrub(text, secret or "") for text in self._quoted)
        self.args = (self.message,)
        # Half a name is none. Codes of all other kinds are ours.
        if self.kind is FailureKind.CALLER and scrub(self.code, secret or "") != self.code:
            self.code = INVALID_REQUEST
        if self.param and scrub(self.param, secret or "") != self.param:
            self.param = None


@dataclass(slots=True)
class Answer:
    """A whole answer as the client gets it. Usage that the provider did not report is estimated, in `body` too."""

    body: bytes
    usage: Usage


class BrokenOff(UpstreamFailure):
    """The connection failed, whatever had been said on it."""


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

    def answer(self, call: Call, model: str, status: int, body: bytes) -> Answer:
        """Read a whole 2xx answer of that model. Raises UpstreamFailure if it is not one."""

    def stream(self, call: Call, model: str, cost_usd: Costing | None = None) -> StreamReader:
        """`cost_usd` is told with the usage where the client asked for that in a stream. Source: OpenRouter's
        usage accounting (November 2026), whose clients read `usage.cost`.
        """

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        """Classify an answer that is not 2xx. `headers` have lower-case names."""
