"""Cost centres' statements sum up those of their teams, each once; and no statement is changed, by nobody."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from accounts import tasks
from accounts.centre_statements import close_centres
from accounts.models import (
    Alert,
    CentreStatement,
    CentreStatementPart,
    Key,
    LedgerEntry,
    Statement,
    StatementLine,
    Team,
)
from accounts.money import usd_of
from accounts.recording import record_attempts
from accounts.retention import forget_entries
from tests.accounts.test_statements import JULY_4, JUNE, JUNE_4, MAY, closed, of
from tests.make import make_key, make_staff, make_team, make_user

pytestmark = pytest.mark.django_db
AUGUST_4 = datetime(2026, 8, 4, tzinfo=UTC)
JULY = datetime(2026, 7, 10, 12, tzinfo=UTC)


@pytest.fixture
def keys() -> list[Key]:
    """Of two teams of one cost centre, of one of another, and of one that has none."""
    centres = {"atlas": "4711", "beta": "4711", "gamma": "0815", "delta": ""}
    return [make_key(make_team(name, cost_centre=centre), name)[0] for name, centre in centres.items()]


def spend(keys: list[Key], at: datetime = MAY) -> None:
    record_attempts([of(key, f"0.{number}", at) for number, key in enumerate(keys, start=1)])


def told() -> list[tuple[Any, ...]]:
    rows = CentreStatement.objects.order_by("number")
    return [
        (row.number, row.cost_centre, row.month, str(row.charge_usd.normalize()), row.calls) for row in rows
    ]


def test_statement_sums_up_those_of_its_teams(keys: list[Key]) -> None:
    spend(keys)
    for key in keys:
        closed(key)
    close_centres(before=JUNE_4, at=JULY_4)
    assert told() == [(1, "0815", "2026-05", "0.3", 1), (2, "4711", "2026-05", "0.3", 2)]
    of_two = CentreStatement.objects.get(cost_centre="4711")
    assert [part.statement.team_slug for part in of_two.parts.all()] == ["atlas", "beta"]
    assert Alert.objects.filter(kind="statement.centre_ready", team=None).count() == 2
    assert close_centres(before=JUNE_4, at=JULY_4) == []


def test_month_waits_until_it_is_over_everywhere(keys: list[Key]) -> None:
    spend(keys)
    closed(keys[0])
    assert close_centres(before=datetime(2026, 6, 1, 11, 59, tzinfo=UTC), at=JULY_4) == []
    assert len(close_centres(before=datetime(2026, 6, 1, 12, tzinfo=UTC), at=JULY_4)) == 1


def test_statement_that_comes_late_is_on_the_next_one_and_on_no_other(keys: list[Key]) -> None:
    one, two = keys[:2]
    spend(keys)
    closed(one)
    close_centres(before=JUNE_4, at=JUNE_4)
    closed(two)
    assert close_centres(before=JUNE_4, at=JUNE_4) == [], "May is closed, June is not over"
    record_attempts([of(one, "5", JUNE)])
    closed(one, "2026-06")
    close_centres(before=JULY_4, at=JULY_4)
    assert told() == [(1, "4711", "2026-05", "0.1", 1), (2, "4711", "2026-06", "5.2", 2)]
    assert CentreStatementPart.objects.count() == Statement.objects.count() == 3


def test_late_statement_is_told_although_nothing_follows(keys: list[Key]) -> None:
    spend(keys)
    closed(keys[0])
    close_centres(before=JUNE_4, at=JUNE_4)
    closed(keys[1])
    close_centres(before=JULY_4, at=JULY_4)
    assert told()[1:] == [(2, "4711", "2026-06", "0.2", 1)]


def test_statement_counts_for_the_cost_centre_that_it_names(keys: list[Key]) -> None:
    spend(keys)
    closed(keys[0])
    keys[0].team.cost_centre = "9999"
    keys[0].team.save()
    close_centres(before=JUNE_4, at=JUNE_4)
    assert [row[1] for row in told()] == ["4711"]


def test_all_months_that_teams_have_are_summed_up_to_the_last_digit(keys: list[Key]) -> None:
    for at in (MAY, JUNE, JULY):
        spend(keys, at)
    for key in keys:
        for month in ("2026-05", "2026-06", "2026-07"):
            closed(key, month, AUGUST_4)
    close_centres(before=AUGUST_4, at=AUGUST_4)
    assert [row[:3] for row in told()] == [
        (number, centre, month)
        for number, (centre, month) in enumerate(
            ((centre, month) for centre in ("0815", "4711") for month in ("2026-05", "2026-06", "2026-07")),
            start=1,
        )
    ]
    charged = sum(Statement.objects.exclude(cost_centre="").values_list("charge", flat=True))
    assert sum(CentreStatement.objects.values_list("charge", flat=True)) == charged
    assert usd_of(charged) == Decimal("1.8")


def test_duty_and_command_sum_up_what_they_closed(keys: list[Key], settings: Any) -> None:
    settings.STATEMENT_DAYS = 3
    spend(keys, datetime.now(UTC) - timedelta(days=70))
    assert (tasks.close_months(), CentreStatement.objects.count()) == (4, 0)
    assert (tasks.close_months(), CentreStatement.objects.count()) == (0, 2)
    spend(keys, datetime.now(UTC) - timedelta(days=40))
    call_command("close_month", f"{datetime.now(UTC) - timedelta(days=40):%Y-%m}")
    assert CentreStatement.objects.count() in {2, 4}, "of a month that is over everywhere"


def test_staff_read_print_and_carry_it_away(client: Client, keys: list[Key]) -> None:
    spend(keys)
    for key in keys:
        closed(key)
    close_centres(before=JUNE_4, at=JUNE_4)
    client.force_login(make_staff())
    assert "0.3 USD" in client.get("/admin/accounts/centrestatement/2/change/").text
    page = client.get("/admin/accounts/centrestatement/2/print").text
    assert "Statement C2" in page
    assert "Atlas" in page
    assert "Gamma" not in page
    lines = client.get("/admin/accounts/centrestatement/2/csv").text.splitlines()
    assert [line.split(",")[6] for line in lines] == ["team", "atlas", "beta"]
    client.force_login(make_user("clerk", is_staff=True))
    for page in ("print", "csv"):
        assert client.get(f"/admin/accounts/centrestatement/2/{page}").status_code == 403


def refused(statement: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except IntegrityError as error:
        return "stays as it was told" in str(error)
    return False


_TABLES = ("statement", "statementline", "centrestatement", "centrestatementpart")


@pytest.mark.parametrize("table", _TABLES)
def test_no_statement_is_changed_or_deleted_whoever_asks_the_database(keys: list[Key], table: str) -> None:
    spend(keys)
    closed(keys[0])
    close_centres(before=JUNE_4, at=JUNE_4)
    rows = {"statement": Statement, "statementline": StatementLine, "centrestatement": CentreStatement}
    model: Any = rows.get(table, CentreStatementPart)
    before = list(model.objects.values())
    for column in ("calls = 0", "charge = 0") if "part" not in table else ("statement_id = statement_id",):
        assert refused(f"UPDATE accounts_{table} SET {column}")
    assert refused(f"DELETE FROM accounts_{table}")
    assert list(model.objects.values()) == before


def test_what_is_legitimate_goes_on_beside_statements_that_stay(keys: list[Key]) -> None:
    key = keys[0]
    spend(keys)
    closed(key)
    close_centres(before=JUNE_4, at=JUNE_4)
    Team.objects.update(name="Another name")
    assert forget_entries(30, at=AUGUST_4 + timedelta(days=300), most_s=10, keeps_open=True) == 1
    LedgerEntry.objects.all()._raw_delete("default")
    Key.objects.all().delete()
    Team.objects.all().delete()
    assert Statement.objects.get().team_name == "Atlas"
