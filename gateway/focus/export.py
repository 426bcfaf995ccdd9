"""Reading the ledger for FOCUS: a day of a team at a time, each page by a query of its own."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Literal

from asgiref.sync import sync_to_async
from django.db import close_old_connections, connection
from django.db.models import Q

from accounts.csv_text import write_lines
from accounts.ledger_names import read_names
from accounts.models import LedgerEntry, Statement, Team
from accounts.querysets import CHARGED
from accounts.usage.times import midnights
from accounts.windows import MONTH, window_at
from gateway.focus.rows import COLUMNS, Account, Day, Entry, Invoice, Period, as_cells, as_json

Format = Literal["csv", "jsonl"]
_PAGE_ROWS = 2_000
_FACTS = (
    *(
        "attempt_id",
        "started_at",
        "ended_at",
        "recorded_at",
        "key_id",
        "project",
        "model",
        "provider",
        "kind",
        "usage",
    ),
    *("prices", "cost_usd", "loss_usd", "own_cost_usd", "own_credential_id", "charge_factor"),
)


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days of one team, in its zone."""

    team_id: int
    account: Account
    zone: str
    days: Sequence[Period]


def spans_of(team: Team | None, low: float, high: float) -> list[Span]:
    """Of the team, or of all that have entries there; those days that are in that time even in part."""
    if team is not None:
        return [_span(team.pk, team, low, high)]
    # A team's days may begin earlier or end later than those bounds.
    begin, end = (datetime.fromtimestamp(at, UTC) for at in (low - 86_400, high + 86_400))
    rows = LedgerEntry.objects.filter(started_at__gte=begin, started_at__lt=end).exclude(team_id=0)
    ids = set(rows.order_by().values_list("team_id", flat=True).distinct())
    teams = Team.objects.in_bulk(ids)
    return [_span(id_, teams.get(id_), low, high) for id_ in sorted(ids)]


def _span(team_id: int, team: Team | None, low: float, high: float) -> Span:
    if team is None:
        account, zone = Account(str(team_id), f"gone, number {team_id}", ""), "UTC"
    else:
        account, zone = Account(team.slug, team.name, team.cost_centre), team.time_zone
    bounds = midnights(zone, int(low), int(high))
    return Span(team_id, account, zone, [Period(*pair) for pair in pairwise(bounds)])


async def parts_of(spans: Sequence[Span], form: Format) -> AsyncIterator[str]:
    """The export, day after day; each is read once the one before has left."""
    read = sync_to_async(_read_day)
    if form == "csv":
        yield write_lines([COLUMNS])
    for span in spans:
        for day in span.days:
            if text := await read(span, day, form):
                yield text


def texts_of(spans: Sequence[Span], form: Format) -> Iterator[str]:
    """The same, where nobody waits."""
    if form == "csv":
        yield write_lines([COLUMNS])
    for span in spans:
        for day in span.days:
            yield _read_day(span, day, form)


def _read_day(span: Span, day: Period, form: Format) -> str:
    try:
        rows = rows_of(span, day)
    finally:
        # Whoever reads slowly holds no connection.
        if not connection.in_atomic_block:
            close_old_connections()
    return write_lines(map(as_cells, rows)) if form == "csv" else "".join(map(as_json, rows))


def rows_of(span: Span, day: Period) -> list[dict[str, Any]]:
    """Of that day."""
    made, invoices = Day(day), _Invoices(span)
    for entry in _entries(span.team_id, day):
        made.add(entry, invoices.of(entry))
    names = read_names((span.team_id, key_id) for key_id in made.key_ids)
    keys = {id_: (key.public_id, key.name) for id_, key in names.keys.items()}
    return made.rows(span.account, keys)


def _entries(team_id: int, day: Period) -> Iterator[Entry]:
    begin, end = (datetime.fromtimestamp(at, UTC) for at in (day.low, day.high))
    rows = LedgerEntry.objects.filter(team_id=team_id, started_at__gte=begin, started_at__lt=end)
    rows = rows.order_by("started_at", "attempt_id")
    while page := list(rows.values(*_FACTS, charged_usd=CHARGED)[:_PAGE_ROWS]):
        yield from page
        at, id_ = page[-1]["started_at"], page[-1]["attempt_id"]
        rows = rows.filter(started_at__gte=at).exclude(Q(started_at=at) & Q(attempt_id__lte=id_))


class _Invoices:
    """Where entries are billed: in their own month, or in the next statement where that one was made before.

    A billing period is that of the invoice which a charge is on, whenever it was used: so those of a period add up to
    its invoice. What comes for one that is closed is a correction of it, late calls too (FOCUS 1.2, glossary:
    Billing Period, Correction).
    """

    def __init__(self, span: Span) -> None:
        self._zone = span.zone
        self._statements = list(Statement.objects.filter(team_id=span.team_id).order_by("number"))

    def of(self, entry: Entry) -> Invoice:
        started_at = entry["started_at"]
        booked_at = entry["recorded_at"] or entry["ended_at"] or started_at
        own = next((each for each in self._statements if each.starts_at <= started_at < each.ends_at), None)
        if own is None:
            return self._month_at(started_at)
        if booked_at < own.closed_at:
            return _on(own)
        later = (each for each in self._statements if each.number > own.number and each.closed_at > booked_at)
        if (found := next(later, None)) is not None:
            return _on(found, is_late=True)
        # The next one that is made is of the month that follows the last.
        return self._month_at(max(each.ends_at for each in self._statements), is_late=True)

    def _month_at(self, at: datetime, *, is_late: bool = False) -> Invoice:
        month = window_at(MONTH, self._zone, at.timestamp())
        return Invoice(Period(month.starts_at, month.ends_at or month.starts_at), is_late=is_late)


def _on(statement: Statement, *, is_late: bool = False) -> Invoice:
    period = Period(int(statement.starts_at.timestamp()), int(statement.ends_at.timestamp()))
    return Invoice(period, statement.number, is_late)
