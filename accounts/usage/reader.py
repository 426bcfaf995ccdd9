"""Reading usage: what any groups used in any range, from the fewest sums that tell it, in one statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import connection, transaction

from accounts.models import Team
from accounts.usage.measures import MEASURES
from accounts.usage.rollups import DAYS, QUARTERS, UTC_ZONE
from accounts.usage.times import NONE, WHOLE_DAY, Piece, Run, bounds_of, pieces_of, runs_of

_TABLES = {"day": DAYS, "quarter": QUARTERS}
Filters = Mapping[str, Sequence[Any]]
"""By column of UsageSeries: values, of which a series has one."""


@dataclass(frozen=True, slots=True)
class Question:
    """What was used from `low` on and before `high` (Unix seconds, whole quarters of an hour).

    `bucket` is one of accounts.usage.times, in the calendar of `zone`. `groups` are columns of UsageSeries. `team_id`:
    None asks for all teams and for the operator itself.
    """

    low: int
    high: int
    bucket: str = NONE
    zone: str = UTC_ZONE
    groups: tuple[str, ...] = ()
    filters: Filters = field(default_factory=dict)
    team_id: int | None = None
    excluded: Filters = field(default_factory=dict)

    @property
    def bounds(self) -> Sequence[int]:
        return bounds_of(self.bucket, self.zone, self.low, self.high)


@dataclass(frozen=True, slots=True)
class Row:
    """What one group used in one bucket. `key` are the bucket's start and the values of the groups."""

    key: tuple[Any, ...]
    sums: Mapping[str, int]
    """By name of accounts.usage.measures.MEASURES."""


def read_usage(
    question: Question, *, after: Sequence[Any] | None = None, limit: int | None = None
) -> list[Row]:
    """In the order of their keys; those that follow `after`, `limit` at most. What nobody used has no row."""
    width = len(question.groups) + 1
    with transaction.atomic(), connection.cursor() as cursor:
        # In which zone a team's days are does not change between the two statements.
        see_one_instant()
        cursor.execute(*_statement(question, after, limit))
        return [
            Row(tuple(row[:width]), dict(zip(MEASURES, map(int, row[width:]), strict=True))) for row in cursor
        ]


def see_one_instant() -> None:
    """Let all that this transaction reads be as it is now; it has read nothing yet."""
    if connection.vendor == "postgresql" and not connection.savepoint_ids:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def add_rows(rows: Sequence[Row]) -> Mapping[str, int]:
    """What they used together."""
    return {name: sum(row.sums[name] for row in rows) for name in MEASURES}


def read_total(question: Question) -> Mapping[str, int]:
    """What was used in all of the range."""
    return add_rows(read_usage(replace(question, bucket=NONE, groups=())))


def _statement(question: Question, after: Sequence[Any] | None, limit: int | None) -> tuple[str, list[Any]]:
    parts: list[str] = []
    values: list[Any] = []
    for zone in _zones(question.team_id):
        for grain, pieces in _by_grain(pieces_of(question.bounds, zone)).items():
            part, its = _part(question, zone, grain, pieces)
            parts.append(part)
            values += its
    keys = ["bucket", *question.groups]
    groups, added = ", ".join(keys), ", ".join(f"COALESCE(SUM({name}), 0)" for name in MEASURES)
    where = ""
    if after is not None:
        where = (
            f" WHERE ({groups}) > ({', '.join(['%s'] * len(keys))})"
            if len(keys) > 1
            else " WHERE bucket > %s"
        )
        values += after
    statement = (
        f"SELECT {groups}, {added} FROM ({' UNION ALL '.join(parts)}) AS part{where}"  # noqa: S608  # all of it is ours
        f" GROUP BY {groups} ORDER BY {groups}"
    )
    if limit is not None:
        statement += " LIMIT %s"
        values.append(limit)
    return statement, values


def _zones(team_id: int | None) -> Sequence[str]:
    """In which days are made of those who are asked for."""
    teams = Team.objects.all() if team_id is None else Team.objects.filter(pk=team_id)
    found = set(teams.values_list("usage_zone", flat=True).order_by().distinct())
    return sorted(found | {UTC_ZONE}) if team_id is None else sorted(found or {UTC_ZONE})


def is_read_from_quarters(question: Question) -> bool:
    """Whether it asks for days of teams that have others: then each is added up from quarters of an hour."""
    if question.bucket != WHOLE_DAY:
        return False
    teams = Team.objects.exclude(usage_zone=question.zone)
    return (teams if question.team_id is None else teams.filter(pk=question.team_id)).exists()


def _by_grain(pieces: Sequence[Piece]) -> Mapping[str, Sequence[Piece]]:
    found: dict[str, list[Piece]] = {}
    for piece in pieces:
        found.setdefault(piece.grain, []).append(piece)
    return found


def _part(question: Question, zone: str, grain: str, pieces: Sequence[Piece]) -> tuple[str, list[Any]]:
    """Of sums of one grain, and of teams whose days begin in one zone."""
    groups = "".join(f", series.{name} AS {name}" for name in question.groups)
    places = ", ".join(str(place) for place in range(1, len(question.groups) + 2))
    ranges = " OR ".join(["sums.starts_at >= %s AND sums.starts_at < %s"] * len(pieces))
    conditions, of_series = _conditions(question, zone)
    bounds = [bound for piece in pieces for bound in (piece.low, piece.high)]
    added = ", ".join(f"SUM({name}) AS {name}" for name in MEASURES)
    statement = (
        f"SELECT {_bucket(runs_of(question.bounds))} AS bucket{groups}, {added}"  # noqa: S608  # all of it is ours
        f" FROM {_TABLES[grain]} AS sums JOIN accounts_usageseries AS series ON series.id = sums.series_id"
        f" WHERE ({ranges}){conditions} GROUP BY {places}"
    )
    return statement, [*bounds, *of_series]


def _bucket(runs: Sequence[Run]) -> str:
    """The start of the bucket in which sums are."""
    *others, last = map(_start, runs)
    if not others:
        return last
    cases = (
        f"WHEN sums.starts_at < {run.high} THEN {start}" for run, start in zip(runs, others, strict=False)
    )
    return f"CASE {' '.join(cases)} ELSE {last} END"


def _start(run: Run) -> str:
    if run.high - run.low == run.width:
        return f"CAST({run.low} AS BIGINT)"
    return f"{run.low} + (sums.starts_at - {run.low}) / {run.width} * {run.width}"


def _conditions(question: Question, zone: str) -> tuple[str, list[Any]]:
    if question.team_id is not None:
        found, values = [" AND series.team_id = %s"], list[Any]([question.team_id])
    else:
        is_rest, equals = ("NOT ", "<>") if zone == UTC_ZONE else ("", "=")
        teams = f"SELECT id FROM accounts_team WHERE usage_zone {equals} %s"  # noqa: S608
        found = [f" AND series.team_id {is_rest}IN ({teams})"]
        values = [zone]
    for negation, filters in (("", question.filters), ("NOT ", question.excluded)):
        for name, wanted in filters.items():
            found.append(f" AND series.{name} {negation}IN ({', '.join(['%s'] * len(wanted))})")
            values += wanted
    return "".join(found), values
