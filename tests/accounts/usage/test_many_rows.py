"""Usage of a long ledger: proven as a whole, and read from few rows."""

import os
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.models import LedgerEntry, UsageDay, UsageQuarter
from accounts.usage.cohorts import cohorts_of
from accounts.usage.proof import prove_days, prove_quarters
from accounts.usage.question import Question
from accounts.usage.reader import read_total, read_usage, statement_of
from accounts.usage.repair import day_of, rebuild_day
from tests.usage_rows import TEAMS, fill_ledger

pytestmark = pytest.mark.django_db
END = datetime(2026, 6, 1, tzinfo=UTC)
ROWS = int(os.environ.get("GATEHOUSE_USAGE_ROWS", "5000"))
"""A million take some minutes."""
DAYS = 10
LOW, HIGH = day_of(END) - DAYS * 86_400, day_of(END)


@pytest.fixture
def filled(db: None) -> None:
    fill_ledger(ROWS, days=DAYS, end=END)
    for day in range(DAYS):
        rebuild_day(day_of(END - timedelta(days=day + 1)))


def test_all_of_it_is_added_up(filled: None) -> None:
    assert prove_quarters(LOW, HIGH) == []
    assert prove_days("UTC", LOW, HIGH) == []
    assert prove_days("Europe/Berlin", LOW, HIGH) == []
    assert read_total(Question(LOW, HIGH))["attempts"] == LedgerEntry.objects.count() == ROWS


def test_any_zone_and_any_bucket_tell_the_same_sums(filled: None) -> None:
    wanted = read_total(Question(LOW, HIGH))
    for zone in ("UTC", "Europe/Berlin", "Asia/Kathmandu"):
        for bucket in ("15m", "1h", "1d", "none"):
            rows = read_usage(Question(LOW, HIGH, bucket, zone, ("team_id", "outcome")))
            for measure in ("calls", "cost", "input_tokens", "latency_us"):
                assert sum(row.sums[measure] for row in rows) == wanted[measure], (zone, bucket)


def test_teams_together_are_all(filled: None) -> None:
    alone = [read_total(Question(LOW, HIGH, team_id=team))["cost"] for team in range(1, TEAMS + 1)]
    assert sum(alone) == read_total(Question(LOW, HIGH))["cost"]


def test_whole_days_are_read_from_days_alone(filled: None) -> None:
    UsageQuarter.objects.all().delete()
    assert read_total(Question(LOW, HIGH, team_id=1))["attempts"] > 0


def test_parts_of_days_are_read_from_quarters_alone(filled: None) -> None:
    UsageDay.objects.all().delete()
    assert read_total(Question(LOW + 900, LOW + 40_000 // 900 * 900, team_id=1))["attempts"] > 0


def plan_of(question: Question) -> Any:
    statement, values = statement_of(question, cohorts_of(question.team_id))
    with connection.cursor() as cursor:
        explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
        cursor.execute(f"{explain} {statement}", values)
        return "\n".join(str(row) for row in cursor)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL decides by how many rows there are")
def test_a_teams_sums_are_found_by_an_index(filled: None) -> None:
    plan = plan_of(Question(LOW, HIGH, "1d", groups=("model", "provider"), team_id=1))
    assert re.search(r"SEARCH series USING (COVERING )?INDEX usage_series_by_team", plan), plan
    assert re.search(r"SEARCH sums USING INDEX sqlite_autoindex_accounts_usageday_1", plan), plan
