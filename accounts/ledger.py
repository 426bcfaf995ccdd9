"""Writing the ledger: many rows in one statement, each at most once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Any

import orjson
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, connection, models, transaction

from accounts.models import LedgerEntry

_NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


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
    if connection.vendor == "postgresql":
        # An attempt that is there already is rare: this process, or one before it, died between two writes.
        with suppress(IntegrityError):
            return _copy(rows)
    return _insert(rows)


def _copy(rows: Sequence[LedgerRow]) -> int:
    """All rows as one text: a third of what any INSERT costs the server. Raises IntegrityError for any conflict."""
    table, columns = _table_and_columns()
    text = _lines(rows)
    with transaction.atomic(), connection.cursor() as cursor, connection.wrap_database_errors:
        with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            copy.write(text)
        return int(cursor.rowcount)


def _insert(rows: Sequence[LedgerRow]) -> int:
    # By hand: the ORM holds the interpreter while it builds hundreds of rows, and calls stand still.
    preparers = _preparers()
    values = [tuple(prepare(getattr(row, name)) for name, prepare in preparers) for row in rows]
    table, columns = _table_and_columns()
    places = ", ".join(["%s"] * len(preparers))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} ({columns}) VALUES ({places}) ON CONFLICT (attempt_id) DO NOTHING",  # noqa: S608
            values,
        )
        return int(cursor.rowcount)


def _table_and_columns() -> tuple[str, str]:
    quote = connection.ops.quote_name
    columns = (quote(str(field.column)) for field in LedgerEntry._meta.concrete_fields)
    return quote(LedgerEntry._meta.db_table), ", ".join(columns)


def _lines(rows: Sequence[LedgerRow]) -> str:
    """The rows as COPY reads them, made column by column: so most values never meet a function of ours."""
    columns = [write(map(attrgetter(name), rows)) for name, write in _writers()]
    return "".join([f"{line}\n" for line in map("\t".join, zip(*columns, strict=True))])


@cache
def _writers() -> list[tuple[str, Callable[[Iterable[Any]], Iterable[str]]]]:
    return [(field.attname, _writer(field)) for field in LedgerEntry._meta.concrete_fields]


def _writer(field: "models.Field[Any, Any]") -> Callable[[Iterable[Any]], Iterable[str]]:
    """What makes texts of a column's values."""
    fit = _fitter(field) or _as_it_is
    match field:
        case models.CharField():
            return lambda values: [_escape(fit(value)) for value in values]
        case models.JSONField():
            return lambda values: [_escape(orjson.dumps(value, default=str).decode()) for value in values]
    if field.null:
        return lambda values: [_NULL if value is None else str(fit(value)) for value in values]
    return lambda values: map(str, map(fit, values))


def _escape(text: str) -> str:
    if text.isprintable() and "\\" not in text:
        return text
    return text.translate(_ESCAPES)


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


def _as_it_is(value: Any) -> Any:
    return value
