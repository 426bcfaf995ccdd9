"""Writing the ledger: many rows in one statement, each at most once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction

from accounts.models import LedgerEntry


@dataclass(frozen=True, slots=True)
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

    Raises django.db.Error: DataError or IntegrityError where SQL refuses a row for its content.
    """
    if not rows:
        return 0
    preparers = _preparers()
    values = [tuple(prepare(getattr(row, name)) for name, prepare in preparers) for row in rows]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(_statement(), values)
        return int(cursor.rowcount)


def _statement() -> str:
    quote = connection.ops.quote_name
    columns = [quote(str(field.column)) for field in LedgerEntry._meta.concrete_fields]
    # By hand: the ORM holds the interpreter while it builds hundreds of rows, and calls stand still.
    return (
        f"INSERT INTO {quote(LedgerEntry._meta.db_table)} ({', '.join(columns)}) "  # noqa: S608
        f"VALUES ({', '.join(['%s'] * len(columns))}) ON CONFLICT (attempt_id) DO NOTHING"
    )


@cache
def _preparers() -> list[tuple[str, Callable[[Any], Any]]]:
    return [(field.attname, _preparer(field)) for field in LedgerEntry._meta.concrete_fields]


def _preparer(field: "models.Field[Any, Any]") -> Callable[[Any], Any]:
    match field:
        case models.ForeignKey() | models.BooleanField():
            return lambda value: value
        case models.CharField(max_length=int(length)):
            return lambda value: _clean(value, length)
        case models.JSONField():
            return lambda value: connection.ops.adapt_json_value(value, DjangoJSONEncoder)
        case models.PositiveSmallIntegerField():
            return lambda value: _clamp(value, 2**15 - 1)
        case models.PositiveBigIntegerField():
            return lambda value: _clamp(value, 2**63 - 1)
    return lambda value: field.get_db_prep_save(value, connection)


def _clean(text: str, length: int) -> str:
    """What every database can store: no NUL, no lone surrogate, no longer than the column."""
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()[:length]


def _clamp(number: int | None, most: int) -> int | None:
    return None if number is None else min(max(number, 0), most)
