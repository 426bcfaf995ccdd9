"""Statements as they are handed out: as JSON, with exact money as text, and as a sheet."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.http import HttpResponse

from accounts.csv_text import write_lines
from accounts.measures import write_exactly
from accounts.models import CentreStatement, Statement, StatementLine

_COUNTS = ("calls", "input_tokens", "output_tokens", "cached_read_tokens", "cached_write_tokens")
_OF_STATEMENT = (
    "number",
    "month",
    "zone",
    "starts_at",
    "ends_at",
    "closed_at",
    "team",
    "team_name",
    "cost_centre",
)
_OF_LINE = ("corrects", "project", "key", "key_name", "model", "provider", *_COUNTS)
_MONEY = ("cost_usd", "factor", "charge_usd", "own_cost_usd")
COLUMNS = (*_OF_STATEMENT, *_OF_LINE, *_MONEY)
TOTALS = (*_OF_STATEMENT, "calls", "cost_usd", "charge_usd")
"""Columns of a list of statements."""


def write_statement(statement: Statement) -> dict[str, Any]:
    """Without its lines."""
    return {
        "number": statement.number,
        "month": statement.month,
        "zone": statement.zone,
        "starts_at": _instant(statement.starts_at),
        "ends_at": _instant(statement.ends_at),
        "closed_at": _instant(statement.closed_at),
        "team": statement.team_slug,
        "team_name": statement.team_name,
        "cost_centre": statement.cost_centre,
        "calls": statement.calls,
        "cost_usd": write_exactly(statement.cost_usd),
        "charge_usd": write_exactly(statement.charge_usd),
    }


def write_line(line: StatementLine) -> dict[str, Any]:
    """`corrects` is a statement's number, or None."""
    return {
        "corrects": line.corrects_id,
        "project": line.project,
        "key": line.key,
        "key_name": line.key_name,
        "model": line.model,
        "provider": line.provider,
        **{name: getattr(line, name) for name in _COUNTS},
        "cost_usd": write_exactly(line.cost_usd),
        "factor": None if line.factor is None else write_exactly(line.factor),
        "charge_usd": write_exactly(line.charge_usd),
        "own_cost_usd": write_exactly(line.own_cost_usd),
    }


def send_statement(statement: Statement) -> HttpResponse:
    """As a sheet, each line of which says of which statement it is."""
    shared = write_statement(statement)
    lines = ({**shared, **write_line(line)} for line in statement.lines.all())
    return _sent(f"statement-{statement.number}", COLUMNS, lines)


def send_centre_statement(centre: CentreStatement) -> HttpResponse:
    """All lines of all statements that it sums up."""
    lines = (
        {**shared, **write_line(line)}
        for part in centre.parts.select_related("statement")
        for shared in [write_statement(part.statement)]
        for line in part.statement.lines.all()
    )
    return _sent(f"cost-centre-statement-{centre.number}", COLUMNS, lines)


def send_statements(statements: Iterable[Statement]) -> HttpResponse:
    return _sent("statements", TOTALS, map(write_statement, statements))


def _sent(name: str, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> HttpResponse:
    lines = [columns, *([_cell(column, row[column]) for column in columns] for row in rows)]
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}
    return HttpResponse(write_lines(lines), content_type="text/csv; charset=utf-8", headers=headers)


def _cell(column: str, value: Any) -> Any:
    """Money is a number, so that what is less than nothing is not read as a text."""
    return Decimal(value) if column in _MONEY and value is not None else value


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
