"""What writes to SQL in its own words or from threads of its own, once more on PostgreSQL: other tests use SQLite."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import LONG_HANG_S

TESTS = Path(__file__).parents[1]
AGAIN = {
    "alerts": ["accounts/alerts", "accounts/test_centre_statements.py", "accounts/test_booking.py"],
    "calls": ["accounts/calls", "accounts/test_retention.py", "accounts/test_ledger.py"],
    "usage": ["accounts/usage"],
    "audit": [
        "accounts/test_audit_api.py",
        "accounts/test_audit_events.py",
        "accounts/test_audit_on_postgresql.py",
        "accounts/test_audit_push.py",
    ],
    "teams": [
        "accounts/test_budget_notices.py",
        "accounts/test_invitations.py",
        "accounts/test_limit_migration.py",
        "accounts/test_limiting.py",
        "accounts/test_memberships.py",
        "accounts/test_revision.py",
        "accounts/test_spending.py",
    ],
    "catalogue": [
        "catalogue/test_filters.py::test_any_combination_equals_its_description[0]",
        "catalogue/test_routes.py",
        "catalogue/test_sheets.py",
    ],
    "gateway": [
        "gateway/identity/test_factors.py",
        "gateway/identity/test_reset.py",
        "gateway/identity/test_sessions.py",
        "gateway/ops/test_repricing.py",
        "gateway/plane/test_notes.py",
        "gateway/plane/test_recorder.py",
        "gateway/responses",
        "test_emptied.py",
    ],
}


@pytest.mark.slow
@pytest.mark.drill
@pytest.mark.apart
@pytest.mark.parametrize("part", AGAIN)
def test_the_same_tests_pass_on_postgresql(migrated_url: str, part: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--reuse-db", *(TESTS / name for name in AGAIN[part])],
        env={**os.environ, "DATABASE_URL": migrated_url},
        check=False,
        capture_output=True,
        text=True,
        timeout=LONG_HANG_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
