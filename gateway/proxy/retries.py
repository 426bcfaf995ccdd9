"""How much load failing over may put on a target, and how long it waits before it does. Pure; times are monotonic.

A provider that fails sends its calls to those that are well. Without a bound, the load of many failures, three
attempts each, is what takes the next one down: so what a target is given by failures of others stays a small part of
what it serves anyway. Where there is little of that, a few are free.
"""

import math
from collections import defaultdict, deque

from providers.facts import Way
from providers.wire.failure import FailureKind, UpstreamFailure

WINDOW_S = 10
FREE = 10
"""Failovers to a target in WINDOW_S that are let through, however little it serves."""
SHARE = 0.1
"""Of what a target was given in WINDOW_S; above FREE, so much of it may come of others' failures."""
_SHORTEST_S, _LONGEST_S = 0.05, 0.25
_Counts = defaultdict[Way, int]


class _Second:
    """What was begun in one second, by target."""

    __slots__ = ("begun", "failovers", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.begun: _Counts = defaultdict(int)
        self.failovers: _Counts = defaultdict(int)


class RetryBudget:
    """Of one process: each of several has its own share of a target's traffic, and of what failing over may add."""

    def __init__(self) -> None:
        self._seconds: deque[_Second] = deque()
        self._told_at: dict[Way, float] = {}
        self._turn(0.0)

    def began(self, way: Way, at: float) -> None:
        """An attempt is made there, whichever of its call."""
        if at >= self._turns_at:
            self._turn(at)
        self._begun[way] += 1

    def allows(self, way: Way, at: float) -> bool:
        """Whether one more call may fail over to it."""
        self._turn(at)
        failovers = sum(second.failovers[way] for second in self._seconds if way in second.failovers)
        traffic = sum(second.begun[way] for second in self._seconds if way in second.begun)
        return failovers + 1 <= max(FREE, traffic * SHARE)

    def take(self, way: Way, at: float) -> None:
        """One fails over to it."""
        self._turn(at)
        self._seconds[-1].failovers[way] += 1

    def is_news(self, way: Way, at: float) -> bool:
        """Whether staff are to hear that one was not allowed: once in WINDOW_S for each target."""
        is_news = at - self._told_at.get(way, -math.inf) >= WINDOW_S
        if is_news:
            self._told_at[way] = at
        return is_news

    def _turn(self, at: float) -> None:
        number = int(at)
        if not self._seconds or number != self._seconds[-1].number:
            self._seconds.append(_Second(number))
            self._turns_at, self._begun = number + 1.0, self._seconds[-1].begun
        while self._seconds[0].number <= number - WINDOW_S:
            self._seconds.popleft()


def pause_before(failure: UpstreamFailure, *, is_same_provider: bool, left_s: float, draw: float) -> float:
    """Seconds before the next attempt; `left_s` of the client's deadline, `draw` from 0 to 1.

    Another provider is asked at once, and so is another credential where the first one was at fault: they have no part
    in the trouble. A provider that answers with 5xx has it itself, and calls that failed together are not to come
    back together.
    """
    is_busy = failure.kind is FailureKind.UNAVAILABLE and failure.status is not None
    if not (is_busy and is_same_provider):
        return 0.0
    pause_s = _SHORTEST_S + (_LONGEST_S - _SHORTEST_S) * draw
    return pause_s if left_s > 2 * _LONGEST_S else 0.0
