"""What all teams used by days, each team's by its own: from the sums that tell most of them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from django.db import connection

from accounts.usage.cohorts import Cohort, cohorts_of
from accounts.usage.measures import ERRORS
from accounts.usage.question import Question
from accounts.usage.reader import as_it_is_now, statement_of
from accounts.usage.times import midnight

BEFORE, WHOLE, TODAY = 0, 1, 2
ADDED = (
    *("charge", "loss", "calls", "input_tokens", "output_tokens"),
    *("latency_us", "latency_told", "first_token_us", "first_token_told"),
    ERRORS,
)
"""Measures that are told."""
Sums = Mapping[str, int]
_Zones = Mapping[str, Sequence[Cohort]]


@dataclass(frozen=True, slots=True)
class OwnDays:
    """Days from `first` to `today`, and as many before them as are over of those.

    `by_day` is of `first` to `today`; `by_value` of one column's values, each with its part (BEFORE, WHOLE or TODAY).
    """

    by_day: Mapping[date, Sums]
    by_value: Sequence[tuple[Any, int, Sums]]


def read_own_days(first: date, today: date, column: str, of_days: Collection[str] = ADDED) -> OwnDays:
    """`column` is one of UsageSeries; of single days only `of_days` are told, the others as 0. Three statements, over
    all teams and the operator itself.
    """
    tomorrow = today + timedelta(days=1)
    with as_it_is_now():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                # Else hundreds of thousands of days that are not closed are sorted on the disk, for a hundred groups.
                cursor.execute("SET LOCAL work_mem = '32MB'")
        zones = _zones()
        days = [first + timedelta(days=number) for number in range((tomorrow - first).days + 1)]
        by_day: dict[date, Sums] = {}
        for place, (), sums in _read(zones, days, (), [name for name in ADDED if name in of_days]):
            there = by_day.get(days[place])
            by_day[days[place]] = _add(there, sums) if there else sums
        parts = [first - (today - first), first, today, tomorrow]
        by_value = [(value, place, sums) for place, (value,), sums in _read(zones, parts, (column,), ADDED)]
        return OwnDays(by_day, by_value)


def _zones() -> _Zones:
    found = sorted(cohorts_of(None), key=lambda each: each.zone)
    return {zone: list(its) for zone, its in groupby(found, key=lambda each: each.zone)}


def _read(
    zones: _Zones, days: Sequence[date], groups: tuple[str, ...], measures: Sequence[str]
) -> Iterator[tuple[int, Sequence[Any], Sums]]:
    """From each day up to the next, by each zone's midnights: its place, values of the groups, and the sums."""
    places: list[Mapping[int, int]] = []
    parts: list[str] = []
    values: list[Any] = []
    for zone, cohorts in zones.items():
        # Where a zone had no such day, it has its number from the one before.
        cuts = {midnight(zone, day): place for place, day in reversed([*enumerate(days)])}
        bounds = sorted(cuts)
        question = Question(bounds[0], bounds[-1], groups=groups, cuts=bounds, measures=measures)
        text, its = statement_of(question, cohorts)
        parts.append(f"SELECT {len(places)} AS place, its.* FROM ({text}) AS its")  # noqa: S608  # all of it is ours
        places.append(cuts)
        values += its
    width = 2 + len(groups)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), values)
        for row in cursor.fetchall():
            sums = dict.fromkeys(ADDED, 0) | dict(zip(measures, map(int, row[width:]), strict=True))
            yield places[row[0]][row[1]], row[2:width], sums


def _add(one: Sums, other: Sums) -> Sums:
    return {name: one[name] + other[name] for name in ADDED}
