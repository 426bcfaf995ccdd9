"""What this process' health table says, for Django's threads."""

import asyncio
import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from accounts.attempts import AttemptRecord
from gateway.proxy.health import HealthObserver
from providers.breaker import CLOSED, HALF_OPEN
from providers.facts import Way
from providers.health import HealthStatus
from providers.live_health import UNKNOWN, WINDOWS, LiveHealth, WindowFigures
from providers.tallies import Tally

_TRIES = 10
_RANKS = {CLOSED: 0, HALF_OPEN: 1}


class ShownHealth:
    """Reads what the loop changes meanwhile: what changed under its hands it reads again."""

    def __init__(self, observer: HealthObserver, loop: asyncio.AbstractEventLoop) -> None:
        self._observer = observer
        self._table = observer.table
        self._loop = loop

    def read(self, ways: Sequence[Way]) -> LiveHealth:
        for _ in range(_TRIES):
            try:
                return self._read(ways, time.monotonic())
            except RuntimeError:
                continue
        return UNKNOWN

    def learn(self, attempt: AttemptRecord) -> None:
        self._loop.call_soon_threadsafe(self._observer.attempt_closed, attempt)

    def _read(self, ways: Sequence[Way], at: float) -> LiveHealth:
        looks = [(way, self._table.glance(way, at)) for way in ways]
        way, best = min(looks, key=lambda look: _rank(look[1]))
        windows = {name: WindowFigures.of(self._sum(ways, at, seconds)) for name, seconds in WINDOWS.items()}
        pause_s = self._table.pause_s(way, at)
        until = _in(pause_s) if 0 < pause_s < math.inf else None
        rate = round(best.success_rate, 4)
        return LiveHealth(best.state, best.cause or None, until, rate, best.latency_ms, windows)

    def _sum(self, ways: Sequence[Way], at: float, within_s: float) -> Tally:
        total = Tally()
        for way in ways:
            total.add(self._table.tally(way, at, within_s))
        return total


def _in(seconds: float) -> datetime:
    """The next whole second: a clock that is asked twice says two things."""
    return datetime.fromtimestamp(math.ceil(time.time() + seconds), UTC)


def _rank(status: HealthStatus) -> tuple[int, float]:
    return _RANKS.get(status.state, 2), -status.success_rate
