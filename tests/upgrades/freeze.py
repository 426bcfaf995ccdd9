"""Keep the database that a tree of ours makes, with data in it, so that upgrades from there are tested for good.

    python -m tests.upgrades.freeze 2026-11-28 [--tree FOLDER]

writes `states/2026-11-28.sqlite.sql` and `.postgresql.sql`, and notes that the tree's migrations have landed. Do it
once for each landing that added a migration.
"""

import argparse
import hashlib
import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.services import PostgresServer, postgres_programs, running_postgres

ROOT = Path(__file__).resolve().parents[2]
STATES = Path(__file__).parent / "states"
LANDED = Path(__file__).parent / "landed.sha256"
KEY_LINE = "-- key: "


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--tree", type=Path, default=ROOT)
    options = parser.parse_args()
    STATES.mkdir(exist_ok=True)
    _freeze_sqlite(options.name, options.tree)
    with running_postgres() as server:
        _freeze_postgresql(options.name, options.tree, server)
    note_landed(options.tree)


def digests(tree: Path = ROOT) -> dict[str, str]:
    """SHA-256 of each migration, by its path in the tree."""
    files = sorted(tree.glob("*/migrations/0*.py"))
    return {str(file.relative_to(tree)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def landed() -> dict[str, str]:
    rows = [line.split() for line in LANDED.read_text("utf-8").splitlines()]
    return {path: digest for digest, path in rows}


def note_landed(tree: Path) -> None:
    rows = sorted((digests(tree) | landed()).items())
    LANDED.write_text("".join(f"{digest}  {path}\n" for path, digest in rows), "utf-8")


def _freeze_sqlite(name: str, tree: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="gatehouse-state-") as folder:
        key = _make(tree, {"GATEWAY_DATA_DIR": folder, "DATABASE_URL": ""})
        connection = sqlite3.connect(f"{folder}/gatehouse.sqlite3")
        _write(f"{name}.sqlite.sql", key, "\n".join(connection.iterdump()))
        connection.close()


def _freeze_postgresql(name: str, tree: Path, server: PostgresServer) -> None:
    url = server.new_database("frozen")
    with tempfile.TemporaryDirectory(prefix="gatehouse-state-") as folder:
        key = _make(tree, {"GATEWAY_DATA_DIR": folder, "DATABASE_URL": url})
    programs = postgres_programs()
    assert programs is not None
    dump = [programs / "pg_dump", "--inserts", "--no-owner", "--no-privileges", url]
    text = subprocess.run(dump, check=True, capture_output=True, text=True).stdout
    # psql's own commands are no SQL.
    _write(
        f"{name}.postgresql.sql", key, "\n".join(li for li in text.splitlines() if not li.startswith("\\"))
    )


def _make(tree: Path, environment: dict[str, str]) -> str:
    """Migrate and fill by the tree's own code; the key's text."""
    environment = (
        os.environ
        | environment
        | {
            "DJANGO_SETTINGS_MODULE": "gateway.settings",
            "PYTHONPATH": os.pathsep.join([str(tree), os.environ.get("PYTHONPATH", "")]),
        }
    )
    cast = Path(__file__).with_name("cast.py")
    for command in (["manage.py", "migrate", "--verbosity=0"], [str(cast)]):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=tree,
            env=environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    return done.stdout.strip()


def _write(file_name: str, key: str, dump: str) -> None:
    (STATES / file_name).write_text(f"{KEY_LINE}{key}\n{dump}\n", "utf-8")


if __name__ == "__main__":
    main()
