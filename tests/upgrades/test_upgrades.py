"""Every schema that landed is brought up to this version with its data, and none that never landed is touched."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.gateway.program import BARE
from tests.patience import LONG_HANG_S
from tests.upgrades.freeze import KEY_LINE, STATES, digests, landed

TOO_OLD = "2026-11-22"
NAMES = sorted({path.name.partition(".")[0] for path in STATES.glob("*.sql")} - {TOO_OLD})
LOOK = """
import contextlib, io, json, sys, django
django.setup()
from django.core.management import CommandError, call_command
from django.test import Client
from accounts.authentication import find_principal
from accounts.models import LedgerEntry, Team, User
from accounts.spending import spent_in
from accounts.windows import window_at
doctor = io.StringIO()
with contextlib.suppress(CommandError):  # for what this machine lacks
    call_command("doctor", stdout=doctor)
answer = Client(headers={"authorization": f"Bearer {sys.argv[1]}", "host": "127.0.0.1"}).get("/v1/models")
key = find_principal(sys.argv[1]).facts
seen = {
    "is_well": "all applied, and the tables are theirs" in doctor.getvalue(),
    "listed": [answer.status_code, answer.json()["data"][0]["id"]],
    "scopes": sorted(key.scopes),
    "is_plain": key.restrictions is None,
    "counts for itself and its team": key.subjects == (("key", key.id), ("team", key.team_id)),
    "ledger": list(LedgerEntry.objects.values_list("request_id", "cost_usd", "usage__output_tokens")),
    "spent": [
        spent_in(subject, window_at("lifetime", "UTC", 0))
        for subject in (f"key:{key.lineage_id}", f"team:{key.team_id}", "deployment")
    ],
    "people": list(User.objects.order_by("username").values_list("username", flat=True)),
    "teams": list(Team.objects.values_list("slug", flat=True)),
}
print(json.dumps(seen, default=str))
"""
LOOK_AT_A_REFUSED_ONE = """
import contextlib, django
django.setup()
from django.core.management import CommandError, call_command
with contextlib.suppress(CommandError):
    call_command("doctor")
call_command("showmigrations", "accounts")
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
    variables = (
        os.environ | BARE | environment | {"DJANGO_SETTINGS_MODULE": "gateway.settings", "REDIS_URL": ""}
    )
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
@pytest.mark.apart
@pytest.mark.parametrize("name", NAMES)
def test_landed_state_is_brought_up_with_its_people_its_money_and_its_key(
    name: str, restore: Callable[[str], Environment]
) -> None:
    environment = restore(name)
    prepared = prepare(environment)
    assert (prepared.returncode, prepared.stderr) == (0, "")
    looked = run(environment, "-c", LOOK, key_of(name, environment))
    assert looked.returncode == 0, looked.stderr
    assert json.loads(looked.stdout.splitlines()[-1]) == {
        "is_well": True,
        "listed": [200, "acme/one"],
        "scopes": ["catalogue", "inference"],
        "is_plain": True,
        "counts for itself and its team": True,
        "ledger": [["req_upgraded", "0.0000200000", 4]],
        "spent": [200_000, 200_000, 200_000],
        "people": ["curator", "member"],
        "teams": ["upgraded"],
    }


@pytest.mark.drill
@pytest.mark.apart
def test_state_from_before_the_first_landing_is_refused_and_left_alone(
    restore: Callable[[str], Environment],
) -> None:
    environment = restore(TOO_OLD)
    refused = prepare(environment)
    assert refused.returncode == 1
    assert "accounts_team has no column lifecycle_policy" in refused.stderr
    assert "start with an empty database" in refused.stderr
    looked = run(environment, "-c", LOOK_AT_A_REFUSED_ONE).stdout
    assert "accounts_team has no column lifecycle_policy" in looked
    assert "[X] 0001_initial" in looked
    assert "[ ] 0002_complete_early_tables" in looked


@pytest.mark.parametrize("path", sorted(landed()))
def test_landed_migration_is_never_edited(path: str) -> None:
    assert digests().get(path) == landed()[path], f"{path} has landed: add another migration instead"
