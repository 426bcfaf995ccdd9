"""What attempts of this process tell of their offerings' health: put aside on a call's way, and counted beside it."""

import time
from collections import deque
from collections.abc import Mapping

from accounts.attempts import AttemptClosed, AttemptRecord, AttemptSample
from gateway.proxy.observers import CallObserver
from providers.facts import Way
from providers.health import HealthTable, Transition
from providers.tallies import Tally
from providers.wire.failure import FailureKind

_KINDS = frozenset(kind.value for kind in FailureKind)
_MOST_EVENTS = 10_000
UNREACHABLE = "provider_unreachable"


class HealthObserver(CallObserver):
    """`untold` is what other processes have not been told yet, by the way."""

    def __init__(self, table: HealthTable) -> None:
        self.table = table
        self.untold: dict[Way, Tally] = {}
        self._waiting: list[AttemptRecord] = []
        self._broken = table.broken

    def attempt_closed(self, attempt: AttemptRecord) -> None:
        sample = attempt.sample
        if sample is not None:
            self._waiting.append(attempt)
            # What may open or close a breaker counts at once.
            if sample.failure is not None or self._broken:
                self.count(time.monotonic())

    def count(self, at: float) -> None:
        """Whatever waits. A failure is never followed by another attempt: it is counted as soon as it is there."""
        waiting = self._waiting[:]
        self._waiting.clear()
        served: dict[Way, Tally] = {}
        longest_ms: dict[Way, float] = {}
        for attempt in waiting:
            sample = attempt.sample
            if sample is not None and sample.failure is None:
                way = sample.offering_id
                served.setdefault(way, Tally()).serve(sample.latency_ms, *_speed_of(attempt))
                longest_ms[way] = max(longest_ms.get(way, 0.0), sample.latency_ms)
        for way, tally in served.items():
            self.table.served(way, tally, at, longest_ms[way])
            self.untold.setdefault(way, Tally()).add(tally)
        for attempt in waiting:
            if attempt.sample is not None and attempt.sample.failure is not None:
                self._fail(attempt.sample, attempt.closed, at)

    def take_untold(self) -> Mapping[Way, Tally]:
        untold, self.untold = self.untold, {}
        return untold

    def _fail(self, sample: AttemptSample, closed: AttemptClosed | None, at: float) -> None:
        kind = _kind(sample.failure)
        is_unreached = closed is not None and closed.error_code == UNREACHABLE
        is_fault = self.table.failed(
            sample.offering_id,
            kind,
            at,
            sample.retry_after_s,
            latency_ms=sample.latency_ms,
            is_unreached=is_unreached,
        )
        if is_fault:
            told = self.untold.setdefault(sample.offering_id, Tally())
            told.fail(kind.value, is_unreached=is_unreached)


class HealthEvents:
    """What breakers did by this process' word, on its way to whoever writes it down. Taken on the loop, given out to
    another thread; the oldest are dropped where nobody writes.
    """

    def __init__(self) -> None:
        self._waiting: deque[Transition] = deque(maxlen=_MOST_EVENTS)
        self.take = self._waiting.append

    def give(self) -> list[Transition]:
        """All of them, the oldest first."""
        return [self._waiting.popleft() for _ in range(len(self._waiting))]

    def give_back(self, events: list[Transition]) -> None:
        """They could not be written."""
        self._waiting.extendleft(reversed(events))


def _speed_of(attempt: AttemptRecord) -> tuple[float | None, float | None]:
    """Time to the first token, of streams, and output tokens a second."""
    closed, is_streamed = attempt.closed, attempt.opened.is_streamed
    if closed is None or closed.latency_ms is None:
        return None, None
    first_token_ms = closed.first_token_ms if is_streamed else None
    tokens = (closed.usage or {}).get("output_tokens", 0)
    spent_ms = closed.latency_ms - (first_token_ms or 0.0)
    is_told = tokens > 0 and spent_ms > 0 and not closed.is_estimated
    return first_token_ms, tokens / spent_ms * 1000 if is_told else None


def _kind(name: str | None) -> FailureKind:
    """A failure of a kind that only another version knows is one all the same."""
    return FailureKind(name) if name in _KINDS else FailureKind.UNAVAILABLE
