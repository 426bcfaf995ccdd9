"""When the window of a budget begins and ends, and of which rows its spending is the sum. Pure; instants in Unix s.

A window follows the calendar of a time zone. Everywhere its bounds are whole quarters of an hour: so far from UTC are
all zones.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY, WEEK, MONTH, LIFETIME = "day", "week", "month", "lifetime"
KINDS = (DAY, WEEK, MONTH, LIFETIME)
QUARTER_S, DAY_S = 900, 86_400
Grain = Literal["quarter", "day", "total"]
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """One period of a budget. It holds what started at `starts_at` or later and before `ends_at` (None: never ends)."""

    kind: str
    zone: str
    starts_at: int
    ends_at: int | None

    @property
    def field(self) -> str:
        """How its spending is named where several windows stand together."""
        return "lifetime:0" if self.kind == LIFETIME else f"{self.kind}:{self.zone}:{self.starts_at}"


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one grain that start at `low` or later and before `high`; None: all that follow."""

    grain: Grain
    low: int
    high: int | None


def is_zone(name: str) -> bool:
    """Whether it is the name of a time zone that is known here, such as `Europe/Berlin`."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def window_at(kind: str, zone: str, at: float) -> Window:
    """The one of that kind (see KINDS) in which a call counts that starts at `at`."""
    if kind == LIFETIME:
        return Window(LIFETIME, "", 0, None)
    first = _first_day(kind, datetime.fromtimestamp(at, ZoneInfo(zone)).date())
    starts = [
        _midnight(day, zone) for day in (_first_day(kind, first - _ONE_DAY), first, *_following(kind, first))
    ]
    # Where clocks are put back over midnight, a day goes on after the next one has begun.
    low, high = next(pair for pair in pairwise(starts) if pair[0] <= at < pair[1])
    return Window(kind, zone, low, high)


def pieces_of(window: Window) -> tuple[Piece, ...]:
    """Rows whose sum is what was spent in it: quarters up to midnight UTC, then whole days, then quarters."""
    if window.ends_at is None:
        return (Piece("total", 0, None),)
    first, last = -(-window.starts_at // DAY_S) * DAY_S, window.ends_at // DAY_S * DAY_S
    if first > last:
        return (Piece("quarter", window.starts_at, window.ends_at),)
    parts = (
        Piece("quarter", window.starts_at, first),
        Piece("day", first, last),
        Piece("quarter", last, window.ends_at),
    )
    return tuple(part for part in parts if part.high is None or part.low < part.high)


def grains_of(started_at: float) -> tuple[tuple[Grain, int], ...]:
    """The rows that a call counts in, by grain and start."""
    return ("quarter", quarter_of(started_at)), ("day", int(started_at) // DAY_S * DAY_S), ("total", 0)


def quarter_of(started_at: float) -> int:
    """The start of that quarter of an hour, judged to the microsecond, as the ledger has it."""
    start = int(started_at // QUARTER_S) * QUARTER_S
    # To round each of them would cost more than all the rest.
    return start if started_at - start < QUARTER_S - 1 else int(round(started_at, 6) // QUARTER_S) * QUARTER_S


def _first_day(kind: str, day: date) -> date:
    if kind == WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if kind == MONTH else day


def _following(kind: str, first: date) -> tuple[date, date]:
    """The first days of the two windows after the one that begins with `first`."""
    longest = {DAY: 1, WEEK: 7, MONTH: 31}[kind]
    second = _first_day(kind, first + timedelta(days=longest))
    return second, _first_day(kind, second + timedelta(days=longest))


@lru_cache(maxsize=4096)
def _midnight(day: date, zone: str) -> int:
    """The first instant of a day. Where clocks skip midnight, the day begins when they do."""
    local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return int(local.astimezone(UTC).timestamp())
