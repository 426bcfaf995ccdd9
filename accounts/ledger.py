"""Writing the ledger: many rows in one statement, each at most once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

import orjson
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction
from django.db.backends.utils import CursorWrapper

from accounts.models import LedgerEntry


@dataclass(slots=True)
class LedgerRow:
    """A row to be written, field for field as `LedgerEntry`; ids as UUID hex."""

    attempt_id: str
    call_id: str
    request_id: str
    number: int
    lane: str
    endpoint: str
    team_id: int
    key_id: int
    project: str
    requested_model: str
    redirected_from: str
    model: str
    provider: str
    upstream_name: str
    is_streamed: bool
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    status: int | None
    error_code: str
    input_tokens: int | None
    output_tokens: int | None
    usage: Mapping[str, int]
    is_estimated: bool
    prices: Sequence[Mapping[str, Any]]
    cost_usd: Decimal
    loss_usd: Decimal
    latency_ms: float | None
    first_token_ms: float | None


def insert_entries(rows: Sequence[LedgerRow]) -> int:
    """Write all rows or none; one whose attempt is there already is left as it is. The number of new rows.

    Their texts and numbers are made to fit the columns.
    Raises django.db.Error: DataError or IntegrityError where SQL refuses a row for its content.
    """
    if not rows:
        return 0
    # By hand: the ORM holds the interpreter while it builds hundreds of rows, and calls stand still.
    insert = _insert_document if connection.vendor == "postgresql" else _insert_tuples
    with transaction.atomic(), connection.cursor() as cursor:
        insert(cursor, rows)
        return int(cursor.rowcount)


def _insert_document(cursor: CursorWrapper, rows: Sequence[LedgerRow]) -> None:
    """All rows as one JSON parameter: a quarter of what binding each value costs client and server."""
    for row in rows:
        _make_fit(row)
    document = orjson.dumps(rows, default=str).decode()
    table, columns = _table_and_columns()
    source = f"json_populate_recordset(NULL::{table}, %s::json)"
    cursor.execute(
        f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {source} "  # noqa: S608
        "ON CONFLICT (attempt_id) DO NOTHING",
        [document],
    )


def _insert_tuples(cursor: CursorWrapper, rows: Sequence[LedgerRow]) -> None:
    preparers = _preparers()
    values = [tuple(prepare(getattr(row, name)) for name, prepare in preparers) for row in rows]
    table, columns = _table_and_columns()
    places = ", ".join(["%s"] * len(preparers))
    cursor.executemany(
        f"INSERT INTO {table} ({columns}) VALUES ({places}) ON CONFLICT (attempt_id) DO NOTHING",  # noqa: S608
        values,
    )


def _table_and_columns() -> tuple[str, str]:
    quote = connection.ops.quote_name
    columns = (quote(str(field.column)) for field in LedgerEntry._meta.concrete_fields)
    return quote(LedgerEntry._meta.db_table), ", ".join(columns)


def _make_fit(row: LedgerRow) -> None:
    """Change what its columns cannot hold."""
    for name, fit in _fitters():
        given = getattr(row, name)
        if (fitting := fit(given)) is not given:
            setattr(row, name, fitting)


@cache
def _fitters() -> list[tuple[str, Callable[[Any], Any]]]:
    fields = LedgerEntry._meta.concrete_fields
    return [(field.attname, fit) for field in fields if (fit := _fitter(field))]


def _fitter(field: "models.Field[Any, Any]") -> Callable[[Any], Any] | None:
    match field:
        case models.CharField(max_length=int(length)):
            return lambda value: _clean(value, length)
        case models.PositiveSmallIntegerField():
            return lambda value: _clamp(value, 2**15 - 1)
        case models.PositiveBigIntegerField():
            return lambda value: _clamp(value, 2**63 - 1)
    return None


@cache
def _preparers() -> list[tuple[str, Callable[[Any], Any]]]:
    return [(field.attname, _preparer(field)) for field in LedgerEntry._meta.concrete_fields]


def _preparer(field: "models.Field[Any, Any]") -> Callable[[Any], Any]:
    if fit := _fitter(field):
        return fit
    match field:
        case models.ForeignKey() | models.BooleanField():
            return lambda value: value
        case models.JSONField():
            return lambda value: connection.ops.adapt_json_value(value, DjangoJSONEncoder)
    return lambda value: field.get_db_prep_save(value, connection)


def _clean(text: str, length: int) -> str:
    """What every database can store: no NUL, no lone surrogate, no longer than the column."""
    if len(text) <= length and text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()[:length]


def _clamp(number: int | None, most: int) -> int | None:
    return None if number is None else min(max(number, 0), most)
