"""Access requests on pages: asked with what is filled in, decided in the team's list, and in the admin's queue."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.budgeting import make_budget
from accounts.limiting import set_limit
from accounts.models import AccessRequest, Budget, Limit, Membership, Team, User
from tests.make import make_key, make_membership, make_staff, make_team, make_user

pytestmark = pytest.mark.django_db
WHY = {"reason": "The backfill of October", "until": ""}
PATH = "/team/requests"


@pytest.fixture
def team() -> Team:
    return make_team("research")


def signed_in(team: Team, role: str, name: str) -> Client:
    client = Client()
    client.force_login(make_membership(team, make_user(name), role=role).user)
    return client


@pytest.fixture
def mary(team: Team) -> Client:
    return signed_in(team, "member", "mary")


@pytest.fixture
def ann(team: Team) -> Client:
    return signed_in(team, "owner", "ann")


def only() -> AccessRequest:
    return AccessRequest.objects.get()


def test_member_asks_and_owner_grants_with_a_note(mary: Client, ann: Client) -> None:
    answer = mary.post(f"{PATH}/new?kind=role", WHY | {"role": "admin"}, follow=True)
    assert "Asked. An owner or admin of the team will decide" in answer.text
    assert "Grant" not in mary.get(PATH).text
    listed = ann.get(PATH).text
    assert "The role admin" in listed
    assert "The backfill of October" in listed
    done = ann.post(f"{PATH}/{only().public_id}/decide", {"decision": "grant", "note": "Go on"}, follow=True)
    assert "Granted: The role admin." in done.text
    assert Membership.objects.get(user__username="mary").role == "admin"


def test_limits_page_fills_the_form_in(mary: Client, team: Team) -> None:
    limit = set_limit(subject=team, unit="requests", window="minute", amount=60)
    link = f"/team/requests/new?team=research&amp;kind=limit&amp;row={limit.pk}"
    assert link in mary.get("/team/limits").text
    assert f'value="{limit.pk}" selected' in mary.get(link.replace("&amp;", "&")).text
    mary.post(f"{PATH}/new?kind=limit", WHY | {"row": limit.pk, "amount": 120})
    assert only().asked == {"subject": "team", "unit": "requests", "window": "minute", "amount": 120}


def test_budgets_page_fills_the_form_in(mary: Client, team: Team) -> None:
    budget = make_budget(subject=team, window="month", amount_usd=Decimal(100))
    assert f"kind=budget&amp;row={budget.pk}" in mary.get("/team/limits").text
    given = WHY | {"row": budget.pk, "raise_usd": "50", "until": "2020-01-01T00:00"}
    assert "it must be in the future" in mary.post(f"{PATH}/new?kind=budget", given).text
    mary.post(f"{PATH}/new?kind=budget", given | {"until": ""})
    assert only().asked == {"subject": "team", "window": "month", "raise_usd": "50"}


@pytest.mark.parametrize("kind", ["model", "provider"])
def test_what_a_key_may_reach_is_asked_for(mary: Client, team: Team, kind: str) -> None:
    key, _ = make_key(team, "batch", **{f"{kind}_patterns": ["acme"]})
    mary.post(f"{PATH}/new?kind={kind}", WHY | {kind: "zeta", "key": key.public_id})
    assert (only().asked, only().decider) == ({kind: "zeta", "key": key.public_id}, "team")


def test_what_cannot_be_is_said_on_the_form(mary: Client, team: Team) -> None:
    make_key(team, "batch")
    assert "lists none" in mary.post(f"{PATH}/new?kind=model", WHY | {"model": "zeta/one"}).text
    assert mary.post(f"{PATH}/new?kind=role", {"role": "admin"}).status_code == 200
    assert not AccessRequest.objects.exists()


@pytest.mark.parametrize("query", ["", "?kind=staff_budget", "?kind=x"])
def test_no_such_kind_is_a_404(mary: Client, query: str) -> None:
    assert mary.get(f"{PATH}/new{query}").status_code == 404


def test_own_is_withdrawn_and_what_was_granted_ended(mary: Client, ann: Client) -> None:
    mary.post(f"{PATH}/new?kind=role", WHY | {"role": "admin"})
    address = f"{PATH}/{only().public_id}"
    assert "Only who asked" in ann.post(f"{address}/withdraw", follow=True).text
    ann.post(f"{address}/decide", {"decision": "grant"})
    assert "granted already" in ann.post(f"{address}/decide", {"decision": "grant"}, follow=True).text
    assert "taken back within a second" in mary.get(f"{address}/end").text
    assert only().state == "granted"
    assert "Ended: The role admin." in mary.post(f"{address}/end", follow=True).text
    mary.post(f"{PATH}/new?kind=role", WHY | {"role": "owner"})
    newest = AccessRequest.objects.order_by("-pk")[0]
    assert "you can ask again" in mary.get(f"{PATH}/{newest.public_id}/withdraw").text
    mary.post(f"{PATH}/{newest.public_id}/withdraw")
    newest.refresh_from_db()
    assert newest.state == "withdrawn"


def test_others_requests_are_not_there(mary: Client, team: Team) -> None:
    mary.post(f"{PATH}/new?kind=role", WHY | {"role": "admin"})
    stranger = signed_in(make_team("other"), "owner", "eve")
    peer = signed_in(team, "member", "bob")
    for act in ("decide", "withdraw", "end"):
        for client in (stranger, peer):
            assert client.post(f"{PATH}/{only().public_id}/{act}").status_code == 404


def staff(name: str, *permissions: str) -> Client:
    person = User.objects.create(username=name, is_staff=True)
    for codename in permissions:
        person.user_permissions.add(Permission.objects.get(codename=codename))
    client = Client()
    client.force_login(person)
    return client


def asked_of_staff(mary: Client, team: Team) -> AccessRequest:
    limit = set_limit(subject=team, unit="requests", window="minute", amount=60, most=60, is_staff=True)
    mary.post(f"{PATH}/new?kind=limit", WHY | {"row": limit.pk, "amount": 120})
    return only()


QUEUE = "/admin/accounts/accessrequest/"


def test_queue_has_what_staff_decide(mary: Client, team: Team) -> None:
    asked_of_staff(mary, team)
    mary.post(f"{PATH}/new?kind=role", WHY | {"role": "admin"})
    client = Client()
    client.force_login(make_staff())
    assert "The role admin" not in client.get(QUEUE).text
    assert "120 requests a minute for all of the team" in client.get(QUEUE).text
    assert "The role admin" in client.get(f"{QUEUE}?queue=open").text
    assert "The role admin" in client.get(f"{QUEUE}?queue=all").text


def test_staff_grant_on_its_page_with_a_note(mary: Client, team: Team) -> None:
    row = asked_of_staff(mary, team)
    sue = staff("sue", "change_accessrequest", "change_limit")
    form: dict[str, Any] = {"decision": "grant", "note": "Until May", "until_0": "", "until_1": ""}
    sue.post(f"{QUEUE}{row.pk}/change/", form)
    row.refresh_from_db()
    assert (row.state, row.note, Limit.objects.get().amount) == ("granted", "Until May", 120)


def test_list_grants_no_more_than_who_acts_may_change(mary: Client, team: Team) -> None:
    row = asked_of_staff(mary, team)
    selected = {"_selected_action": [row.pk]}
    support = staff("sue", "change_accessrequest")
    answer = support.post(QUEUE, selected | {"action": "grant_selected"}, follow=True)
    assert "you need accounts.change_limit" in answer.text
    assert only().state == "open"
    looks = staff("lou", "view_accessrequest")
    looks.post(QUEUE, selected | {"action": "decline_selected"})
    assert only().state == "open"
    support.post(QUEUE, selected | {"action": "decline_selected"})
    assert only().state == "declined"


def budget_form(amount: str, **more: Any) -> dict[str, Any]:
    return {
        "zone": "UTC",
        "amount_usd": amount,
        "most_usd": "",
        "mode": "balanced",
        "refuses": "on",
        "is_active": "on",
        "thresholds": "[80, 100]",
        **more,
    }


@pytest.mark.parametrize(
    ("change", "waits"),
    [
        (budget_form("110"), False),
        (budget_form("110.01"), True),
        (budget_form("90"), False),
        (budget_form("100", raise_usd="20", raise_until_0="2099-01-01", raise_until_1="00:00"), True),
        ({name: value for name, value in budget_form("100").items() if name != "refuses"}, True),
        ({name: value for name, value in budget_form("100").items() if name != "is_active"}, True),
    ],
)
def test_raise_on_the_budgets_page_above_the_bound_waits_for_another(
    team: Team, settings: Any, change: dict[str, Any], waits: bool
) -> None:
    settings.RAISE_ALONE_MOST_USD = Decimal(10)
    budget = make_budget(subject=team, window="month", amount_usd=Decimal(100))
    before = Budget.objects.values().get()
    bea, sue = (staff(name, "change_budget", "change_accessrequest") for name in ("bea", "sue"))
    bea.post(f"/admin/accounts/budget/{budget.pk}/change/", change)
    assert AccessRequest.objects.filter(kind="staff_budget", state="open").exists() is waits
    if not waits:
        return
    assert Budget.objects.values().get() == before
    page = f"{QUEUE}{only().pk}/change/"
    bea.post(page, {"decision": "grant", "note": ""})
    assert only().state == "open"
    sue.post(page, {"decision": "grant", "note": ""})
    assert only().state == "granted"
    assert Budget.objects.values().get() != before


def test_budget_is_not_deleted_alone(team: Team, settings: Any) -> None:
    settings.RAISE_ALONE_MOST_USD = Decimal(10)
    budget = make_budget(subject=team, window="month", amount_usd=Decimal(100))
    client = Client()
    client.force_login(make_staff())
    assert client.post(f"/admin/accounts/budget/{budget.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Budget.objects.exists()
