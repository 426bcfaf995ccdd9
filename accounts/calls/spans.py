"""Spans of the log in which there may be such calls, made of quarters of an hour. Pure; numbers are Unix seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from accounts.windows import DAY_S, QUARTER_S

AROUND_S = 2 * DAY_S
"""A day is no longer, and begins by the zone of its team."""
_END_OF_TIME = 2**40
Span = tuple[datetime, datetime]
"""From the one instant on, and before the other."""


@dataclass(frozen=True, slots=True)
class Spans:
    """In their order. `to` is how far they are all that there are; None: to the end."""

    spans: Sequence[Span]
    to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """What of the log lies ahead, back in time or on: calls that begin from `low` on and before `high`.

    `to` is how far it is all that is asked for, None: to the end.
    """

    low: int
    high: int
    is_back: bool
    to: int | None = None

    def up_to(self, to: int) -> "Reach":
        low, high = (max(self.low, to), self.high) if self.is_back else (self.low, min(self.high, to))
        return Reach(low, high, self.is_back, to)

    def first_days(self, days: int) -> "Reach":
        """What begins within so many days from here, or all of it where that is no more."""
        if self.high - self.low <= days * DAY_S:
            return self
        return self.up_to(self.high - days * DAY_S if self.is_back else self.low + days * DAY_S)

    def short_of(self, day: int) -> "Reach | None":
        """Up to a day (its start) that is known in part and may last AROUND_S. None where nothing is before it."""
        to = day + AROUND_S if self.is_back else day
        return self.up_to(to) if self.low < to < self.high else None


def reach_from(at: datetime, begin: datetime | None, end: datetime | None, *, is_back: bool) -> Reach:
    """From an instant, which is in it, to an end of the time that is looked at."""
    low = int(begin.timestamp()) if begin else 0
    high = int(end.timestamp()) + 1 if end else _END_OF_TIME
    second = int(at.timestamp())
    return Reach(low, min(high, second + 1), is_back) if is_back else Reach(max(low, second), high, is_back)


def spans_of(quarters: Sequence[int], reach: Reach, *, most: int) -> Spans:
    """Of quarters in their order. Behind as many as were asked for, there may be more."""
    to = reach.to
    if len(quarters) == most:
        to = quarters[-1] if reach.is_back else quarters[-1] + QUARTER_S
    return Spans(_joined(quarters), None if to is None else _at(to))


def _joined(quarters: Sequence[int]) -> Sequence[Span]:
    """Those that follow each other as one, in their order."""
    spans: list[tuple[int, int]] = []
    for start in quarters:
        end = start + QUARTER_S
        if spans and end == spans[-1][0]:
            spans[-1] = start, spans[-1][1]
        elif spans and start == spans[-1][1]:
            spans[-1] = spans[-1][0], end
        else:
            spans.append((start, end))
    return [(_at(low), _at(high)) for low, high in spans]


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)
