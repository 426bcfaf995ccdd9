"""How long one answer is waited for: by what was asked, who answers, and how long the client stays. Pure."""

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from catalogue.facts import OfferingFacts
from gateway.proxy.errors import InvalidRequest
from providers.engine import Timeouts
from providers.facts import ProviderFacts
from providers.operations.registry import operation_of
from providers.wire.call import Call
from providers.wire.failure import FailureKind, UpstreamFailure

CLIENT_DEADLINE = "client_deadline"
_OURS = b"x-gateway-timeout-ms"
# In seconds. Source: OpenAI's and Anthropic's SDKs, made by Stainless, and google-genai 3.4 (November 2026).
_THEIRS = (b"x-stainless-read-timeout", b"x-stainless-timeout", b"x-server-timeout")
WAIT_HEADERS = frozenset({_OURS, *_THEIRS})
"""In which clients say how long they wait."""
_LONGEST_S = 24 * 3600.0
_ROOM = 0.1
"""Of all that a client waits: with less of it left, another attempt would be paid for in vain."""
_THINKS = frozenset({"reasoning", "reasoning_effort", "include_reasoning", "thinking", "thinking_budget"})


def read_client_wait(headers: Mapping[bytes, bytes], most_s: float = 0.0) -> float:
    """Seconds that the client waits for a whole answer, or for a stream to begin; 0 where nobody says.

    `most_s` is its key's deadline, or 0: the smaller wins. Raises InvalidRequest for ours; what an SDK says by itself
    is passed over where it makes no sense.
    """
    if WAIT_HEADERS.isdisjoint(headers):
        return most_s
    said_s = _read_said(headers)
    return min(said_s, most_s) if said_s and most_s else said_s or most_s


def _read_said(headers: Mapping[bytes, bytes]) -> float:
    if said := headers.get(_OURS, b"").strip():
        if not said.isdigit() or not 1 <= int(said[:12]) <= _LONGEST_S * 1000:
            raise InvalidRequest(
                f"'x-gateway-timeout-ms' must be whole milliseconds from 1 to {_LONGEST_S * 1000:.0f}.",
                code="invalid_value",
                param="x-gateway-timeout-ms",
            )
        return int(said) / 1000
    return next(filter(None, (_seconds(headers.get(name, b"")) for name in _THEIRS)), 0.0)


class Patience:
    """Of one call, over all of its attempts: what its client's own deadline leaves."""

    def __init__(self, waits_s: float) -> None:
        """0: the client does not say how long it waits."""
        self._waits_s = waits_s
        self._ends_at = time.monotonic() + waits_s if waits_s else math.inf

    @property
    def left_s(self) -> float:
        """Until the client has waited for as long as it would."""
        return self._ends_at - time.monotonic()

    @property
    def has_room(self) -> bool:
        """For another attempt after one that took all its time."""
        return self.left_s > self._waits_s * _ROOM

    def judge(self, failure: UpstreamFailure) -> UpstreamFailure:
        """What it was that ended an attempt: a provider that is given no time is not slow."""
        return out_of_time() if failure.kind is FailureKind.TIMEOUT and self.left_s <= 0 else failure

    def shorten(self, limits: Timeouts, *, is_streamed: bool) -> Timeouts:
        """Those of an attempt that begins now: a stream has to begin within what is left, another answer to end."""
        left_s = max(0.001, self.left_s)
        if left_s >= (limits.first_byte_s if is_streamed else limits.total_s):
            return limits
        total_s = limits.total_s if is_streamed else left_s
        return replace(limits, first_byte_s=min(limits.first_byte_s, left_s), total_s=total_s)


ENDLESS = Patience(0.0)
"""Of clients that do not say."""


def limits_for(base: Timeouts, call: Call, offering: OfferingFacts, provider: ProviderFacts) -> Timeouts:
    """How long an offering's answer is waited for, whoever asks."""
    thinks = call.asks_reasoning
    if thinks is None:
        thinks = not offering.params.isdisjoint(_THINKS)
    return _limits(base, call.endpoint, call.is_streamed, thinks, offering.patience_s or provider.patience_s)


@lru_cache(maxsize=256)
def _limits(
    base: Timeouts, endpoint: str, is_streamed: bool, thinks: bool, patience_s: float | None
) -> Timeouts:
    """A whole answer is silent until its end, and one that is thought about until the thoughts are over."""
    if not is_streamed and operation_of(endpoint).can_stream:
        return replace(base, first_byte_s=base.total_s, idle_s=base.total_s)
    silence_s = patience_s or (max(base.first_byte_s, base.thinking_s) if thinks else base.first_byte_s)
    if silence_s == base.first_byte_s:
        return base
    silence_s = min(silence_s, base.total_s)
    return replace(base, first_byte_s=silence_s, idle_s=max(base.idle_s, silence_s))


def out_of_time() -> UpstreamFailure:
    """The client's time is over, which says nothing of the provider."""
    return UpstreamFailure(
        FailureKind.TIMEOUT,
        "The answer did not come within the time that the client waits.",
        code=CLIENT_DEADLINE,
    )


def _seconds(said: bytes) -> float:
    try:
        wait_s = float(said)
    except ValueError:
        return 0.0
    return wait_s if 0 < wait_s <= _LONGEST_S else 0.0
