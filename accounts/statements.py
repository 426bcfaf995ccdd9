"""Closing months: a numbered statement of what each team was charged, which is never changed.

A statement holds what the ledger has of its month, at the factors that are pinned there; and, of months that were
closed before, what has come to them since: all usage of theirs less all that statements have told of it. So what is
booked late is told exactly once, whenever it is booked, and however few rows the ledger still keeps.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.db import connection, transaction
from django.db.models import Sum

from accounts.alerts.raising import raise_alert
from accounts.measures import write_exactly
from accounts.models import Key, LedgerEntry, Statement, StatementLine, Team, UsageBackfill
from accounts.usage.of_ledger import value_of
from accounts.usage.question import Question
from accounts.usage.reader import read_total, read_usage
from accounts.windows import MONTH, Window, window_at
from gateway.core.refusals import InvalidField

SUMS = (
    "calls",
    "input_tokens",
    "output_tokens",
    "cached_read_tokens",
    "cached_write_tokens",
    "cost",
    "charge",
    "own_cost",
)
"""Of accounts.usage.measures, all that a line tells."""
_SHARED = ("project", "lineage_id", "model", "provider")
"""What both the ledger and usage tell lines apart by."""
_PLACES = Decimal("0.0001")
Shared = tuple[Any, ...]
"""Values of _SHARED."""


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month of a team, as 2026-10. `low` is in it, `high` is not: Unix seconds."""

    name: str
    zone: str
    low: int
    high: int


def close_due(*, at: datetime, days: int, most_s: float = 45.0) -> int:
    """Close what ended so many days ago, the oldest month first, for about so long. How many statements that made."""
    if not is_complete():
        return 0
    until_s, made = time.monotonic() + most_s, 0
    for team in Team.objects.order_by("pk"):
        months = list(open_months(team, before=at - timedelta(days=days)))
        for month in months:
            if time.monotonic() >= until_s:
                return made
            made += close_month(team, month, at=at, is_latest=month is months[-1]) is not None
    return made


def is_complete() -> bool:
    """Whether all usage is added up, also of before it was added up as it came."""
    return not UsageBackfill.objects.filter(before__gt=0).exists()


def open_months(team: Team, *, before: datetime) -> Iterator[Month]:
    """Those that had ended then, from the team's first entry on, of which there is no statement."""
    entries = LedgerEntry.objects.filter(team=team).order_by("started_at")
    first = entries.values_list("started_at", flat=True).first()
    if first is None:
        return
    closed = set(Statement.objects.filter(team=team).values_list("month", flat=True))
    window = window_at(MONTH, team.time_zone, first.timestamp())
    while (month := _month(window)).high <= before.timestamp():
        if month.name not in closed:
            yield month
        window = window_at(MONTH, team.time_zone, month.high)


def month_named(team: Team, name: str) -> Month:
    """By its name, as 2026-10. Raises InvalidField."""
    try:
        # Noon of the middle of the month, which is in it everywhere.
        middle = datetime.strptime(name, "%Y-%m").replace(day=15, hour=12, tzinfo=UTC)
    except ValueError:
        raise InvalidField("month", f"'{name[:40]}' is no month: write it as 2026-10.") from None
    return _month(window_at(MONTH, team.time_zone, middle.timestamp()))


@transaction.atomic
def close_month(team: Team, month: Month, *, at: datetime, is_latest: bool = True) -> Statement | None:
    """Its statement; None where there is nothing to tell, or it is closed already.

    A month in which nothing happened only tells what was put right of others where it is the latest.
    Raises InvalidField where it is not over, or where old usage is still being added up.
    """
    if month.high > at.timestamp():
        raise InvalidField("month", f"{month.name} is not over in {month.zone}.")
    if not is_complete():
        raise InvalidField("month", "Usage of earlier days is still being added up: close it later.")
    its = Statement.objects.filter(team=team)
    is_latest = is_latest and not its.filter(starts_at__gte=datetime.fromtimestamp(month.high, UTC)).exists()
    if not _has_entries(team, month) and not (is_latest and _is_anything_late(team)):
        return None
    # Whoever closes another month waits here, so that no two tell the same, and no number is left out.
    number = _take_number()
    month = _joined(team, month)
    lines = [] if its.filter(month=month.name).exists() else _lines(team, month)
    is_idle = all(line.corrects for line in lines)
    if not lines or (is_idle and not is_latest):
        transaction.set_rollback(True)
        return None
    return _write(number, team, month, lines, at)


def _month(window: Window) -> Month:
    assert window.ends_at is not None, "a month ends"  # noqa: S101
    middle = datetime.fromtimestamp((window.starts_at + window.ends_at) / 2, UTC)
    return Month(f"{middle:%Y-%m}", window.zone, window.starts_at, window.ends_at)


def _has_entries(team: Team, month: Month) -> bool:
    """In it, or so close to it that a change of the team's zone may have moved them into it."""
    low, high = month.low - _A_DAY_S, month.high + _A_DAY_S
    begin, end = datetime.fromtimestamp(low, UTC), datetime.fromtimestamp(high, UTC)
    return LedgerEntry.objects.filter(team=team, started_at__gte=begin, started_at__lt=end).exists()


def _is_anything_late(team: Team) -> bool:
    """Whether the time that is closed came to more or less, together, than was told of it."""
    its = Statement.objects.filter(team=team)
    first, last = its.order_by("starts_at").first(), its.order_by("ends_at").last()
    if first is None or last is None:
        return False
    low, high = int(first.starts_at.timestamp()), int(last.ends_at.timestamp())
    used = read_total(Question(low, high, team_id=team.pk))
    told = StatementLine.objects.filter(statement__team=team).aggregate(
        **{f"all_{name}": Sum(name) for name in SUMS}
    )
    return any(used[name] != told[f"all_{name}"] for name in SUMS)


def _joined(team: Team, month: Month) -> Month:
    """From where the month before it ended, to where the one after it began: the team may have moved between zones."""
    low, high = month.low, month.high
    for statement in Statement.objects.filter(team=team):
        if abs(statement.ends_at.timestamp() - month.low) <= _A_DAY_S:
            low = int(statement.ends_at.timestamp())
        elif abs(statement.starts_at.timestamp() - month.high) <= _A_DAY_S:
            high = int(statement.starts_at.timestamp())
    return Month(month.name, month.zone, low, high)


_A_DAY_S = 93_600
"""As far as midnight is apart in two zones: a day and two hours."""


def _take_number() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_statementnumber (id, last) VALUES (1, 1)"
            " ON CONFLICT (id) DO UPDATE SET last = accounts_statementnumber.last + 1 RETURNING last"
        )
        return int(cursor.fetchone()[0])


def _lines(team: Team, month: Month) -> list[StatementLine]:
    """Of the month, then of those before it whose statements are put right, the oldest first. None is saved."""
    lines = _of_ledger(team, month)
    told: dict[Shared, Counter[str]] = {}
    for line in lines:
        told.setdefault(attrgetter(*_SHARED)(line), Counter()).update(_sums_of(line))
    lines += _since(team, month.low, month.high, told, None)
    for earlier in Statement.objects.filter(team=team).order_by("starts_at"):
        low, high = int(earlier.starts_at.timestamp()), int(earlier.ends_at.timestamp())
        lines += _since(team, low, high, _told_of(earlier), earlier)
    names = Key.objects.in_bulk({line.lineage_id for line in lines})
    for position, line in enumerate(lines, start=1):
        line.position = position
        if key := names.get(line.lineage_id):
            line.key, line.key_name = key.public_id, key.name
    return lines


def _of_ledger(team: Team, month: Month) -> list[StatementLine]:
    """In one statement, so of one instant."""
    adapt = connection.ops.adapt_datetimefield_value
    bounds = [adapt(datetime.fromtimestamp(instant, UTC)) for instant in (month.low, month.high)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT project, COALESCE(lineage_id, 0) AS lineage, model, provider, charge_factor,"  # noqa: S608
            f" {', '.join(f'COALESCE(SUM({value_of(name)}), 0)' for name in SUMS)} FROM accounts_ledgerentry"
            " WHERE team_id = %s AND started_at >= %s AND started_at < %s"
            " GROUP BY project, lineage, model, provider, charge_factor"
            " ORDER BY project, lineage, model, provider, charge_factor",
            [team.pk, *bounds],
        )
        rows = cursor.fetchall()
    width = len(_SHARED)
    return [
        _line(row[:width], map(int, row[width + 1 :]), Decimal(str(row[width])).quantize(_PLACES))
        for row in rows
        if any(row[width + 1 :])
    ]


def _since(
    team: Team, low: int, high: int, told: Mapping[Shared, Mapping[str, int]], corrects: Statement | None
) -> list[StatementLine]:
    """What that time's usage is more, or less, than was told of it."""
    question = Question(low, high, groups=_SHARED, team_id=team.pk)
    used = {row.key[1:]: row.sums for row in read_usage(question)}
    lines = []
    for shared in sorted(used.keys() | told.keys()):
        now, then = used.get(shared, {}), told.get(shared, {})
        more = [now.get(name, 0) - then.get(name, 0) for name in SUMS]
        if any(more):
            lines.append(_line(shared, more, None, corrects))
    return lines


def _told_of(statement: Statement) -> dict[Shared, dict[str, int]]:
    """By itself and by all that put it right."""
    told: dict[Shared, Counter[str]] = {}
    own = StatementLine.objects.filter(statement=statement, corrects=None)
    for lines in (own, StatementLine.objects.filter(corrects=statement)):
        sums = lines.order_by().values(*_SHARED).annotate(**{f"all_{name}": Sum(name) for name in SUMS})
        for row in sums:
            shared = tuple(row[name] for name in _SHARED)
            told.setdefault(shared, Counter()).update({name: row[f"all_{name}"] for name in SUMS})
    return {shared: dict(sums) for shared, sums in told.items()}


def _line(
    shared: Sequence[Any], sums: Iterable[int], factor: Decimal | None, corrects: Statement | None = None
) -> StatementLine:
    told = dict(zip(_SHARED, shared, strict=True)) | dict(zip(SUMS, sums, strict=True))
    return StatementLine(factor=factor, corrects=corrects, **told)


def _sums_of(line: StatementLine) -> dict[str, int]:
    return {name: getattr(line, name) for name in SUMS}


def _write(number: int, team: Team, month: Month, lines: Sequence[StatementLine], at: datetime) -> Statement:
    made = Statement(
        number=number,
        team=team,
        team_slug=team.slug,
        team_name=team.name,
        cost_centre=team.cost_centre,
        month=month.name,
        zone=month.zone,
        starts_at=datetime.fromtimestamp(month.low, UTC),
        ends_at=datetime.fromtimestamp(month.high, UTC),
        closed_at=at,
        **{name: sum(getattr(line, name) for line in lines) for name in ("calls", "cost", "charge")},
    )
    made.save(force_insert=True)
    for line in lines:
        line.statement = made
    StatementLine.objects.bulk_create(lines, batch_size=500)
    raise_alert(
        "statement.ready",
        cause=f"statement {number}",
        team=team,
        data={
            "number": number,
            "period": made.period,
            "total_usd": write_exactly(made.charge_usd),
            "cost_centre": made.cost_centre,
            "closed_at": at.isoformat(),
        },
    )
    return made
