"""The ledger as CSV or lines of JSON: a page at a time, so that it may be long and holds nothing."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson
from asgiref.sync import sync_to_async
from django.db import close_old_connections, connection

from accounts.csv_text import write_lines
from accounts.ledger_names import read_names
from accounts.measures import write_exactly
from accounts.querysets import CHARGED, LedgerQuerySet

MOST_ROWS = 1_000_000
_PAGE_ROWS = 2_000
_CUT = f"The list ends here, at {MOST_ROWS:,} rows: narrow it to get the others."
COLUMNS = (
    "attempt_id",
    "call_id",
    "request_id",
    "number",
    "started_at",
    "ended_at",
    "team",
    "key",
    "key_name",
    "project",
    "requested_model",
    "redirected_from",
    "model",
    "provider",
    "upstream_name",
    "endpoint",
    "lane",
    "is_streamed",
    "outcome",
    "status",
    "error_code",
    "input_tokens",
    "output_tokens",
    "is_estimated",
    "cost_usd",
    "loss_usd",
    "latency_ms",
    "first_token_ms",
    "end_user",
    "kind",
    "corrects_id",
    "charge_factor",
    "charged_usd",
    "surface",
    "note",
    "own_credential_id",
    "own_cost_usd",
    "recorded_at",
)
_FROM_ELSEWHERE = {"team", "key", "key_name", "charged_usd"}
FACTS = ["team_id", "key_id", *(name for name in COLUMNS if name not in _FROM_ELSEWHERE)]

Row = Mapping[str, Any]


async def csv_parts(rows: LedgerQuerySet) -> AsyncIterator[str]:
    """The head, then page after page. Each is read once the one before has left, by a query of its own."""
    yield head("csv")
    written, page = 0, await _read(rows, None)
    while page:
        yield body("csv", page)
        written += len(page)
        if written >= MOST_ROWS:
            yield write_lines([[_CUT]])
            return
        page = await _read(rows, page[-1])


def head(form: str) -> str:
    """What such a file begins with: `csv`, or `jsonl`, in which each row is an object on a line."""
    return write_lines([COLUMNS]) if form == "csv" else ""


def body(form: str, rows: Iterable[Row]) -> str:
    if form == "csv":
        return write_lines([row[name] for name in COLUMNS] for row in rows)
    return "".join(f"{_as_json({name: row[name] for name in COLUMNS})}\n" for row in rows)


def _as_json(row: Row) -> str:
    """Money is text with all its digits."""
    return orjson.dumps(row, default=_write_money).decode()


def _write_money(value: Any) -> str:
    if isinstance(value, Decimal):
        return write_exactly(value)
    raise TypeError


@sync_to_async
def _read(rows: LedgerQuerySet, last: Row | None) -> Sequence[Row]:
    if last is not None:
        rows = rows.after(last["started_at"], last["attempt_id"])
    try:
        return named(
            rows.order_by("-started_at", "-attempt_id").values(*FACTS, charged_usd=CHARGED)[:_PAGE_ROWS]
        )
    finally:
        # Whoever reads slowly holds no connection.
        if not connection.in_atomic_block:
            close_old_connections()


def named(rows: Iterable[Row]) -> Sequence[Row]:
    """With the names that rows of FACTS and `charged_usd` refer to: what `body` writes."""
    page = list(rows)
    names = read_names((row["team_id"], row["key_id"]) for row in page)
    return [
        {
            **row,
            "team": names.team(row["team_id"]),
            "key": names.public_id(row["key_id"]),
            "key_name": names.key(row["key_id"]),
        }
        for row in page
    ]
