"""Proving that usage and ledger agree, and days and quarters of an hour: whatever differs is told to the operator."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, pairwise
from typing import Any

from django.db import connection

from accounts.alerts.raising import raise_alert
from accounts.models import Team
from accounts.spending_proof import DAYS as NIGHTS
from accounts.usage.closing import OF_DAYS, OF_UTC, SUMMED, Source, source_of, spans_of
from accounts.usage.cohorts import Cohort, cohorts_of
from accounts.usage.faces import FACES
from accounts.usage.measures import MEASURES, MEMBERS, Series, Sums
from accounts.usage.of_ledger import has_rows_of_older_processes, read_sums
from accounts.usage.reader import as_it_is_now
from accounts.usage.repair import day_of, rebuild_day
from accounts.usage.rollups import COARSE, DAYS, QUARTERS, UTC_ZONE, cleaned
from accounts.usage.times import MONTH, THIRD, midnights
from accounts.windows import DAY_S

_log = logging.getLogger(__name__)
_TOLD_MOST = 20
_LONGEST_MONTH_S = 31 * DAY_S


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one series from one instant on, in one measure."""

    where: str
    measure: str
    found: int
    expected: int

    def __str__(self) -> str:
        return f"{self.where}: {self.measure} {self.found}, where {self.expected} is right"


def prove(*, at: datetime) -> Sequence[Difference]:
    """Compare usage of the last days with the ledger, and days with their quarters. All that differs, which is told.

    A day to which a process of an older version wrote is made anew instead: those add no usage up.
    """
    today = day_of(at)
    found: list[Difference] = []
    for day in range(today - (NIGHTS - 1) * DAY_S, today + 1, DAY_S):
        if has_rows_of_older_processes(day, day + DAY_S):
            rebuild_day(day)
        else:
            found += prove_quarters(day, day + DAY_S)
    for zone in {UTC_ZONE, *Team.objects.values_list("usage_zone", flat=True).order_by().distinct()}:
        found += prove_days(zone, today - (NIGHTS - 1) * DAY_S, today + DAY_S)
    found += prove_closed(today)
    if found:
        _alarm(found, at)
    return found


def prove_closed(today: int) -> Sequence[Difference]:
    """Of the last closed days and months, where coarser sums of a team differ from those by series."""
    low = today - (NIGHTS - 1) * DAY_S
    found: list[Difference] = []
    for cohort in cohorts_of(None):
        to = cohort.closed_to
        found += _prove_coarse(cohort, OF_DAYS, low, to)
        if cohort.zone != UTC_ZONE:
            found += _prove_coarse(cohort, OF_UTC, low, to // DAY_S * DAY_S)
        for grain in (THIRD, MONTH):
            for span in spans_of(
                grain, cohort.zone, midnights(cohort.zone, low, low)[0] - _LONGEST_MONTH_S, to
            ):
                found += _prove_coarse(cohort, source_of(grain, span[0]), *span)
    return found


def _prove_coarse(cohort: Cohort, source: Source, low: int, high: int) -> Iterator[Difference]:
    sums = ", ".join(f"SUM({name})" for name in SUMMED)
    condition = cohort.condition.format(COARSE)
    with as_it_is_now():
        right = _by_place(source.sums(cohort.condition.format("series")), [low, high, *cohort.team_ids], 2)
        told = _by_place(
            f"SELECT face, team_id, starts_at, {sums} FROM {COARSE}"  # noqa: S608  # all of it is ours
            f" WHERE grain = %s AND starts_at >= %s AND starts_at < %s AND {condition}"
            " GROUP BY face, team_id, starts_at",
            [source.grain, low, high, *cohort.team_ids],
            3,
        )
    faces = [face.name for face in FACES if source.grain in face.grains]
    expected = {(face, *place): its for place, its in right.items() for face in faces}
    nothing = [0] * len(SUMMED)
    for place in sorted(expected.keys() | told.keys()):
        face, team, start = place
        where = f"{source.grain} {_write(start)} of team {team}, {face}"
        yield from _compare(where, told.get(place, nothing), expected.get(place, nothing), tuple(SUMMED))


def _by_place(statement: str, values: Sequence[Any], width: int) -> dict[tuple[Any, ...], list[int]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return {tuple(row[:width]): [int(value or 0) for value in row[width:]] for row in cursor}


def prove_quarters(low: int, high: int) -> Sequence[Difference]:
    """Of quarters of an hour in that time, what differs from the ledger."""
    with as_it_is_now():
        expected, found = read_sums(low, high), _read_quarters(low, high)
    right = {(cleaned(series), quarter): row for (series, quarter), row in expected.items()}
    nothing = [0] * len(MEASURES)
    return [
        difference
        for place in sorted(right.keys() | found.keys())
        for difference in _compare(_name(*place), found.get(place, nothing), right.get(place, nothing))
    ]


def prove_days(zone: str, low: int, high: int) -> Sequence[Difference]:
    """Of teams whose days begin there, what differs of days from their quarters of an hour."""
    bounds = midnights(zone, low, high)
    days = ", ".join(["(%s, %s)"] * (len(bounds) - 1))
    with connection.cursor() as cursor:
        cursor.execute(
            _DAYS.format(days=days),
            [*chain.from_iterable(pairwise(bounds)), zone, bounds[0], bounds[-1], zone],
        )
        rows = cursor.fetchall()
    width = len(MEASURES)
    return [
        difference
        for series, starts_at, *sums in rows
        for difference in _compare(
            f"day {_write(starts_at)} of series {series}",
            [int(value) for value in sums[:width]],
            [int(value) for value in sums[width:]],
        )
    ]


def _read_quarters(low: int, high: int) -> Sums:
    columns = ", ".join([*MEMBERS, "starts_at", *MEASURES])
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM {QUARTERS} JOIN accounts_usageseries ON id = series_id"  # noqa: S608
            " WHERE starts_at >= %s AND starts_at < %s",
            [low, high],
        )
        width = len(MEMBERS)
        return {
            (tuple(row[:width]), row[width]): [value or 0 for value in row[width + 1 :]] for row in cursor
        }


def _alarm(found: Sequence[Difference], at: datetime) -> None:
    lines = list(map(str, found[:_TOLD_MOST]))
    what = f"Usage and the ledger differ in {len(found)} sums"
    _log.error("%s:\n%s", what, "\n".join(lines))
    raise_alert(
        "books.differ", cause="usage", window=at.date().isoformat(), data={"what": what, "lines": lines}
    )


def _compare(
    where: str, found: Sequence[int], expected: Sequence[int], names: Sequence[str] = MEASURES
) -> Iterable[Difference]:
    for measure, is_there, is_right in zip(names, found, expected, strict=True):
        if is_there != is_right:
            yield Difference(where, measure, is_there, is_right)


def _name(series: Series, quarter: int) -> str:
    told = ", ".join(f"{name} {value}" for name, value in zip(MEMBERS, series, strict=True) if value)
    return f"{_write(quarter)}, {told}"


def _write(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


_OF_ZONE = (
    "SELECT series.id FROM accounts_usageseries AS series"  # noqa: S608  # likewise
    " LEFT JOIN accounts_team AS team ON team.id = series.team_id"
    f" WHERE COALESCE(team.usage_zone, '{UTC_ZONE}') = %s"
)
_DAYS = (
    "WITH day (low, high) AS (VALUES {days}), compared AS ("  # noqa: S608  # all of it is ours
    f"SELECT series_id, starts_at, {', '.join(f'{name} AS found_{name}' for name in MEASURES)},"
    f" {', '.join(f'0 AS right_{name}' for name in MEASURES)}"
    f" FROM {DAYS} WHERE series_id IN ({_OF_ZONE}) AND starts_at >= %s AND starts_at < %s"
    f" UNION ALL SELECT series_id, day.low, {', '.join('0' for _ in MEASURES)}, {', '.join(MEASURES)}"
    f" FROM day JOIN {QUARTERS} AS quarter ON quarter.starts_at >= day.low AND quarter.starts_at < day.high"
    f" WHERE series_id IN ({_OF_ZONE}))"
    f" SELECT series_id, starts_at, {', '.join(f'COALESCE(SUM(found_{name}), 0)' for name in MEASURES)},"
    f" {', '.join(f'COALESCE(SUM(right_{name}), 0)' for name in MEASURES)} FROM compared GROUP BY series_id, starts_at"
    f" HAVING {' OR '.join(f'COALESCE(SUM(found_{name}), 0) <> COALESCE(SUM(right_{name}), 0)' for name in MEASURES)}"
)
