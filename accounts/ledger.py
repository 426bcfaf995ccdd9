"""Writing the ledger: many rows in one statement, each at most once."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, lru_cache, partial
from itertools import repeat
from math import modf
from operator import attrgetter
from typing import Any
from uuid import UUID

import orjson
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, connection, models, transaction

from accounts.attempts import AttemptClosed, AttemptOpened, AttemptRecord, clean
from accounts.models import LedgerEntry

_Find = Callable[[AttemptRecord], Any]
_Write = Callable[[Sequence[Any]], Iterable[str]]
_NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def insert_entries(records: Sequence[AttemptRecord]) -> Sequence[AttemptRecord]:
    """A row for each attempt, which has been closed, or none at all. Those that are new.

    An attempt that is there already is left as it is. Texts and numbers are made to fit the columns.
    Raises django.db.Error: DataError or IntegrityError where SQL refuses a row for its content; and ArithmeticError,
    TypeError or ValueError for a record that no spool of ours holds.
    """
    if not records:
        return ()
    if connection.vendor == "postgresql":
        # An attempt that is there already is rare: this process, or one before it, died between two writes.
        with suppress(IntegrityError):
            return _copy(records)
    return _insert(records)


def source_of(column: str) -> str | None:
    """Where a record has what a column keeps: itself, or the part that has a fact of that name.

    None for a column that has its default in the rows of attempts.
    """
    parts = ("", AttemptRecord), ("closed.", AttemptClosed), ("opened.", AttemptOpened)
    found = (
        f"{path}{column}"
        for path, part in parts
        if column in part.__dataclass_fields__ or hasattr(part, column)
    )
    return next(found, None)


@cache
def _columns() -> Sequence[tuple["models.Field[Any, Any]", str]]:
    """What is written of an attempt, each with its source."""
    sources = [(field, source_of(field.attname)) for field in LedgerEntry._meta.concrete_fields]
    return [(field, source) for field, source in sources if source]


def _copy(records: Sequence[AttemptRecord]) -> Sequence[AttemptRecord]:
    """All rows as one text: a third of what any INSERT costs the server. Raises IntegrityError for any conflict."""
    table, columns = _table_and_columns()
    text = _lines(records)
    statement = f"COPY {table} ({columns}) FROM STDIN"
    with transaction.atomic(), connection.cursor() as cursor, connection.wrap_database_errors:
        with cursor.copy(statement) as copy:
            copy.write(text)
        return records


def _insert(records: Sequence[AttemptRecord]) -> Sequence[AttemptRecord]:
    # By hand: the ORM holds the interpreter while it builds hundreds of rows, and calls stand still.
    table, columns = _table_and_columns()
    places = ", ".join(["%s"] * len(_preparers()))
    statement = f"INSERT INTO {table} ({columns}) VALUES ({places}) ON CONFLICT (attempt_id) DO NOTHING"  # noqa: S608
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            new = _missing(records)
            cursor.executemany(statement, list(map(_values, new)))
            return new
        return [record for record in records if _is_inserted(cursor, statement, record)]


def _missing(records: Sequence[AttemptRecord]) -> Sequence[AttemptRecord]:
    """Those that are not there, each once. SQLite lets one transaction write at a time, so that stays true."""
    by_id = {UUID(record.opened.attempt_id): record for record in reversed(records)}
    there = set(LedgerEntry.objects.filter(pk__in=by_id).values_list("pk", flat=True))
    return [by_id[id_] for id_ in reversed(by_id) if id_ not in there]


def _is_inserted(cursor: Any, statement: str, record: AttemptRecord) -> bool:
    """One after the other: only so does PostgreSQL say which of them were new."""
    cursor.execute(statement, _values(record))
    return bool(cursor.rowcount > 0)


def _values(record: AttemptRecord) -> tuple[Any, ...]:
    return tuple(prepare(find(record)) for find, prepare in _preparers())


def _table_and_columns() -> tuple[str, str]:
    quote = connection.ops.quote_name
    columns = (quote(str(field.column)) for field, _ in _columns())
    return quote(LedgerEntry._meta.db_table), ", ".join(columns)


def _lines(records: Sequence[AttemptRecord]) -> str:
    """The rows as COPY reads them, made column by column."""
    read, writers = _writers()
    columns = [
        write(values) for write, values in zip(writers, zip(*map(read, records), strict=True), strict=True)
    ]
    return "".join([f"{line}\n" for line in map("\t".join, zip(*columns, strict=True))])


@cache
def _writers() -> tuple[_Find, Sequence[_Write]]:
    """What reads the values of all columns, and what makes texts of those of each."""
    return attrgetter(*(source for _, source in _columns())), [_writer(field) for field, _ in _columns()]


def _writer(field: "models.Field[Any, Any]") -> _Write:
    """Each value is written once, since most columns of a batch have few, and many the same in all rows."""
    write = _text_of(field)
    match field:
        case models.DateTimeField():
            return partial(map, _instant)
        case models.UUIDField() | models.FloatField():
            return partial(map, write)
        case models.JSONField():
            return partial(_each_once, write, key=id)
    return partial(_each_once, write)


def _each_once(
    write: Callable[[Any], str], values: Sequence[Any], key: Callable[[Any], Any] | None = None
) -> Iterable[str]:
    """Raises TypeError for what is no value of a column."""
    names = list(map(key, values)) if key else values
    told = {name: write(value) for name, value in dict(zip(names, values, strict=True)).items()}
    if len(told) == 1:
        [text] = told.values()
        return repeat(text, len(names))
    return map(told.__getitem__, names)


def _instant(at: float | None) -> str:
    """In Unix seconds. Put together from its second, which many share."""
    if at is None:
        return _NULL
    part, second = modf(at)
    microseconds = round(part * 1e6)
    if 0 <= microseconds < 1_000_000:
        return f"{_second(second)}.{microseconds:06}+00"
    return str(datetime.fromtimestamp(at, UTC))


@lru_cache(1024)
def _second(at: float) -> str:
    return str(datetime.fromtimestamp(at, UTC))[:19]


def _text_of(field: "models.Field[Any, Any]") -> Callable[[Any], str]:
    fit = _fitter(field) or _as_it_is
    match field:
        case models.CharField():
            return lambda value: _escape(fit(value))
        case models.JSONField():
            return lambda value: _escape(orjson.dumps(value, default=str).decode())
    if field.null:
        return lambda value: _NULL if (fitting := fit(value)) is None else str(fitting)
    return str if fit is _as_it_is else lambda value: str(fit(value))


def _escape(text: str) -> str:
    if text.isprintable() and "\\" not in text:
        return text
    return text.translate(_ESCAPES)


def _fitter(field: "models.Field[Any, Any]") -> Callable[[Any], Any] | None:
    match field:
        case models.CharField(max_length=int(length)):
            return lambda value: clean(value, length)
        case models.PositiveSmallIntegerField():
            return lambda value: _clamp(value, 2**15 - 1)
        case models.PositiveBigIntegerField():
            return lambda value: _clamp(value, 2**63 - 1)
        case models.BigIntegerField():
            # Whose it is: nobody's row has the number 0.
            return lambda value: value or None
        case models.DateTimeField():
            return lambda value: None if value is None else datetime.fromtimestamp(value, UTC)
        case models.DecimalField():
            return Decimal
    return None


@cache
def _preparers() -> list[tuple[_Find, Callable[[Any], Any]]]:
    return [(attrgetter(source), _preparer(field)) for field, source in _columns()]


def _preparer(field: "models.Field[Any, Any]") -> Callable[[Any], Any]:
    fit = _fitter(field) or _as_it_is
    match field:
        case models.JSONField():
            return lambda value: connection.ops.adapt_json_value(value, DjangoJSONEncoder)
        case models.UUIDField() | models.FloatField() | models.DateTimeField() | models.DecimalField():
            return lambda value: field.get_db_prep_save(fit(value), connection)
    return fit


def _clamp(number: int | None, most: int) -> int | None:
    return None if number is None else min(max(number, 0), most)


def _as_it_is(value: Any) -> Any:
    return value
