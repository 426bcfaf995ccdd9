"""How well each offering has served lately, and when to leave it alone. Pure; times are monotonic seconds."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from providers.breaker import CLOSED, HALF_OPEN, Breaker
from providers.facts import Way
from providers.tallies import Ring, Tally, percentile
from providers.wire.failure import NO_FAULT, FailureKind

MINUTE_S = 60
WINDOWS_S = (MINUTE_S, 5 * MINUTE_S, 30 * MINUTE_S)
_MEDIANS_OF_S = 5 * MINUTE_S
_MEDIANS_EVERY_S = 1.0
_FINE_S = 10
_NEWEST = 0.1
_HALF_LIFE_S = 60.0


@dataclass(slots=True)
class HealthStatus:
    """`success_rate` is 0 to 1, and forgets old failures; what nothing was measured of is None.

    A new one is made where something changes: whoever keeps one has what was then.
    """

    is_open: bool
    success_rate: float
    latency_ms: float | None
    cause: str = ""
    """Why the breaker is open, or half-open: see providers.breaker. "" while closed."""
    first_token_ms: float | None = None
    """Here and in what follows: the median of 5 minutes."""
    tokens_per_s: float | None = None
    connect_failures: int = 0
    """Within 5 minutes."""
    state: str = CLOSED
    pause_s: float = 0.0
    """For how long the breaker stays open; infinite while staff hold it so."""


@dataclass(slots=True)
class Transition:
    """A breaker changed its state, by this process' word. `pause_s` is for how long it stays open."""

    way: Way
    state: str
    cause: str
    """Why it is, or was, open."""
    pause_s: float
    opened_times: int
    number: int
    at: float
    """Unix seconds."""


@dataclass(slots=True)
class _Record:
    breaker: Breaker = field(default_factory=Breaker)
    success_rate: float = 1.0
    rated_at: float = 0.0
    latency_ms: float | None = None
    minute: Ring = field(default_factory=lambda: Ring(_FINE_S, MINUTE_S // _FINE_S))
    half_hour: Ring = field(default_factory=lambda: Ring(MINUTE_S, WINDOWS_S[-1] // MINUTE_S))
    first_token_ms: float | None = None
    tokens_per_s: float | None = None
    connect_failures: int = 0
    measured_at: float = -math.inf
    shown: HealthStatus | None = None
    """Kept as long as it holds whatever the time is."""

    def rate(self, at: float) -> float:
        if self.success_rate == 1.0:
            return 1.0
        age_s = max(0.0, at - self.rated_at)
        return 1.0 - (1.0 - self.success_rate) * math.pow(0.5, age_s / _HALF_LIFE_S)

    def count(self, tally: Tally, at: float) -> None:
        """As if those that failed after the last that went well had come last."""
        rate = self.rate(at)
        for is_success, count in (
            (False, tally.failures - tally.trailing),
            (True, tally.served),
            (False, tally.trailing),
        ):
            if count:
                rate = is_success + (rate - is_success) * (1.0 - _NEWEST) ** count
        self.success_rate, self.rated_at = rate, at
        if tally.served:
            mean, last = tally.latency_sum_ms / tally.served, self.latency_ms
            weight = 1.0 - (1.0 - _NEWEST) ** tally.served
            self.latency_ms = mean if last is None else last + (mean - last) * weight
        self.minute.add(tally, at)
        self.half_hour.add(tally, at)

    def look(self, at: float) -> HealthStatus:
        breaker = self.breaker
        status = self.status(at)
        if breaker.open_until is None and self.success_rate == 1.0:
            self.shown = status
        return status

    def status(self, at: float) -> HealthStatus:
        breaker = self.breaker
        return HealthStatus(
            breaker.is_open(at),
            self.rate(at),
            self.latency_ms,
            breaker.cause,
            self.first_token_ms,
            self.tokens_per_s,
            self.connect_failures,
            breaker.state(at),
            breaker.pause_s(at),
        )

    def measure(self, at: float) -> None:
        if at - self.measured_at < _MEDIANS_EVERY_S:
            return
        self.measured_at = at
        lately = self.half_hour.sum(at, _MEDIANS_OF_S)
        self.first_token_ms = percentile(lately.first_token_ms, 0.5)
        self.tokens_per_s = percentile(lately.tokens_per_s, 0.5)
        self.connect_failures = lately.unreached


_UNKNOWN = HealthStatus(is_open=False, success_rate=1.0, latency_ms=None)


class HealthTable:
    """Samples by the way to an offering, with a breaker for each: this process' own and what others told.

    Keeps the `capacity` used last. A credential that is refused so closes no way but its own.
    """

    def __init__(self, capacity: int = 10_000, *, wall: Callable[[], float] = time.time) -> None:
        self._capacity = capacity
        self._wall = wall
        self._records: dict[Way, _Record] = {}
        self.broken: dict[Way, Breaker] = {}
        """Those that are not closed."""
        self.changes: list[Transition] = []
        """By this process; whoever tells others of them takes them out."""
        self.is_shared = False
        """Others see the same offerings: half-open, only who has the lease lets a call through."""
        self._holds: Mapping[Way, str] = {}

    # What was seen here

    def succeeded(self, way: Way, latency_ms: float, at: float) -> None:
        tally = Tally()
        tally.serve(latency_ms, None, None)
        self.served(way, tally, at, latency_ms)

    def served(self, way: Way, tally: Tally, at: float, longest_ms: float) -> None:
        """Several of one way, all of which went well; the longest took so long."""
        record = self._touch(way)
        record.count(tally, at)
        cause = record.breaker.cause
        if record.breaker.succeed(tally.served, at, at - longest_ms / 1000):
            self._change(way, record.breaker, cause, at)
        self._show(record, at)

    def failed(
        self,
        way: Way,
        kind: FailureKind,
        at: float,
        retry_after_s: float | None = None,
        *,
        latency_ms: float = 0.0,
        is_unreached: bool = False,
    ) -> bool:
        """Whether that is held against it: a caller's own mistake is not."""
        record = self._touch(way)
        if kind in NO_FAULT:
            record.breaker.excuse()
            return False
        tally = Tally()
        tally.fail(kind.value, is_unreached=is_unreached)
        record.count(tally, at)
        if record.breaker.fail(kind, at, at - latency_ms / 1000, retry_after_s):
            self._change(way, record.breaker, record.breaker.cause, at)
        self._show(record, at)
        return True

    # What others told

    def hear(self, way: Way, tally: Tally, at: float) -> None:
        record = self._touch(way)
        record.count(tally, at)
        if record.breaker.hear(tally.served, tally.failures, tally.trailing, at):
            self._change(way, record.breaker, record.breaker.cause, at)
        self._show(record, at)

    def recall(self, way: Way, tally: Tally, at: float) -> None:
        """What was counted before this process began, `at` then; the oldest first."""
        record = self._touch(way)
        record.count(tally, at)
        self._show(record, at)

    def adopt(self, way: Way, change: Transition, at: float) -> None:
        """Another process' word, where it is later than ours."""
        record = self._touch(way)
        until = None if change.state == CLOSED else at + change.pause_s
        if record.breaker.adopt(until, change.cause, change.opened_times, change.number, at):
            self._note_state(way, record.breaker)
        self._show(record, at)

    def hold(self, holds: Mapping[Way, str], at: float) -> None:
        """Staff's word on every way that they hold; all others are let be. Cheap where nothing changed."""
        if holds is self._holds:
            return
        for way in {*self._holds, *holds}:
            record = self._touch(way)
            if record.breaker.hold_to(holds.get(way, "")):
                self._note_state(way, record.breaker)
                self._show(record, at)
        self._holds = holds

    # What is asked

    def status(self, way: Way, at: float) -> HealthStatus:
        record = self._records.get(way)
        if record is None:
            return _UNKNOWN
        return record.shown or record.look(at)

    def glance(self, way: Way, at: float) -> HealthStatus:
        """The same for whoever only wants to know."""
        record = self._records.get(way)
        return record.status(at) if record else _UNKNOWN

    def pause_s(self, way: Way, at: float) -> float:
        """For how long its breaker is still open; infinite while staff hold it so."""
        breaker = self.broken.get(way)
        return breaker.pause_s(at) if breaker else 0.0

    def admits(self, way: Way, at: float, *, is_only: bool = False) -> bool:
        """Whether a call may be made now. Half-open, the first to ask is the probe; the others wait for it.

        `is_only`: nothing else is left for the call, which an ejection for failures does not keep out.
        """
        breaker = self.broken.get(way)
        if breaker is None:
            return True
        was_probed = breaker.is_probed(at)
        if not breaker.admits(at, is_shared=self.is_shared, is_only=is_only):
            return False
        if not was_probed and breaker.is_probed(at):
            self.changes.append(self._transition(way, breaker, HALF_OPEN, breaker.cause, at))
        return True

    def may_claim(self, way: Way, at: float) -> bool:
        """Whether a call may be made as soon as this process has the lease."""
        breaker = self.broken.get(way)
        return self.is_shared and breaker is not None and breaker.may_claim(at)

    def is_found_out(self, way: Way, at: float) -> bool:
        """Whether a call is under way that finds out how it is."""
        breaker = self.broken.get(way)
        return breaker is not None and breaker.is_found_out(at)

    def lease(self, way: Way, until: float, *, is_ours: bool = True) -> None:
        """It is this process that may find out, until then; or another one."""
        if breaker := self.broken.get(way):
            if is_ours:
                breaker.leased_until = until
            else:
                breaker.taken_until = until

    def ways(self) -> Iterator[Way]:
        return iter(tuple(self._records))

    def tally(self, way: Way, at: float, within_s: float) -> Tally:
        """What was counted of one of WINDOWS_S."""
        record = self._records.get(way)
        if record is None:
            return Tally()
        ring = record.minute if within_s <= MINUTE_S else record.half_hour
        return ring.sum(at, within_s)

    def transition(self, way: Way, at: float) -> Transition | None:
        """How its breaker stands, for processes that do not know; None where it never changed."""
        record = self._records.get(way)
        if record is None or not record.breaker.number or record.breaker.hold:
            return None
        state = record.breaker.state(at)
        return self._transition(way, record.breaker, state, record.breaker.cause, at)

    def refresh(self, at: float) -> None:
        """Medians pass away, though nobody calls."""
        for record in self._records.values():
            if (
                record.first_token_ms is not None
                or record.tokens_per_s is not None
                or record.connect_failures
            ):
                self._show(record, at)

    def _show(self, record: _Record, at: float) -> None:
        record.shown = None
        record.measure(at)

    def _change(self, way: Way, breaker: Breaker, cause: str, at: float) -> None:
        # By the clock, so that one who has just started is not behind those who have not.
        breaker.number = max(breaker.number + 1, int(self._wall() * 1000))
        self._note_state(way, breaker)
        self.changes.append(self._transition(way, breaker, breaker.state(at), cause, at))

    def _transition(self, way: Way, breaker: Breaker, state: str, cause: str, at: float) -> Transition:
        pause_s = breaker.pause_s(at)
        return Transition(way, state, cause, pause_s, breaker.opened_times, breaker.number, self._wall())

    def _note_state(self, way: Way, breaker: Breaker) -> None:
        if breaker.open_until is None:
            self.broken.pop(way, None)
        else:
            self.broken[way] = breaker

    def _touch(self, way: Way) -> _Record:
        record = self._records.pop(way, None) or _Record()
        self._records[way] = record
        if len(self._records) > self._capacity:
            oldest = next(iter(self._records))
            del self._records[oldest]
            self.broken.pop(oldest, None)
        return record
