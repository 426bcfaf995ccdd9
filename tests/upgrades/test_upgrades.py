"""Every schema that landed is brought up to this version with its data, and none that never landed is touched."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.patience import LONG_HANG_S
from tests.upgrades.freeze import KEY_LINE, STATES, digests, landed

TOO_OLD = "2026-11-22"
NAMES = sorted({path.name.partition(".")[0] for path in STATES.glob("*.sql")} - {TOO_OLD})
READ_CATALOGUE = """
import sys, django
django.setup()
from django.test import Client
answer = Client(headers={"authorization": f"Bearer {sys.argv[1]}", "host": "127.0.0.1"}).get("/v1/models")
print(answer.status_code, [model["id"] for model in answer.json()["data"]])
"""

READ_KEY = """
import sys, django
django.setup()
from accounts.authentication import find_principal
facts = find_principal(sys.argv[1]).facts
is_its_own = facts.subjects == (("key", facts.id), ("team", facts.team_id))
print(sorted(facts.scopes), facts.restrictions, is_its_own)
"""

Environment = dict[str, str]


@pytest.fixture(params=["sqlite", "postgresql"])
def restore(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Environment]:
    """A database of each kind, as it was on that day; what a process needs in its environment to use it."""

    def on_sqlite(name: str) -> Environment:
        with sqlite3.connect(tmp_path / "gatehouse.sqlite3") as database:
            database.executescript(dump_of(name, "sqlite"))
        database.close()
        return {"GATEWAY_DATA_DIR": str(tmp_path), "DATABASE_URL": ""}

    def on_postgresql(name: str) -> Environment:
        url = request.getfixturevalue("postgres_url")
        with psycopg.connect(url) as database:
            database.execute(dump_of(name, "postgresql").encode())
        return {"GATEWAY_DATA_DIR": str(tmp_path), "DATABASE_URL": url}

    return on_sqlite if request.param == "sqlite" else on_postgresql


def dump_of(name: str, vendor: str) -> str:
    return (STATES / f"{name}.{vendor}.sql").read_text("utf-8")


def key_of(name: str, environment: Environment) -> str:
    vendor = "postgresql" if environment["DATABASE_URL"] else "sqlite"
    return dump_of(name, vendor).partition("\n")[0].removeprefix(KEY_LINE)


def run(environment: Environment, *command: str) -> subprocess.CompletedProcess[str]:
    variables = os.environ | environment | {"DJANGO_SETTINGS_MODULE": "gateway.settings", "REDIS_URL": ""}
    return subprocess.run(
        [sys.executable, *command],
        check=False,
        env=variables,
        capture_output=True,
        text=True,
        timeout=LONG_HANG_S,
    )


def prepare(environment: Environment) -> subprocess.CompletedProcess[str]:
    return run(environment, "-m", "gateway.cli", "prepare")


@pytest.mark.drill
@pytest.mark.parametrize("name", NAMES)
def test_landed_state_is_brought_up_and_its_key_reads_its_catalogue(
    name: str, restore: Callable[[str], Environment]
) -> None:
    environment = restore(name)
    prepared = prepare(environment)
    assert (prepared.returncode, prepared.stderr) == (0, "")
    doctor = run(environment, "manage.py", "doctor").stdout
    assert "all applied, and the tables are theirs" in doctor
    read = run(environment, "-c", READ_CATALOGUE, key_of(name, environment))
    assert "200 ['acme/one'" in read.stdout, read.stderr
    key = run(environment, "-c", READ_KEY, key_of(name, environment))
    assert key.stdout.strip() == "['catalogue', 'inference'] None True", key.stderr


@pytest.mark.drill
@pytest.mark.parametrize("name", NAMES)
def test_upgrade_keeps_people_and_money(name: str, restore: Callable[[str], Environment]) -> None:
    environment = restore(name)
    prepare(environment)
    shell = (
        "from accounts.models import *; "
        "print(*LedgerEntry.objects.values_list('request_id', 'cost_usd', 'usage__output_tokens'), "
        "*User.objects.order_by('username').values_list('username'), *Team.objects.values_list('slug'))"
    )
    told = run(environment, "manage.py", "shell", "--verbosity=0", "-c", shell).stdout
    assert told.strip() == (
        "('req_upgraded', Decimal('0.0000200000'), 4) ('curator',) ('member',) ('upgraded',)"
    )


def test_state_from_before_the_first_landing_is_refused_and_left_alone(
    restore: Callable[[str], Environment],
) -> None:
    environment = restore(TOO_OLD)
    refused = prepare(environment)
    assert refused.returncode == 1
    assert "accounts_team has no column lifecycle_policy" in refused.stderr
    assert "start with an empty database" in refused.stderr
    assert "accounts_team has no column lifecycle_policy" in run(environment, "manage.py", "doctor").stdout
    plan = run(environment, "manage.py", "showmigrations", "accounts").stdout
    assert "[X] 0001_initial" in plan
    assert "[ ] 0002_complete_early_tables" in plan


@pytest.mark.parametrize("path", sorted(landed()))
def test_landed_migration_is_never_edited(path: str) -> None:
    assert digests().get(path) == landed()[path], f"{path} has landed: add another migration instead"
