"""What a key is told of itself at `/v1/key`: what binds it, and what is left of that."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from accounts import standings
from accounts.budgeting import change_budget, make_budget
from accounts.models import Key, Team
from accounts.recording import count_missed
from gateway.core.store.interface import Limit, Standing
from tests.accounts.conftest import Caller
from tests.make import make_entry, make_key

pytestmark = pytest.mark.django_db


def spend(key: Key, cost_usd: str) -> None:
    """As the recorder adds it up."""
    make_entry(key, cost_usd=Decimal(cost_usd))
    count_missed()


def test_key_tells_what_it_has_spent_and_has_left(call: Caller, team: Team) -> None:
    key, text = make_key(team, "billing", requests_per_minute=60)
    make_budget(subject=key, window="month", amount_usd=Decimal(10))
    make_budget(subject=key, window="lifetime", amount_usd=Decimal(100))
    make_budget(subject=team, window="day", amount_usd=Decimal("5.5"), zone="Asia/Kolkata", is_staff=True)
    spend(key, "2.5")
    told = call("GET", "/v1/key", text).json()["data"]
    assert (told["limit"], told["limit_remaining"], told["limit_reset"]) == (10.0, 7.5, "monthly")
    assert [told[name] for name in ("usage", "usage_daily", "usage_weekly", "usage_monthly")] == [2.5] * 4
    assert [told[name] for name in ("byok_usage", "byok_usage_daily")] == [0.0, 0.0]
    of_team = told["budgets"][-1]
    assert (of_team["subject"], of_team["window"], of_team["zone"]) == ("team", "day", "Asia/Kolkata")
    assert (of_team["amount_usd"], of_team["spent_usd"], of_team["left_usd"]) == ("5.5", "2.5", "3")
    assert told["limits"] == [
        {
            "subject": "key",
            "unit": "requests",
            "window": "minute",
            "amount": 60,
            "remaining": None,
            "reset_s": None,
        }
    ]


def test_key_tells_what_calls_on_own_credentials_would_have_cost_and_whether_its_limit_counts_them(
    call: Caller, team: Team
) -> None:
    key, text = make_key(team, "billing")
    budget = make_budget(subject=key, window="lifetime", amount_usd=Decimal(10))
    make_entry(key, cost_usd=Decimal(0), own_cost_usd=Decimal("1.5"), own_credential_id=3)
    spend(key, "2.5")
    told = call("GET", "/v1/key", text).json()["data"]
    assert [told["byok_usage"], told["byok_usage_daily"], told["usage"]] == [1.5, 1.5, 2.5]
    assert (told["include_byok_in_limit"], told["limit_remaining"]) == (False, 7.5)
    change_budget(budget=budget, counts_own=True)
    told = call("GET", "/v1/key", text).json()["data"]
    assert (told["include_byok_in_limit"], told["limit_remaining"]) == (True, 6.0)
    assert (told["budgets"][0]["subject"], told["budgets"][0]["counts_own"]) == ("key", True)


def test_key_without_a_budget_has_no_limit_of_money(call: Caller, team: Team) -> None:
    told = call("GET", "/v1/key", make_key(team, "billing")[1]).json()["data"]
    assert (told["limit"], told["limit_remaining"], told["limit_reset"]) == (None, None, None)
    assert (told["usage"], told["limits"], told["budgets"]) == (0.0, [], [])


def test_what_a_running_data_plane_knows_of_limits_is_told(
    call: Caller, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Plane(standings.Nobody):
        def standings(self, limits: Sequence[Limit]) -> Sequence[Standing]:
            return [Standing(limit, 41, 19.0) for limit in limits if limit.window_s]

    monkeypatch.setattr(standings.here, "reader", Plane())
    text = make_key(team, "billing", requests_per_minute=60, concurrency=3)[1]
    told = call("GET", "/v1/key", text).json()["data"]["limits"]
    assert [(each["unit"], each["remaining"], each["reset_s"]) for each in told] == [
        ("requests", 41, 19.0),
        ("concurrency", None, None),
    ]
