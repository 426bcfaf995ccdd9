"""What is left of limits and held of budgets, as `/v1/limits`, `/v1/budgets` and `/v1/key` tell it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts import standings
from accounts.budgeting import make_budget
from accounts.limiting import set_limit
from accounts.models import Team
from accounts.money import UNITS_A_USD
from accounts.recording import record_attempts
from accounts.windows import Window
from gateway.core.store.interface import Limit, Standing
from tests.accounts.conftest import Caller
from tests.gateway.spooling import attempt
from tests.make import make_key

pytestmark = pytest.mark.django_db


class Plane(standings.Nobody):
    """One in which two cents of the team's money are held, and 41 of each limit are left."""

    def standings(self, limits: Sequence[Limit]) -> Sequence[Standing]:
        return [Standing(limit, 41, 19.0004) for limit in limits if limit.window_s]

    def held(self, subjects: Sequence[str]) -> Mapping[str, int]:
        return {subject: 2 * UNITS_A_USD // 100 for subject in subjects if subject.startswith("team:")}


@pytest.fixture
def plane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standings.here, "reader", Plane())


@pytest.mark.usefixtures("plane")
def test_held_is_told_apart_from_what_is_spent_and_left(call: Caller, team: Team, manager: str) -> None:
    make_budget(subject=team, window="day", amount_usd=Decimal(3), is_staff=True)
    make_budget(subject=make_key(team)[0], window="day", amount_usd=Decimal(3))
    ours, keys = call("GET", "/v1/budgets", manager).json()["data"]
    assert (ours["spent_usd"], ours["left_usd"], ours["held_usd"]) == ("0", "3", "0.02")
    assert keys["held_usd"] is None
    told = call("GET", "/v1/key", make_key(team, "one")[1]).json()["data"]["budgets"]
    assert [(each["left_usd"], each["held_usd"]) for each in told] == [("3", "0.02")]


@pytest.mark.usefixtures("plane")
def test_what_is_left_of_a_limit_is_told_where_it_has_a_window(
    call: Caller, team: Team, manager: str
) -> None:
    set_limit(subject=team, unit="tokens", window="minute", amount=90)
    set_limit(subject=team, unit="concurrency", window="none", amount=9)
    told = call("GET", "/v1/limits", manager).json()["data"]
    assert [(each["unit"], each["remaining"], each["reset_s"]) for each in told] == [
        ("tokens", 41, 19.0),
        ("concurrency", None, None),
    ]


def test_what_nobody_here_can_say_is_null(call: Caller, team: Team, manager: str) -> None:
    make_budget(subject=team, window="day", amount_usd=Decimal(3), is_staff=True)
    set_limit(subject=team, unit="tokens", window="minute", amount=90)
    assert call("GET", "/v1/budgets", manager).json()["data"][0]["held_usd"] is None
    assert call("GET", "/v1/limits", manager).json()["data"][0]["remaining"] is None


def test_calls_that_are_let_in_never_take_more_than_is_free() -> None:
    window = Window("lifetime", "", 0, None)
    assert standings.BudgetStanding(10, 4, 5, window).free == 1
    assert standings.BudgetStanding(10, 4, None, window).free == 6
    assert standings.BudgetStanding(10, 4, 7, window).free == 0
    assert standings.BudgetStanding(10, 11, 0, window).left == 0


def test_budgets_of_many_are_read_in_one_statement(
    team: Team, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    rows = [
        make_budget(subject=team, window=window, amount_usd=Decimal(3), is_staff=True)
        for window in ("day", "month")
    ]
    rows.append(make_budget(subject=make_key(team)[0], window="week", amount_usd=Decimal(3)))
    with django_assert_num_queries(1):
        assert set(standings.stand_budgets(rows, 1.0)) == {row.pk for row in rows}


def test_what_was_spent_lately_is_read_where_it_is_asked_for(team: Team) -> None:
    budget = make_budget(subject=team, window="month", amount_usd=Decimal(3), is_staff=True)
    now = 1_780_000_000.0
    for days in (0, 3, 8):
        record_attempts([attempt(team_id=team.pk, started_at=now - days * 86_400, end={"cost_usd": "1"})])
    standing = standings.stand_budgets([budget], now, lately=True)[budget.pk]
    assert (standing.last_day, standing.last_week) == (UNITS_A_USD, 2 * UNITS_A_USD)
    assert standings.stand_budgets([budget], now)[budget.pk].last_week == 0
