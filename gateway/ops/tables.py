"""Whether the tables are really those that the applied migrations make: names alone do not tell.

Migrations were edited in place until 25 November 2026, so a database may say that all are applied and lack a column.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Model

OUR_APPS = frozenset({"gateway", "catalogue", "providers", "accounts"})
# What a first migration of 25 November did not make yet; accounts.0002 and providers.0002 do.
COMPLETED_LATER = frozenset(
    {
        "accounts_team has no column keeps_responses",
        "there is no table accounts_storedresponse",
        "there is no table providers_alarm",
    }
)
_CONSTRAINT = re.compile(r'CONSTRAINT "(\w+)"')


@dataclass(frozen=True, slots=True)
class Column:
    type: str
    is_nullable: bool


@dataclass(frozen=True, slots=True)
class Tables:
    columns: Mapping[str, Mapping[str, Column]]
    """By table, then by column."""
    names: frozenset[str] = field(repr=False)
    """Of named constraints and indexes, of all tables."""


def find_differences() -> list[str]:
    """What the database has otherwise than its applied migrations make it; a phrase each. Raises django.db.Error."""
    executor = MigrationExecutor(connection)
    applied = [node for node in executor.loader.applied_migrations if node in executor.loader.graph.nodes]
    state = executor.loader.project_state(applied, at_end=True)
    models = [
        model
        for model in state.apps.get_models(include_auto_created=True)
        if model._meta.app_label in OUR_APPS and model._meta.managed and not model._meta.proxy
    ]
    with connection.cursor() as cursor:
        found = _read_postgresql(cursor) if connection.vendor == "postgresql" else _read_sqlite(cursor)
    differences = list(_differences(models, found))
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return [difference for difference in differences if difference not in COMPLETED_LATER]
    return differences


def _differences(models: Iterable[type[Model]], found: Tables) -> Iterator[str]:
    for model in models:
        table = model._meta.db_table
        if table not in found.columns:
            yield f"there is no table {table}"
            continue
        yield from _column_differences(table, _expected_columns(model), found.columns[table])
        named = [*model._meta.constraints, *model._meta.indexes]
        yield from (f"{table} has no {one.name}" for one in named if one.name not in found.names)


def _column_differences(
    table: str, expected: Mapping[str, Column], found: Mapping[str, Column]
) -> Iterator[str]:
    yield from (f"{table} has no column {name}" for name in expected if name not in found)
    yield from (f"{table} has a column {name} that is not ours" for name in found if name not in expected)
    for name in expected.keys() & found.keys():
        wanted, real = expected[name], found[name]
        if wanted != real:
            yield f"{table}.{name} is {_say(real)}, not {_say(wanted)}"


def _say(column: Column) -> str:
    return f"{column.type}{' or null' if column.is_nullable else ''}"


def _expected_columns(model: type[Model]) -> dict[str, Column]:
    return {
        column.column: Column(_plain(column.db_type(connection) or ""), column.null)
        for column in model._meta.local_concrete_fields
        if column.column
    }


def _plain(kind: str) -> str:
    """One spelling of a type for Django and the databases."""
    return kind.lower().replace("character varying", "varchar").replace(" ", "")


def _read_postgresql(cursor: CursorWrapper) -> Tables:
    cursor.execute(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull"
        " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " WHERE c.relkind = 'r' AND pg_table_is_visible(c.oid) AND a.attnum > 0 AND NOT a.attisdropped"
    )
    columns = _gather(cursor.fetchall())
    cursor.execute(
        "SELECT conname FROM pg_constraint UNION SELECT relname FROM pg_class WHERE relkind IN ('i', 'I')"
    )
    return Tables(columns, frozenset(name for (name,) in cursor.fetchall()))


def _read_sqlite(cursor: CursorWrapper) -> Tables:
    cursor.execute(
        'SELECT m.name, c.name, c.type, NOT c."notnull"'
        " FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
    )
    columns = _gather(cursor.fetchall())
    cursor.execute("SELECT name, sql, type FROM sqlite_master WHERE type IN ('index', 'table')")
    rows = cursor.fetchall()
    indexes = {name for name, _, kind in rows if kind == "index"}
    constraints = {name for _, sql, kind in rows if kind == "table" for name in _CONSTRAINT.findall(sql)}
    return Tables(columns, frozenset(indexes | constraints))


def _gather(rows: Iterable[tuple[str, str, str, bool]]) -> dict[str, dict[str, Column]]:
    columns: dict[str, dict[str, Column]] = {}
    for table, name, kind, is_nullable in rows:
        columns.setdefault(table, {})[name] = Column(_plain(kind), bool(is_nullable))
    return columns
