"""What rows of the ledger add up to, in SQL: the same as accounts.usage.measures makes of their records."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import connection

from accounts.models import LedgerEntry
from accounts.usage.measures import ATTEMPT, FAILED_OVER, MEASURES, MEMBERS, MOST, Sums
from accounts.windows import QUARTER_S


def read_sums(low: int, high: int) -> Sums:
    """Of entries that started in that time; Unix seconds, whole quarters of an hour."""
    adapt = connection.ops.adapt_datetimefield_value
    bounds = [adapt(datetime.fromtimestamp(at, UTC)) for at in (low, high)]
    with connection.cursor() as cursor:
        cursor.execute(ledger_sums(), bounds)
        width = len(MEMBERS)
        return {
            (tuple(row[:width]), int(row[width])): [int(value) for value in row[width + 1 :]]
            for row in cursor
        }


def has_rows_of_older_processes(low: int, high: int) -> bool:
    """Of the version before this one, which adds no usage up: they do not say what is charged."""
    begin, end = (datetime.fromtimestamp(at, UTC) for at in (low, high))
    rows = LedgerEntry.objects.filter(started_at__gte=begin, started_at__lt=end, charge_usd__isnull=True)
    return rows.order_by().exists()


class Failures(NamedTuple):
    """So many attempts of a quarter of an hour (its start) that did not end well, and how; `is_own`: by a team's own
    credential.
    """

    quarter: int
    model: str
    provider: str
    outcome: str
    error_code: str
    status: int | None
    is_own: bool
    attempts: int


def read_failures(low: int, high: int) -> Iterator[Failures]:
    """Of attempts that started in that time and failed, were failed over, or cut."""
    adapt = connection.ops.adapt_datetimefield_value
    bounds = [adapt(datetime.fromtimestamp(at, UTC)) for at in (low, high)]
    told = "model, provider, outcome, error_code, status, own_credential_id IS NOT NULL"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_quarter()}, {told}, COUNT(*) FROM accounts_ledgerentry"  # noqa: S608  # all of it is ours
            " WHERE started_at >= %s AND started_at < %s AND outcome IN ('failed', 'failed_over', 'cut')"
            f" AND kind = '{ATTEMPT}' GROUP BY 1, 2, 3, 4, 5, 6, 7",
            bounds,
        )
        yield from map(Failures._make, cursor.fetchall())


def _quarter() -> str:
    is_postgresql = connection.vendor == "postgresql"
    second = "FLOOR(EXTRACT(EPOCH FROM started_at))::bigint" if is_postgresql else _SQLITE_SECOND
    return f"{second} / {QUARTER_S} * {QUARTER_S}"


def ledger_sums() -> str:
    """By series and quarter of an hour, with places for the bounds of their time."""
    members = [name if length else f"COALESCE({name}, 0)" for name, length in MEMBERS.items()]
    quarter = _quarter()
    added = map(value_of, MEASURES)
    groups = ", ".join(str(place) for place in range(1, len(MEMBERS) + 2))
    return (
        f"SELECT {', '.join([*members, quarter])},"  # noqa: S608  # all of it is ours
        f" {', '.join(f'COALESCE(SUM({each}), 0)' for each in added)} FROM accounts_ledgerentry"
        f" WHERE started_at >= %s AND started_at < %s GROUP BY {groups}"
    )


def value_of(measure: str) -> str:
    """SQL of what a row adds to that measure."""
    values = _POSTGRESQL if connection.vendor == "postgresql" else _SQLITE
    return values.get(measure) or values["count"].format(name=measure)


def _of_attempts(value: str, also: str = "") -> str:
    return f"CASE WHEN kind = '{ATTEMPT}'{also} THEN {value} ELSE 0 END"


def _values(count: str, units: str, microseconds: str) -> dict[str, str]:
    """By measure; `count` is that of all others. In the words of one database, with a place for what is measured."""
    return {
        "calls": _of_attempts("1", f" AND outcome <> '{FAILED_OVER}'"),
        "attempts": _of_attempts("1"),
        "count": _of_attempts(count),
        "cost": units.format("cost_usd"),
        "charge": units.format("COALESCE(charge_usd, cost_usd)"),
        "loss": units.format("loss_usd"),
        "own_cost": units.format("own_cost_usd"),
        "latency_us": _of_attempts(microseconds.format("latency_ms")),
        "latency_told": _of_attempts("1", " AND latency_ms IS NOT NULL"),
        "first_token_us": _of_attempts(microseconds.format("first_token_ms")),
        "first_token_told": _of_attempts("1", " AND first_token_ms IS NOT NULL"),
        "estimated": _of_attempts("1", " AND is_estimated"),
    }


_POSTGRESQL = _values(
    count="CASE jsonb_typeof(usage->'{name}') WHEN 'number'"
    f" THEN LEAST(GREATEST(TRUNC((usage->>'{{name}}')::numeric), 0), {MOST})::bigint ELSE 0 END",
    units="({} * 10000000000)::bigint",
    microseconds=f"LEAST(GREATEST(FLOOR({{}} * 1000), 0), {MOST})::bigint",
)
_SQLITE = _values(
    count="CASE WHEN json_type(usage, '$.{name}') IN ('integer', 'real')"
    f" THEN MIN(MAX(CAST(json_extract(usage, '$.{{name}}') AS INTEGER), 0), {MOST}) ELSE 0 END",
    # SQLite keeps money as a float: each row is made whole before they are added.
    units="CAST(ROUND({} * 10000000000.0) AS INTEGER)",
    microseconds=f"MIN(MAX(CAST({{}} * 1000 AS INTEGER), 0), {MOST})",
)
_SQLITE_SECOND = "CAST(strftime('%%s', started_at) AS INTEGER)"
