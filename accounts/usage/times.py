"""Into which buckets a range of time falls, and from which sums each is read. Pure; instants in Unix seconds.

A range's bounds are whole quarters of an hour, and so are all midnights: so far from UTC are all zones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from accounts.windows import DAY, DAY_S, QUARTER_S, window_at

QUARTER, HOUR, WHOLE_DAY, NONE = "15m", "1h", "1d", "none"
LONGEST_DAYS: Mapping[str, int] = {QUARTER: 31, HOUR: 184, WHOLE_DAY: 1_830, NONE: 3_660}
"""Of a range, by bucket."""
_WIDTHS_S = {QUARTER: QUARTER_S, HOUR: 3_600}
Grain = Literal["quarter", "day"]


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


def midnights(zone: str, low: int, high: int) -> list[int]:
    """Of all days that are in that time even in part: where each begins, and at last where the last one ends."""
    found = [window_at(DAY, zone, low).starts_at]
    while found[-1] < high:
        found.append(window_at(DAY, zone, found[-1]).ends_at or found[-1] + DAY_S)
    return found


def bounds_of(bucket: str, zone: str, low: int, high: int) -> list[int]:
    """Where buckets begin, and at last where they end: those of a zone's calendar, cut to the range."""
    if bucket == NONE:
        return [low, high]
    starts = midnights(zone, low, high)
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


def pieces_of(bounds: Sequence[int], zone: str) -> list[Piece]:
    """From which sums those buckets are added up, for a team whose days begin in `zone`.

    A day's are read where all of the day is in one bucket, and elsewhere its quarters of an hour.
    """
    low, high = bounds[0], bounds[-1]
    pieces: list[Piece] = []
    ends = iter(bounds[1:])
    end = next(ends)
    for day, next_ in pairwise(midnights(zone, low, high)):
        while end <= max(day, low):
            end = next(ends)
        grain: Grain = "day" if low <= day and next_ <= end else "quarter"
        first = pieces.pop().low if pieces and pieces[-1].grain == grain else max(day, low)
        pieces.append(Piece(grain, first, min(next_, high)))
    return pieces
