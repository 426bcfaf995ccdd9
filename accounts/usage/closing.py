"""Closing days: what is over is summed up once more, coarsely, so that long times are read from few rows.

Sums of a closed day change seldom; whoever changes one opens it again (`rollups.reopen`), and it is closed anew.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from accounts.models import UsageBackfill
from accounts.usage import rollups
from accounts.usage.cohorts import Cohort, closed_as, cohorts_of
from accounts.usage.faces import FACES, Face
from accounts.usage.measures import ERRORS, ERRORS_ARE, MEASURES
from accounts.usage.rollups import COARSE, DAYS, QUARTERS, UTC_ZONE
from accounts.usage.times import MONTH, OWN_DAY, THIRD, UTC_DAY, Grain, midnights, span_of
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
    # While the lock is held they stay as they are.
    if cohort not in cohorts_of(None):
        return 0
    begin = cohort.closed_to or _first_day(cohort) or ripe
    starts = [*midnights(cohort.zone, begin, ripe)][: _DAYS_AT_ONCE + 1] if begin < ripe else [ripe]
    end = starts[-1]
    # Of a team none of whose days is closed, all that is there is of another zone.
    _forget(cohort, begin if cohort.closed_to else 0)
    if begin < end:
        _sum_up(cohort, begin, end)
    _run(
        f"{_MARK} WHERE {cohort.condition.format('its')} {_OR_MOVE}",
        [closed_as(cohort.zone), end, *cohort.team_ids],
    )
    return len(starts) - 1


def _first_day(cohort: Cohort) -> int | None:
    rows = _run(
        f"SELECT MIN(starts_at) FROM {DAYS} JOIN accounts_usageseries AS series ON series.id = series_id"  # noqa: S608
        f" WHERE {cohort.condition.format('series')}",
        cohort.team_ids,
    )
    first: int | None = rows[0][0]
    return first


def _forget(cohort: Cohort, begin: int) -> None:
    """What is left of days from there on, of their months and thirds, and of days of UTC that are not over by then."""
    longer = [value for grain in (THIRD, MONTH) for value in (grain, span_of(grain, cohort.zone, begin)[0])]
    _run(
        f"DELETE FROM {COARSE} WHERE {cohort.condition.format(COARSE)} AND (starts_at >= %s"  # noqa: S608
        " OR grain = %s AND starts_at >= %s OR grain = %s AND starts_at >= %s OR grain = %s AND starts_at > %s)",
        [*cohort.team_ids, begin, *longer, UTC_DAY, begin - DAY_S],
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


def source_of(grain: Grain, low: int) -> Source:
    """Of the month, or the third of one, that begins there."""
    return Source(grain, DAYS, f"CAST({low} AS BIGINT)")


def _sum_up(cohort: Cohort, begin: int, end: int) -> None:
    for face in FACES:
        if face.has_days:
            _add(cohort, face, OF_DAYS, begin, end)
            if cohort.zone != UTC_ZONE:
                _add(cohort, face, OF_UTC, begin // DAY_S * DAY_S, end // DAY_S * DAY_S)
        else:
            for low, high in spans_of(THIRD, cohort.zone, begin, end):
                _add(cohort, face, source_of(THIRD, low), low, high)
        for low, high in spans_of(MONTH, cohort.zone, begin, end):
            _add_month(cohort, face, low, high)


def spans_of(grain: Grain, zone: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Months, or thirds of them, that end after the one instant, and by the other."""
    low, high = span_of(grain, zone, begin)
    while high <= end:
        yield low, high
        low, high = span_of(grain, zone, high)


def _add(cohort: Cohort, face: Face, source: Source, low: int, high: int) -> None:
    sums = source.sums(cohort.condition.format("series"), face.members)
    _run(
        f"{_into(face)} SELECT %s, %s, its.* FROM ({sums}) AS its",  # noqa: S608
        [face.name, source.grain, low, high, *cohort.team_ids],
    )


def _add_month(cohort: Cohort, face: Face, low: int, high: int) -> None:
    """From its closed days, or from its thirds."""
    members = ", ".join(face.members)
    summed = ", ".join(f"SUM({name})" for name in SUMMED)
    _run(
        f"{_into(face)} SELECT face, %s, team_id, {low}, {members}, {summed} FROM {COARSE}"  # noqa: S608
        " WHERE face = %s AND grain = %s AND starts_at >= %s AND starts_at < %s"
        f" AND {cohort.condition.format(COARSE)} GROUP BY team_id, face, {members}",
        [MONTH, face.name, OWN_DAY if face.has_days else THIRD, low, high, *cohort.team_ids],
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
