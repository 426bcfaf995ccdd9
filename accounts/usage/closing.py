"""Closing days: what is over is summed up once more, coarsely, so that long times are read from few rows.

Sums of a closed day change seldom; whoever changes one opens it again (`rollups.reopen`), and it is closed anew.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from accounts.models import UsageBackfill
from accounts.usage import rollups
from accounts.usage.cohorts import Cohort, cohorts_of
from accounts.usage.faces import ALL, FACES, Face
from accounts.usage.measures import ERRORS, ERRORS_ARE, MEASURES
from accounts.usage.rollups import COARSE, DAYS, QUARTERS, UTC_ZONE
from accounts.usage.times import MONTH, OWN_DAY, UTC_DAY, Grain, midnights, month_of
from accounts.windows import DAY_S

RIPE_S = 2 * 3_600
"""A day is closed so long after its end: most of what is recorded late is there."""
_DAYS_AT_ONCE = 7
_ENDINGS = ", ".join(f"'{outcome}'" for outcome in ERRORS_ARE)
SUMMED: Mapping[str, str] = {ERRORS: f"SUM(CASE WHEN outcome IN ({_ENDINGS}) THEN calls END)"} | {
    name: f"SUM({name})" for name in MEASURES
}
"""What is added up, with its SQL over sums by series."""


def close_days(*, at: datetime) -> int:
    """Of all teams, a week of days that are over at most, the first ones first. How many; 0: none is left."""
    if UsageBackfill.objects.filter(before__gt=0).exists():
        return 0
    return sum(_close(cohort, int(at.timestamp())) for cohort in cohorts_of(None) if not cohort.is_rest)


@transaction.atomic
def _close(cohort: Cohort, now: int) -> int:
    ripe = midnights(cohort.zone, now - RIPE_S, now - RIPE_S)[0]
    if cohort.closed_to >= ripe:
        return 0
    rollups.lock()
    cohort = _by_ids(cohort)
    begin = cohort.closed_to or _first_day(cohort) or ripe
    starts = [*midnights(cohort.zone, begin, ripe)][: _DAYS_AT_ONCE + 1] if begin < ripe else [ripe]
    end = starts[-1]
    # Of a team none of whose days is closed, all that is there is of another zone.
    _forget(cohort, begin if cohort.closed_to else 0)
    if begin < end:
        _sum_up(cohort, begin, end)
    _run(f"{_MARK} WHERE {cohort.condition.format('its')} {_OR_MOVE}", [cohort.zone, end, *cohort.values])
    return len(starts) - 1


def _by_ids(cohort: Cohort) -> Cohort:
    """The same teams by their numbers, of which databases know how many there are; while the lock is held they stay."""
    teams = _run(
        "SELECT team_id FROM (SELECT id AS team_id FROM accounts_team) AS its"  # noqa: S608  # all of it is ours
        f" WHERE {cohort.condition.format('its')}",
        cohort.values,
    )
    ids = [team for (team,) in teams] or [0]
    return replace(cohort, condition=f"{{}}.team_id IN ({', '.join(['%s'] * len(ids))})", values=ids)


def _first_day(cohort: Cohort) -> int | None:
    rows = _run(
        f"SELECT MIN(starts_at) FROM {DAYS} JOIN accounts_usageseries AS series ON series.id = series_id"  # noqa: S608
        f" WHERE {cohort.condition.format('series')}",
        cohort.values,
    )
    first: int | None = rows[0][0]
    return first


def _forget(cohort: Cohort, begin: int) -> None:
    """What is left of days from there on, of their months, and of days of UTC that are not over by then."""
    _run(
        f"DELETE FROM {COARSE} WHERE {cohort.condition.format(COARSE)} AND (starts_at >= %s"  # noqa: S608
        " OR grain = %s AND starts_at >= %s OR grain = %s AND starts_at > %s)",
        [*cohort.values, begin, MONTH, month_of(cohort.zone, begin)[0], UTC_DAY, begin - DAY_S],
    )


@dataclass(frozen=True, slots=True)
class Source:
    """The sums by series that `grain` is made of; `start` says in SQL where each of them then begins."""

    grain: Grain
    table: str
    start: str

    def sums(self, condition: str, members: Sequence[str] = ()) -> str:
        """A SELECT of teams, starts, members and SUMMED, with places for a first start, one behind, and `condition`."""
        its = "".join(f", {name}" for name in members)
        return (
            f"SELECT team_id, {self.start}{its}, {', '.join(SUMMED.values())}"  # noqa: S608  # all of it is ours
            f" FROM {self.table} JOIN accounts_usageseries AS series ON series.id = series_id"
            f" WHERE starts_at >= %s AND starts_at < %s AND {condition} GROUP BY team_id, 2{its}"
        )


OF_DAYS = Source(OWN_DAY, DAYS, "starts_at")
OF_UTC = Source(UTC_DAY, QUARTERS, f"starts_at / {DAY_S} * {DAY_S}")


def source_of_month(low: int) -> Source:
    return Source(MONTH, DAYS, f"CAST({low} AS BIGINT)")


def _sum_up(cohort: Cohort, begin: int, end: int) -> None:
    months = list(months_of(cohort.zone, begin, end))
    for face in (face for face in FACES if face.has_days):
        _add(cohort, face, OF_DAYS, begin, end)
        if cohort.zone != UTC_ZONE:
            _add(cohort, face, OF_UTC, begin // DAY_S * DAY_S, end // DAY_S * DAY_S)
        for low, high in months:
            _add_month(cohort, face, low, high)
    for low, high in months:
        _add(cohort, ALL, source_of_month(low), low, high)


def months_of(zone: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Those that end after the one instant, and by the other."""
    low, high = month_of(zone, begin)
    while high <= end:
        yield low, high
        low, high = month_of(zone, high)


def _add(cohort: Cohort, face: Face, source: Source, low: int, high: int) -> None:
    sums = source.sums(cohort.condition.format("series"), face.members)
    _run(
        f"{_into(face)} SELECT %s, %s, its.* FROM ({sums}) AS its",  # noqa: S608
        [face.name, source.grain, low, high, *cohort.values],
    )


def _add_month(cohort: Cohort, face: Face, low: int, high: int) -> None:
    """From its closed days."""
    members = ", ".join(face.members)
    summed = ", ".join(f"SUM({name})" for name in SUMMED)
    _run(
        f"{_into(face)} SELECT face, %s, team_id, {low}, {members}, {summed} FROM {COARSE}"  # noqa: S608
        " WHERE face = %s AND grain = %s AND starts_at >= %s AND starts_at < %s"
        f" AND {cohort.condition.format(COARSE)} GROUP BY team_id, face, {members}",
        [MONTH, face.name, OWN_DAY, low, high, *cohort.values],
    )


def _into(face: Face) -> str:
    columns = ", ".join(["face", "grain", "team_id", "starts_at", *face.members, *SUMMED])
    return f"INSERT INTO {COARSE} ({columns})"


def _run(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


_MARK = (
    "INSERT INTO accounts_usageclosed (team_id, zone, closed_to)"
    " SELECT team_id, %s, %s FROM (SELECT id AS team_id FROM accounts_team) AS its"
)
_OR_MOVE = "ON CONFLICT (team_id) DO UPDATE SET zone = excluded.zone, closed_to = excluded.closed_to"
