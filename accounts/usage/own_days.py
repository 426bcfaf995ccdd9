"""What all teams used by days or months, each team's by its own: from the sums that tell most of them."""

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

BEFORE, WHOLE, TODAY, _BETWEEN = "before", "whole", "today", "between"
ADDED = (
    *("charge", "loss", "calls", "input_tokens", "output_tokens"),
    *("latency_us", "latency_told", "first_token_us", "first_token_told"),
    ERRORS,
)
"""Measures that are told."""
Sums = Mapping[str, int]
_Zones = Mapping[str, Sequence[Cohort]]


@dataclass(frozen=True, slots=True)
class OwnSteps:
    """`by_step` is of steps by their first days; `by_value` of one column's values, each with its part."""

    by_step: Mapping[date, Sums]
    by_value: Sequence[tuple[Any, str, Sums]]


def read_own_steps(
    steps: Sequence[date], today: date, earlier: date, column: str, of_steps: Collection[str] = ADDED
) -> OwnSteps:
    """Steps by their first days, the last of which goes on to the end of `today`. Parts are WHOLE, the days that are
    over; TODAY; and BEFORE, as many days as are over, from `earlier` on.

    `column` is one of UsageSeries; of steps only `of_steps` are told, other measures as 0. Three statements, over all
    teams and the operator itself.
    """
    tomorrow = today + timedelta(days=1)
    with as_it_is_now():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                # Else hundreds of thousands of days that are not closed are sorted on the disk, for a hundred groups.
                cursor.execute("SET LOCAL work_mem = '32MB'")
        zones = _zones()
        by_step: dict[date, Sums] = {}
        told = [name for name in ADDED if name in of_steps]
        for place, (), sums in _read(zones, [*steps, tomorrow], (), told):
            there = by_step.get(steps[place])
            by_step[steps[place]] = _add(there, sums) if there else sums
        first = steps[0]
        # Nothing lies between both times where they follow each other: then the second one begins there.
        parts = {
            earlier: BEFORE,
            earlier + (today - first): _BETWEEN,
            first: WHOLE,
            today: TODAY,
            tomorrow: _BETWEEN,
        }
        kinds = [*parts.values()]
        read = _read(zones, [*parts], (column,), ADDED)
        by_value = [(value, kinds[place], sums) for place, (value,), sums in read if kinds[place] != _BETWEEN]
        return OwnSteps(by_step, by_value)


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
