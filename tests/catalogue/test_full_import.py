"""The whole import of a real collection, and its list held against a plain description, on both databases."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import LONG_HANG_S

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("GATEHOUSE_CATALOGUE_DATA", ROOT.parent / "shared" / "catalogue-data"))
QUERIES = 150
IRREGULARITIES = {
    "repeated offer id": 96,
    "offer without model_id": 74,
    "price card without an offer row": 168,
    "previous model unknown": 142,
    "dates out of order": 3,
    "retired without a date": 24,
}

pytestmark = [
    pytest.mark.drill,
    pytest.mark.slow,
    pytest.mark.skipif(
        not FOLDER.is_dir(), reason="GATEHOUSE_CATALOGUE_DATA names no folder of catalogue data"
    ),
]


def sweep(database_url: str, data: Path) -> str:
    environment = {**os.environ, "DATABASE_URL": database_url, "GATEWAY_DATA_DIR": str(data)}
    command = [sys.executable, "-m", "tests.catalogue.sweep", str(FOLDER), str(QUERIES)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONG_HANG_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check_counts(said: str) -> None:
    counts = {
        line.strip().partition(" ")[2]: line.split()[0] for line in said.splitlines() if line[:1] == " "
    }
    assert {kind: int(counts[kind]) for kind in IRREGULARITIES} == IRREGULARITIES


def test_list_equals_its_description_on_sqlite(tmp_path: Path) -> None:
    check_counts(sweep(f"sqlite:///{tmp_path}/full.sqlite3", tmp_path))


def test_list_equals_its_description_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    check_counts(sweep(postgres_url, tmp_path))
