"""Into which buckets a range of time falls, and from which sums each is read. Pure; instants in Unix seconds.

A range's bounds are whole quarters of an hour, and so are all midnights: so far from UTC are all zones.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from accounts.windows import DAY, DAY_S, QUARTER_S, window_at
from accounts.windows import MONTH as MONTH_WINDOW

QUARTER, HOUR, WHOLE_DAY, WHOLE_MONTH, NONE = "15m", "1h", "1d", "month", "none"
LONGEST_DAYS: Mapping[str, int] = {
    QUARTER: 31,
    HOUR: 184,
    WHOLE_DAY: 1_830,
    WHOLE_MONTH: 3_660,
    NONE: 3_660,
}
"""Of a range, by bucket."""
_WIDTHS_S = {QUARTER: QUARTER_S, HOUR: 3_600}
HALF_S = DAY_S // 2
_UTC = "UTC"
Grain = Literal["quarter", "day", "closed", "utc", "third", "month"]
"""Of coarser sums: days, thirds of a month and months of a team's zone that are closed, and days of UTC."""
OWN_DAY: Grain
UTC_DAY: Grain
THIRD: Grain
MONTH: Grain
OWN_DAY, UTC_DAY, THIRD, MONTH = "closed", "utc", "third", "month"
_THIRD_DAYS = 10


@dataclass(frozen=True, slots=True)
class Run:
    """Buckets of one width, one after the other, from `low` on and before `high`."""

    low: int
    high: int
    width: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Sums of one grain that start at `low` or later and before `high`."""

    grain: Grain
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Move:
    """Quarters of an hour from `low` on and before `high`, which were read with a day or a month as of the bucket that
    starts at `home`, and are of that which starts at `other`. None: outside of the range.
    """

    low: int
    high: int
    home: int
    other: int | None


def midnights(zone: str, low: int, high: int) -> list[int]:
    """Of all days that are in that time even in part: where each begins, and at last where the last one ends."""
    found = [window_at(DAY, zone, low).starts_at]
    while found[-1] < high:
        found.append(_end_of_day(zone, found[-1]))
    return found


def months(zone: str, low: int, high: int) -> list[int]:
    """Of all months that are in that time even in part: where each begins, and at last where the last one ends."""
    found = [month_of(zone, window_at(DAY, zone, low).starts_at)[0]]
    while found[-1] < high:
        found.append(month_of(zone, found[-1])[1])
    return found


@lru_cache(maxsize=20_000)
def _end_of_day(zone: str, day: int) -> int:
    return window_at(DAY, zone, day).ends_at or day + DAY_S


def midnight(zone: str, day: date) -> int:
    """Where there is none, when the day begins."""
    noon = datetime.combine(day, time(12), ZoneInfo(zone))
    return window_at(DAY, zone, noon.timestamp()).starts_at


def bounds_of(bucket: str, zone: str, low: int, high: int) -> list[int]:
    """Where buckets begin, and at last where they end: those of a zone's calendar, cut to the range."""
    if bucket == NONE:
        return [low, high]
    starts = months(zone, low, high) if bucket == WHOLE_MONTH else midnights(zone, low, high)
    if width := _WIDTHS_S.get(bucket):
        starts = [at for day, next_ in pairwise(starts) for at in range(day, next_, width)]
    return [low, *(at for at in starts if low < at < high), high]


def runs_of(bounds: Sequence[int]) -> list[Run]:
    """The same buckets in few numbers, since most are as wide as the one before."""
    runs: list[Run] = []
    for low, high in pairwise(bounds):
        if runs and runs[-1].width == high - low:
            runs[-1] = Run(runs[-1].low, high, high - low)
        else:
            runs.append(Run(low, high, high - low))
    return runs


@dataclass(frozen=True, slots=True)
class Coarse:
    """Which coarser sums there are of a team: of what ended by `closed_to`, of months and of days, or without
    `has_days` of months and of thirds of them.
    """

    closed_to: int = 0
    has_days: bool = False


NOTHING_COARSE = Coarse()


def read_from(
    bounds: Sequence[int], zone: str, coarse: Coarse = NOTHING_COARSE
) -> tuple[list[Piece], list[Move]]:
    """From which sums those buckets are added up, for a team whose days begin in `zone`.

    What coarser sums do not tell is read from days. A day that is of two buckets is read as one of that in which its
    first twelve hours end, and what is not of that is moved, so that few quarters of an hour are read. So are months
    and thirds of them, where no more than twelve hours at their ends are of other buckets.
    """
    grid = _Grid(bounds, zone, coarse, OWN_DAY if coarse.has_days else None, is_by_month=True)
    end = min(bounds[-1], coarse.closed_to // DAY_S * DAY_S)
    if not coarse.has_days or end <= bounds[0] or not _fits_utc_better(bounds, zone):
        return grid.walk()
    utc = _Grid([*(at for at in bounds if at < end), end], _UTC, coarse, UTC_DAY, is_by_month=False)
    pieces, moves = utc.walk()
    if end < bounds[-1]:
        # Which cuts a bucket in two parts.
        rest = replace(grid, bounds=[end, *(at for at in bounds if at > end)]).walk()
        whole = max(at for at in bounds if at <= end)
        pieces = [*pieces, *rest[0]]
        moves += [
            replace(move, **{name: whole for name in ("home", "other") if getattr(move, name) == end})
            for move in rest[1]
        ]
    return pieces, moves


def _fits_utc_better(bounds: Sequence[int], zone: str) -> bool:
    """Whether fewer days of UTC than of the zone are of two buckets."""
    if zone == _UTC:
        return False
    own = set(midnights(zone, bounds[0], bounds[-1]))
    return sum(at % DAY_S == 0 for at in bounds[1:-1]) > sum(at in own for at in bounds[1:-1])


@dataclass(frozen=True, slots=True)
class _Grid:
    """Days of one zone over buckets. `closed` is the grain of those that are closed; None: it is that of all others."""

    bounds: Sequence[int]
    zone: str
    coarse: Coarse
    closed: Grain | None
    is_by_month: bool

    def walk(self) -> tuple[list[Piece], list[Move]]:
        pieces: list[Piece] = []
        moves: list[Move] = []
        done = 0
        for day, next_ in pairwise(midnights(self.zone, self.bounds[0], self.bounds[-1])):
            if day < done:
                continue
            longer = self._month_from(day)
            done = longer[0].high if longer else 0
            piece, moved = longer or self._of_day(day, next_)
            _append(pieces, piece)
            moves += moved
        return pieces, moves

    def _month_from(self, day: int) -> tuple[Piece, Sequence[Move]] | None:
        """The closed month that begins on that day, or third of one, where nearly all of it is of one bucket."""
        if not self.is_by_month:
            return None
        for grain in (MONTH,) if self.coarse.has_days else (MONTH, THIRD):
            begin, end = span_of(grain, self.zone, day)
            if begin == day and end <= self.coarse.closed_to and (found := self._whole(grain, begin, end)):
                return found
        return None

    def _of_day(self, day: int, next_: int) -> tuple[Piece, Sequence[Move]]:
        quarters = Piece("quarter", max(day, self.bounds[0]), min(next_, self.bounds[-1]))
        return self._whole(self._grain(next_), day, next_) or (quarters, [])

    def _whole(self, grain: Grain, begin: int, end: int) -> tuple[Piece, Sequence[Move]] | None:
        """As of the bucket in which its first noon is, with what is not of that; None: that is more than half a day."""
        home = bisect_right(self.bounds, begin + HALF_S) - 1
        if not 0 <= home < len(self.bounds) - 1:
            return None
        start, stop = self.bounds[home : home + 2]
        before = self.bounds[home - 1] if home else None
        after = stop if stop < self.bounds[-1] else None
        moves = [Move(begin, start, start, before)] if begin < start else []
        moves += [Move(stop, end, start, after)] if stop < end else []
        is_far = (before or 0) > begin or (after and self.bounds[home + 2] < end)
        if is_far or sum(move.high - move.low for move in moves) > HALF_S:
            return None
        return Piece(grain, begin, end), moves

    def _grain(self, end: int) -> Grain:
        return self.closed if self.closed and end <= self.coarse.closed_to else "day"


def _append(pieces: list[Piece], piece: Piece) -> None:
    """As one with the last of them, where it goes on as that does."""
    if pieces and pieces[-1].grain == piece.grain and pieces[-1].high == piece.low:
        piece = Piece(piece.grain, pieces.pop().low, piece.high)
    pieces.append(piece)


def span_of(grain: Grain, zone: str, day: int) -> tuple[int, int]:
    """Where the month, or the third of one, begins and ends in which that day is (its midnight)."""
    return month_of(zone, day) if grain == MONTH else _third_of(zone, day)


@lru_cache(maxsize=20_000)
def month_of(zone: str, day: int) -> tuple[int, int]:
    month = window_at(MONTH_WINDOW, zone, day)
    return month.starts_at, month.ends_at or day


@lru_cache(maxsize=20_000)
def _third_of(zone: str, day: int) -> tuple[int, int]:
    """Ten days each, of which the last one has what is left of the month."""
    begin, end = month_of(zone, day)
    first = datetime.fromtimestamp(begin, ZoneInfo(zone)).date().replace(day=1)
    cuts = [midnight(zone, first + timedelta(days=_THIRD_DAYS * number)) for number in (1, 2)]
    return next(third for third in pairwise([begin, *cuts, end]) if day < third[1])
