"""How well each offering has served lately, and when to leave it alone. Pure; times are monotonic seconds."""

import math
from dataclasses import dataclass

from providers.facts import Way
from providers.wire.failure import NO_FAULT, FailureKind

FAILURES_TO_OPEN = 5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 30.0, 300.0
LONGEST_WAIT_S = 60.0
"""For a limit, whatever the provider asks for: clients are told that, and we find out."""
# A probe that ended without a word, because its client left, does not block the next one for longer.
PROBE_LEASE_S = 30.0
_NEWEST = 0.1
_HALF_LIFE_S = 60.0
_OPEN_AT_ONCE = frozenset({FailureKind.AUTH, FailureKind.MODEL_MISSING})


@dataclass(slots=True)
class HealthStatus:
    """`success_rate` is 0 to 1, and forgets old failures; `latency_ms` is None where nothing was measured."""

    is_open: bool
    success_rate: float
    latency_ms: float | None


@dataclass(slots=True)
class _Record:
    success_rate: float = 1.0
    rated_at: float = 0.0
    latency_ms: float | None = None
    failures_in_row: int = 0
    opened_times: int = 0
    open_until: float | None = None
    """None while closed; once it has passed, the breaker is half-open until a probe succeeds."""
    probed_at: float | None = None

    def rate(self, at: float) -> float:
        if self.success_rate == 1.0:
            return 1.0
        age_s = max(0.0, at - self.rated_at)
        return 1.0 - (1.0 - self.success_rate) * math.pow(0.5, age_s / _HALF_LIFE_S)

    def count(self, is_success: bool, at: float) -> None:
        self.success_rate = self.rate(at) * (1.0 - _NEWEST) + _NEWEST * is_success
        self.rated_at = at

    def is_open(self, at: float) -> bool:
        return self.open_until is not None and at < self.open_until

    def close(self) -> None:
        self.open_until = self.probed_at = None
        self.opened_times = self.failures_in_row = 0

    def pause(self, at: float) -> None:
        pause_s = min(FIRST_PAUSE_S * 2.0**self.opened_times, LONGEST_PAUSE_S)
        self.opened_times = min(self.opened_times + 1, 10)
        self.pause_until(at + pause_s)

    def pause_until(self, until: float) -> None:
        self.open_until = until
        self.probed_at = None


_UNKNOWN = HealthStatus(is_open=False, success_rate=1.0, latency_ms=None)


class HealthTable:
    """One process' samples by the way to an offering, with a breaker for each. Keeps the `capacity` used last.

    A credential that is refused so closes no way but its own.
    """

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._records: dict[Way, _Record] = {}

    def succeeded(self, way: Way, latency_ms: float, at: float) -> None:
        record = self._touch(way)
        record.count(True, at)
        last = record.latency_ms
        record.latency_ms = latency_ms if last is None else last + (latency_ms - last) * _NEWEST
        if record.open_until is None:
            record.failures_in_row = 0
        elif at >= record.open_until:
            # A call that began before the breaker opened does not close it.
            record.close()

    def failed(self, way: Way, kind: FailureKind, at: float, retry_after_s: float | None = None) -> None:
        record = self._touch(way)
        if kind in NO_FAULT:
            record.probed_at = None
            return
        record.count(False, at)
        record.failures_in_row += 1
        if record.is_open(at):
            return
        if kind is FailureKind.RATE_LIMIT and retry_after_s is not None:
            record.pause_until(at + min(retry_after_s, LONGEST_WAIT_S))
        elif self._must_pause(record, kind):
            record.pause(at)

    def status(self, way: Way, at: float) -> HealthStatus:
        record = self._records.get(way)
        if record is None:
            return _UNKNOWN
        return HealthStatus(record.is_open(at), record.rate(at), record.latency_ms)

    def admits(self, way: Way, at: float) -> bool:
        """Whether a call may be made now. Half-open, the first to ask is the probe; the others wait for it."""
        record = self._records.get(way)
        if record is None or record.open_until is None:
            return True
        is_probed = record.probed_at is not None and at - record.probed_at < PROBE_LEASE_S
        if record.is_open(at) or is_probed:
            return False
        record.probed_at = at
        return True

    def _must_pause(self, record: _Record, kind: FailureKind) -> bool:
        is_probe = record.open_until is not None
        return kind in _OPEN_AT_ONCE or is_probe or record.failures_in_row >= FAILURES_TO_OPEN

    def _touch(self, way: Way) -> _Record:
        record = self._records.pop(way, None) or _Record()
        self._records[way] = record
        if len(self._records) > self._capacity:
            del self._records[next(iter(self._records))]
        return record
