"""People are told of their budgets once for each window and threshold, and of sums that are wrong."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts import budget_notices
from accounts.budget_notices import REFUSED
from accounts.budgeting import OfOperator, change_budget, make_budget, raise_budget
from accounts.models import Alert, Budget, LedgerEntry, Membership, Spend, SpoolMark, Team
from accounts.recording import OVER, Mark, move_mark, record_attempts
from accounts.spending_proof import forget_old, prove
from accounts.tasks import prove_spending, tell_budgets
from tests.accounts.alerts.conftest import deliver
from tests.gateway.spooling import attempt
from tests.make import make_key, make_team, make_user

pytestmark = pytest.mark.django_db
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
TEN = Decimal(10)


def spend(amount: str, at: datetime = AT, **opened: Any) -> None:
    given = {"started_at": at.timestamp(), "lineage_id": 1, **opened}
    record_attempts([attempt(end={"cost_usd": amount}, **given)])


def tell_thresholds(*, at: datetime) -> int:
    """And let it arrive."""
    told = budget_notices.tell_thresholds(at=at)
    deliver(at)
    return told


@pytest.fixture
def team() -> Team:
    team = make_team("research")
    for name, role in (("boss", "owner"), ("member", "member")):
        person = make_user(name, email=f"{name}@example.com")
        Membership.objects.create(team=team, user=person, role=role)
    return team


@pytest.fixture
def budget(team: Team) -> Budget:
    return make_budget(subject=team, window="day", amount_usd=TEN, thresholds=[50, 100])


@pytest.mark.parametrize(("spent", "mails"), [("4.9999999999", 0), ("5", 1), ("12", 1)])
def test_threshold_is_told_once_it_is_reached(
    budget: Budget, mailoutbox: list[Any], spent: str, mails: int
) -> None:
    spend(spent, team_id=budget.team_id)
    assert [tell_thresholds(at=AT), tell_thresholds(at=AT)] == [mails, 0]
    assert [mail.to for mail in mailoutbox] == [["boss@example.com"]] * mails


def test_each_threshold_is_told_and_several_at_once_as_the_highest(
    budget: Budget, mailoutbox: list[Any]
) -> None:
    spend("5", team_id=budget.team_id)
    tell_thresholds(at=AT)
    spend("5", team_id=budget.team_id)
    tell_thresholds(at=AT)
    spend("50", team_id=budget.team_id, at=AT + timedelta(days=1))
    tell_thresholds(at=AT + timedelta(days=1))
    assert [mail.subject.split()[0] for mail in mailoutbox] == ["50", "100", "100"]
    assert budget.notices.exclude(threshold=REFUSED).count() == 4


def test_what_a_window_reached_in_its_last_minute_is_told_after_its_end(
    budget: Budget, mailoutbox: list[Any]
) -> None:
    midnight = AT.replace(hour=0) + timedelta(days=1)
    spend("5", team_id=budget.team_id, at=midnight - timedelta(seconds=1))
    assert tell_thresholds(at=midnight + timedelta(minutes=1)) == 1
    assert tell_thresholds(at=midnight + timedelta(minutes=2)) == 0


def test_raise_counts_for_thresholds(budget: Budget) -> None:
    raise_budget(budget=budget, by_usd=TEN, until=AT + timedelta(days=300))
    spend("9.9", team_id=budget.team_id)
    assert tell_thresholds(at=AT) == 0


def test_budget_that_only_tells_is_told_and_one_that_is_off_is_not(budget: Budget) -> None:
    spend("5", team_id=budget.team_id)
    change_budget(budget=budget, is_active=False)
    assert tell_thresholds(at=AT) == 0
    change_budget(budget=budget, is_active=True, refuses=False)
    assert tell_thresholds(at=AT) == 1


def test_people_of_a_key_are_told_with_the_owners(team: Team, mailoutbox: list[Any]) -> None:
    member = team.members.get(username="member")
    key, _ = make_key(team, owner=member)
    make_budget(subject=key, window="lifetime", amount_usd=TEN)
    spend("9", lineage_id=key.pk, key_id=key.pk)
    tell_thresholds(at=AT)
    assert [mail.to for mail in mailoutbox] == [["boss@example.com"], ["member@example.com"]]


def test_operator_is_told_of_its_own_budgets(mailoutbox: list[Any], settings: Any) -> None:
    settings.ALARM_EMAILS = ["ops@example.com"]
    make_budget(subject=OfOperator("acme"), window="month", amount_usd=TEN)
    make_budget(subject=OfOperator(), window="month", amount_usd=TEN)
    spend("9", provider="acme")
    assert tell_thresholds(at=AT) == 2
    assert [mail.to for mail in mailoutbox] == [["ops@example.com"]] * 2


def test_team_can_hear_once_in_a_window_that_calls_are_refused(budget: Budget) -> None:
    for at in (AT, AT, AT + timedelta(days=1)):
        spend("10", team_id=budget.team_id, at=at)
        tell_thresholds(at=at)
    refused = Alert.objects.filter(kind="budget.refused").order_by("pk")
    assert [alert.team_id for alert in refused] == [budget.team_id] * 2
    assert refused[0].title == "Calls are refused, a budget is spent: team Research, a day"


@pytest.mark.parametrize("terms", [{"amount_usd": Decimal("10.0000000001")}, {"refuses": False}])
def test_nobody_hears_of_refusals_where_there_are_none(budget: Budget, terms: dict[str, Any]) -> None:
    change_budget(budget=budget, **terms)
    spend("10", team_id=budget.team_id)
    tell_thresholds(at=AT)
    assert not Alert.objects.filter(kind="budget.refused").exists()


def test_sums_that_are_the_ledgers_are_proven(team: Team) -> None:
    for hours in range(0, 240, 7):
        spend("0.1234567891", at=AT - timedelta(hours=hours), member_id=hours % 3, project_id=hours % 2)
    assert prove(at=AT) == []


@pytest.mark.parametrize("grain", ["quarter", "day", "total"])
def test_sum_that_differs_from_the_ledger_is_told_with_the_difference(
    grain: str, mailoutbox: list[Any], settings: Any
) -> None:
    settings.ALARM_EMAILS = ["ops@example.com"]
    spend("0.1")
    Spend.objects.filter(subject="key:1", grain=grain).update(cost=2 * 10**9)
    found = [each for each in prove(at=AT) if each.subject == "key:1"]
    deliver(AT)
    assert found
    assert any({"0.2 + 0", "0.1 + 0"} == {each.found_usd, each.expected_usd} for each in found)
    assert [mail.to for mail in mailoutbox] == [["ops@example.com"]]


def test_row_of_the_ledger_that_is_in_no_sum_is_found() -> None:
    spend("0.1")
    Spend.objects.all().delete()
    assert {each.subject for each in prove(at=AT)} == {"key:1", "team:1", "provider:acme", "deployment"}


def test_days_of_before_calls_were_added_up_one_by_one_are_not_judged() -> None:
    spend("0.1")
    LedgerEntry.objects.update(lineage_id=0)
    Spend.objects.filter(subject="key:1", grain="day").update(cost=0)
    assert [each.row for each in prove(at=AT) if each.row.startswith("day ")] == []


def test_old_quarters_and_marks_are_forgotten_and_days_are_kept() -> None:
    spend("0.1", at=AT - timedelta(days=41))
    spend("0.1", at=AT - timedelta(days=39))
    move_mark(Mark("dead", OVER))
    move_mark(Mark("alive", 5))
    SpoolMark.objects.update(moved_at=AT - timedelta(days=91))
    forget_old(at=AT)
    key = Spend.objects.filter(subject="key:1")
    assert [key.filter(grain=grain).count() for grain in ("quarter", "day", "total")] == [1, 2, 1]
    assert [mark.process for mark in SpoolMark.objects.all()] == ["alive"]


def test_duties_run_as_tasks() -> None:
    assert (tell_budgets(), prove_spending()) == (0, 0)
