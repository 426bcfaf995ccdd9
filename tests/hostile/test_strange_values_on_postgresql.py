"""The same values on PostgreSQL, which takes no NUL and minds the width of numbers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.test_strange_values import PARTS
from tests.patience import LONG_HANG_S

STRANGE_VALUES = Path(__file__).with_name("test_strange_values.py")


@pytest.mark.drill
@pytest.mark.slow
@pytest.mark.apart
@pytest.mark.parametrize(
    "part",
    [*(f"every_{each} and {part}" for each in ("value", "body") for part in PARTS), "not every_address"],
)
def test_no_value_makes_an_address_fail_on_postgresql(migrated_url: str, part: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--reuse-db", str(STRANGE_VALUES), "-k", part],
        env={**os.environ, "DATABASE_URL": migrated_url},
        check=False,
        capture_output=True,
        text=True,
        timeout=LONG_HANG_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
