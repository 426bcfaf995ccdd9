"""Budgets, as staff set them in the admin."""

from typing import Any

import pytest
from django.test import Client

from accounts import revision
from accounts.models import Budget
from tests.make import make_staff, make_team

pytestmark = pytest.mark.django_db
PAGE = "/admin/accounts/budget/"


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(make_staff())
    return client


def form(**given: Any) -> dict[str, Any]:
    return {
        "window": "month",
        "zone": "Europe/Berlin",
        "amount_usd": "10",
        "mode": "balanced",
        "refuses": "on",
        "is_active": "on",
        "thresholds": "[80, 100]",
    } | given


@pytest.mark.parametrize("whose", [{"is_deployment": "on"}, {"provider": "acme"}, {"team": "1"}])
def test_budget_is_made_changed_and_removed(staff: Client, whose: dict[str, Any]) -> None:
    team = make_team()
    whose = {"team": str(team.pk)} if "team" in whose else whose
    before = revision.read().rules
    assert staff.post(f"{PAGE}add/", form(**whose)).status_code == 302
    budget = Budget.objects.get()
    assert revision.read().rules > before
    page = f"{PAGE}{budget.pk}/"
    assert staff.get(f"{page}change/").status_code == staff.get(PAGE).status_code == 200
    assert staff.post(f"{page}change/", form(amount_usd="12")).status_code == 302
    budget.refresh_from_db()
    assert (budget.amount_usd, budget.set_by) == (12, "curator")
    assert staff.post(f"{page}delete/", {"post": "yes"}).status_code == 302
    assert not Budget.objects.exists()


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"is_deployment": "on", "provider": "acme"},
        {"is_deployment": "on", "zone": "Mars/Olympus"},
        {"is_deployment": "on", "thresholds": "[100, 80]"},
        {"is_deployment": "on", "amount_usd": "0"},
        {"is_deployment": "on", "most_usd": "5"},
        {"is_deployment": "on", "raise_usd": "5"},
    ],
)
def test_wrong_budget_is_told_in_the_form(staff: Client, given: dict[str, Any]) -> None:
    answer = staff.post(f"{PAGE}add/", form(**given))
    assert answer.status_code == 200
    assert not Budget.objects.exists()


def test_second_budget_of_the_same_window_is_told_in_the_form(staff: Client) -> None:
    assert staff.post(f"{PAGE}add/", form(is_deployment="on")).status_code == 302
    assert staff.post(f"{PAGE}add/", form(is_deployment="on")).status_code == 200
    assert Budget.objects.count() == 1
