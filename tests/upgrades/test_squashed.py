"""A new database, made by squashed migrations, is the one that the migrations make that landed one by one."""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.gateway.program import BARE
from tests.patience import LONG_HANG_S
from tests.services import PostgresServer, postgres_programs

pytestmark = [pytest.mark.drill, pytest.mark.apart]

AT_ONCE = """
import django
from django.core.management import call_command
django.setup()
call_command("migrate", verbosity=0, interactive=False)
"""
ONE_BY_ONE = """
from django.db.migrations.loader import MigrationLoader
load_all = MigrationLoader.load_disk
def load_single(loader):
    load_all(loader)
    squashed = {key: found.replaces[-1] for key, found in loader.disk_migrations.items() if found.replaces}
    for key in squashed:
        del loader.disk_migrations[key]
    for single in loader.disk_migrations.values():
        single.dependencies = [squashed.get(each, each) for each in single.dependencies]
MigrationLoader.load_disk = load_single
"""
ONE_BY_ONE += AT_ONCE
# Named by what they say: their numbers come of the order in which they were made.
NAMED_ROWS = {
    "permissions": """
        SELECT t.app_label, t.model, p.codename, p.name FROM auth_permission p
        JOIN django_content_type t ON t.id = p.content_type_id ORDER BY 1, 2, 3
    """,
    "permissions of groups": """
        SELECT g.name, t.app_label, p.codename FROM auth_group g
        JOIN auth_group_permissions gp ON gp.group_id = g.id JOIN auth_permission p ON p.id = gp.permission_id
        JOIN django_content_type t ON t.id = p.content_type_id ORDER BY 1, 2, 3
    """,
}
OTHERWISE = {
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_content_type",
    "django_migrations",
    "sqlite_sequence",
}
# Of a column that is never null: 0013 and Django write the same condition in their own ways.
IS_NO_ATTEMPT = "((kind)::text <> 'attempt'::text)", "(NOT ((kind)::text = 'attempt'::text))"
TABLE = re.compile(r"^CREATE TABLE public\.(\w+) \(\n(.*?)\n\)", re.DOTALL | re.MULTILINE)

Fetch = Callable[[str], list[Any]]
Database = dict[str, Any]


def migrate(how: str, folder: Path, url: str = "") -> None:
    variables = {
        "GATEWAY_DATA_DIR": str(folder),
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "gateway.settings",
    }
    command = [sys.executable, "-c", how]
    subprocess.run(command, env=os.environ | BARE | variables, check=True, timeout=LONG_HANG_S)


def parts(body: str) -> list[str]:
    """Columns and constraints of a table, whose order differs and means nothing."""
    found, depth, begin = [], 0, 0
    for place, letter in enumerate(body):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and not depth:
            found.append(body[begin:place])
            begin = place + 1
    return sorted(" ".join(part.split()) for part in [*found, body[begin:]])


def rows(fetch: Fetch, tables: Iterable[str]) -> Database:
    found = {table: fetch(f'SELECT * FROM "{table}"') for table in set(tables) - OTHERWISE}
    return found | {name: fetch(statement) for name, statement in NAMED_ROWS.items()}


def read_sqlite(file: Path) -> tuple[Database, Database]:
    database = sqlite3.connect(file)

    def fetch(statement: str) -> list[Any]:
        return database.execute(statement).fetchall()

    made = fetch("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    tables = {name: sql for kind, name, sql in made if kind == "table"}
    schema = {name: sql for _, name, sql in made if name not in tables}
    schema |= {name: parts(sql[sql.index("(") + 1 : sql.rindex(")")]) for name, sql in tables.items()}
    found = rows(fetch, tables)
    database.close()
    return schema, found


def read_postgresql(url: str) -> tuple[Database, Database]:
    programs = postgres_programs()
    assert programs is not None
    command = [programs / "pg_dump", "--schema-only", "--no-owner", url]
    dump = subprocess.run(command, check=True, capture_output=True, text=True).stdout.replace(*IS_NO_ATTEMPT)
    tables = dict(TABLE.findall(dump))
    schema: Database = {name: parts(body) for name, body in tables.items()}
    statements = re.split(r"\n{2,}", TABLE.sub(r"CREATE TABLE \1", dump))
    schema["others"] = sorted(each for each in statements if not each.startswith(("--", "\\")))
    with psycopg.connect(url) as database:

        def fetch(statement: str) -> list[Any]:
            return database.execute(statement.encode()).fetchall()

        return schema, rows(fetch, tables)


def test_sqlite_has_the_same_tables_and_rows_at_once_and_one_by_one(tmp_path: Path) -> None:
    made = {}
    for name, how in {"at once": AT_ONCE, "one by one": ONE_BY_ONE}.items():
        folder = tmp_path / name
        folder.mkdir()
        migrate(how, folder)
        made[name] = read_sqlite(folder / "gatehouse.sqlite3")
    assert made["at once"] == made["one by one"]
    assert {"accounts_statement_stays_update", "ledger_by_end_user"} <= set(made["at once"][0])


def test_postgresql_has_the_same_tables_and_rows_at_once_and_one_by_one(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    made = {}
    for name, how in {"at_once": AT_ONCE, "one_by_one": ONE_BY_ONE}.items():
        url = postgres_server.new_database(name)
        migrate(how, tmp_path, url)
        made[name] = read_postgresql(url)
    assert made["at_once"] == made["one_by_one"]
    others = str(made["at_once"][0]["others"])
    assert "CREATE TABLE accounts_usageday\\nWITH (fillfactor='80')" in others
    assert "accounts_refuse_changes" in others
