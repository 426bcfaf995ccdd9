"""Reading usage: what any groups used in any range, from the fewest sums that tell it, in one statement."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection, transaction

from accounts.models import Team
from accounts.usage.cohorts import Cohort, cohort_of, cohorts_of
from accounts.usage.measures import MEASURES
from accounts.usage.parts import THERE, parts_of
from accounts.usage.question import Question
from accounts.usage.times import NONE, WHOLE_DAY

_PARTS = 16
"""Of the buckets of a range, in the first of which a page's rows are looked for first."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one group used in one bucket. `key` are the bucket's start and the values of the groups."""

    key: tuple[Any, ...]
    sums: Mapping[str, int]
    """By name, of the measures that were asked for."""


def read_usage(
    question: Question, *, after: Sequence[Any] | None = None, limit: int | None = None
) -> list[Row]:
    """In the order of their keys; those that follow `after`, `limit` at most. What nobody used has no row."""
    with one_instant(question.team_id) as reader:
        return reader.read(question, after, limit)


class Reader:
    """Answers questions of one team, or of all, at one instant: see `one_instant`."""

    def __init__(self, team_id: int | None, team: Team | None = None) -> None:
        self._cohorts = [cohort_of(team)] if team else cohorts_of(team_id)

    def read(
        self, question: Question, after: Sequence[Any] | None = None, limit: int | None = None
    ) -> list[Row]:
        """As `read_usage` does."""
        is_long = question.bucket != NONE and not (question.cuts or question.largest)
        if limit is None or not is_long:
            return self._read(question, after, limit)
        rows: list[Row] = []
        for cuts in _stretches(question.bounds, after):
            part = replace(question, low=cuts[0], high=cuts[-1], cuts=cuts)
            rows += self._read(part, after, limit - len(rows))
            if len(rows) == limit:
                break
        return rows

    def _read(self, question: Question, after: Sequence[Any] | None, limit: int | None) -> list[Row]:
        width, names = len(question.groups) + 1, question.measures
        with connection.cursor() as cursor:
            cursor.execute(*statement_of(question, self._cohorts, after, limit))
            return [
                Row(tuple(row[:width]), dict(zip(names, map(int, row[width:]), strict=True)))
                for row in cursor
            ]


def _stretches(bounds: Sequence[int], after: Sequence[Any] | None) -> Iterator[Sequence[int]]:
    """Bounds of the buckets that a page may be of, each time of twice as many: what is not on it is not added up."""
    at = 0 if after is None else max(bisect_right(bounds, after[0]) - 1, 0)
    buckets = max((len(bounds) - 1) // _PARTS, 1)
    while at < len(bounds) - 1:
        yield bounds[at : at + buckets + 1]
        at += buckets
        buckets *= 2


@contextmanager
def one_instant(team_id: int | None, team: Team | None = None) -> Iterator[Reader]:
    """For several questions about that team, which are answered as all of it is now. `team` is for who has just read
    it, with its `usage_closed`.
    """
    # In which zone a team's days are, and which are closed, does not change between the statements.
    with as_it_is_now():
        yield Reader(team_id, team)


@contextmanager
def as_it_is_now() -> Iterator[None]:
    """A transaction that only reads: all of it as it is at its first statement, and without waiting for who writes."""
    with ExitStack() as stack:
        with _not_to_write():
            stack.enter_context(transaction.atomic(savepoint=False))
        if connection.vendor == "postgresql" and not connection.savepoint_ids:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


@contextmanager
def _not_to_write() -> Iterator[None]:
    """On SQLite a transaction that begins in it takes no turn among those that write."""
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    one: Any = connection
    usual, one.transaction_mode = one.transaction_mode, "DEFERRED"
    try:
        yield
    finally:
        one.transaction_mode = usual


def add_rows(rows: Sequence[Row]) -> Mapping[str, int]:
    """What they used together."""
    return {name: sum(row.sums[name] for row in rows) for name in MEASURES}


def read_total(question: Question) -> Mapping[str, int]:
    """What was used in all of the range."""
    return add_rows(read_usage(replace(question, bucket=NONE, groups=())))


def statement_of(
    question: Question,
    cohorts: Sequence[Cohort],
    after: Sequence[Any] | None = None,
    limit: int | None = None,
) -> tuple[str, list[Any]]:
    """What `Reader.read` asks, of those cohorts: buckets, groups and measures, and the values for its places."""
    parts = parts_of(question, cohorts)
    keys = ["bucket", *question.groups]
    groups, added = ", ".join(keys), ", ".join(f"COALESCE(SUM({name}), 0)" for name in question.measures)
    values = [value for part in parts for value in part.values]
    where = having = ""
    if after is not None:
        where = (
            f" WHERE ({groups}) > ({', '.join(['%s'] * len(keys))})"
            if len(keys) > 1
            else " WHERE bucket > %s"
        )
        values += after
    if any(part.is_moved for part in parts):
        # Of what was moved, nothing may be left.
        having = f" HAVING {' OR '.join(f'COALESCE(SUM({name}), 0) <> 0' for name in THERE)}"
    order = (
        f"{len(keys) + question.measures.index(question.largest) + 1} DESC, {groups}"
        if question.largest
        else groups
    )
    statement = (
        f"SELECT {groups}, {added} FROM ({' UNION ALL '.join(part.text for part in parts)}) AS part{where}"  # noqa: S608  # all of it is ours
        f" GROUP BY {groups}{having} ORDER BY {order}"
    )
    if limit is not None:
        statement += " LIMIT %s"
        values.append(limit)
    return statement, values


def is_read_from_quarters(question: Question) -> bool:
    """Whether it asks for days of teams that have others: then each is added up from quarters of an hour."""
    if question.bucket != WHOLE_DAY:
        return False
    teams = Team.objects.exclude(usage_zone=question.zone)
    return (teams if question.team_id is None else teams.filter(pk=question.team_id)).exists()
