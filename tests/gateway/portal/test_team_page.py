"""A team's page in the portal, and rotating a key there."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Key, Membership, Project, ServiceAccount, Team
from accounts.rights import Role
from tests.make import make_key, make_team, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return make_team("atlas", name="Atlas")


@pytest.fixture
def member(client: Client, team: Team) -> Client:
    client.force_login(make_user("mary", teams=[team], role="admin"))
    return client


@pytest.fixture
def owner(member: Client) -> Client:
    Membership.objects.update(role=Role.OWNER)
    return member


def terms_of(client: Client) -> dict[str, str]:
    """The form of the terms as a browser would send it, as it stands."""
    page = unescape(client.get("/team").text).partition('id="terms"')[2].partition("</form>")[0]
    fields = dict(re.findall(r'<input type="\w+" name="([\w-]+)"(?: value="([^"]*)")?', page))
    for name, options in re.findall(r'<select name="([\w-]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        fields[name] = re.findall(r'value="(\w*)" selected', options)[0]
    return fields | {"form": "terms"}


def test_owner_changes_the_terms_and_nothing_else(owner: Client, team: Team) -> None:
    key, _ = make_key(team)
    Team.objects.update(surfaces=["messages"], key_days_most=90)
    page = owner.post("/team", terms_of(owner) | {"cost_centre": "4711", "key_days": "30"}, follow=True).text
    assert "Saved." in page
    team.refresh_from_db()
    assert (team.cost_centre, team.key_days, team.surfaces, team.key_days_most) == (
        "4711",
        30,
        ["messages"],
        90,
    )
    assert Key.objects.get().revision > key.revision


def test_owner_lets_all_calls_keep_to_more_and_not_to_less(owner: Client, team: Team) -> None:
    key, _ = make_key(team)
    sent = terms_of(owner) | {"regions": "eu", "zero_retention": "on"}
    assert "Saved." in owner.post("/team", sent, follow=True).text
    team.refresh_from_db()
    assert (team.regions, team.zero_retention) == (["eu"], True)
    assert (
        "Whatever a call asks for, it keeps to: regions eu; zero data retention."
        in owner.get(f"/keys/{key.public_id}").text
    )
    page = unescape(owner.post("/team", sent | {"regions": "us", "initial-regions": "eu"}).text)
    assert "its calls stay in eu. Staff may change that." in page
    team.refresh_from_db()
    assert team.regions == ["eu"]


def test_member_looks_and_does_not_change(member: Client, team: Team) -> None:
    assert 'name="cost_centre"' not in member.get("/team").text
    member.post("/team", {"form": "terms", "name": "Taken"})
    assert Team.objects.get().name == "Atlas"
    for act in ("freeze", "unfreeze", "archive"):
        assert member.post(f"/team/{act}").status_code == 403
    assert Team.objects.get().state is Team.State.ACTIVE


def test_bad_term_is_marked_and_the_page_keeps_its_name(owner: Client, team: Team) -> None:
    page = owner.post("/team", terms_of(owner) | {"name": "", "key_days": "0"}).text
    assert 'id="id_name_error"' in page
    assert 'id="id_key_days_error"' in page
    assert "<title>Atlas" in page


def test_owner_freezes_and_lets_go_on_and_archives(owner: Client, team: Team) -> None:
    make_key(team)
    assert "is frozen" in owner.post("/team/freeze?team=atlas", follow=True).text
    assert "is frozen. One of its owners" in owner.get("/keys").text
    assert owner.post("/keys", {"name": "x", "scopes": ["inference", "catalogue"]}).status_code == 200
    assert Key.objects.count() == 1
    assert "goes on" in owner.post("/team/unfreeze", follow=True).text
    page = owner.get("/team/archive").text
    for what, much in (("Calls in the last day", 0), ("Keys that work", 1), ("Own budgets", 0)):
        assert f"<dt>{what}</dt><dd>{much}</dd>" in page
    assert "is archived" in owner.post("/team/archive", follow=True).text
    assert Team.objects.get().state is Team.State.ARCHIVED


@pytest.mark.parametrize(
    ("form", "kind", "address"),
    [("account", ServiceAccount, "service-accounts/{}/switch"), ("project", Project, "projects/{}/archive")],
)
def test_admin_makes_one_and_stops_it(member: Client, team: Team, form: str, kind: Any, address: str) -> None:
    given = {"form": form, f"{form}-name": "Blue", f"{form}-slug": "blue"}
    assert "Blue" in member.post("/team/projects", given, follow=True).text
    assert "There is one of this name already." in member.post("/team/projects", given).text
    row = kind.objects.get()
    for _ in range(2):
        before = (getattr(row, "is_active", True), getattr(row, "archived_at", None) is None)
        member.post(f"/team/{address.format('blue')}")
        row.refresh_from_db()
        assert (getattr(row, "is_active", True), getattr(row, "archived_at", None) is None) != before


def test_key_is_made_for_whoever_and_whatever_is_chosen(member: Client, team: Team) -> None:
    ServiceAccount.objects.create(team=team, slug="robot", name="Robot")
    Project.objects.create(team=team, slug="blue", name="Blue")
    given = {
        "name": "x",
        "scopes": ["usage"],
        "owner": "account:robot",
        "project": "blue",
        "surfaces": "messages, responses",
        "ip_ranges": "192.0.2.0/24",
        "denied_model_patterns": "*-preview",
    }
    member.post("/keys", given)
    key = Key.objects.get()
    assert (str(key.service_account), str(key.project)) == ("Robot (Atlas)", "Blue (Atlas)")
    assert (key.scopes, key.surfaces, key.ip_ranges) == (
        ["usage"],
        ["messages", "responses"],
        ["192.0.2.0/24"],
    )
    page = member.get(f"/keys/{key.public_id}").text
    assert "Robot" in page
    assert '<option value="blue" selected>' in page


def test_own_key_is_its_makers_and_empty_numbers_are_as_the_team_has_them(member: Client, team: Team) -> None:
    Team.objects.update(key_requests_per_minute_most=60)
    member.post("/keys", {"name": "x", "scopes": ["inference", "catalogue"], "owner": "mine"})
    key = Key.objects.get()
    assert key.owner is not None
    assert (key.owner.username, key.requests_per_minute) == ("mary", 60)
    page = member.post(
        "/keys", {"name": "x", "scopes": ["inference", "catalogue"], "requests_per_minute": "61"}
    ).text
    assert re.search(r'id="id_requests_per_minute_error"[^>]*><li>[^<]*at most 60', page)


def test_key_of_somebody_who_left_says_that_it_is_stopped(member: Client, team: Team) -> None:
    leaver = make_user("ann", teams=[team])
    key, _ = make_key(team, owner=leaver)
    for address in ("/keys", f"/keys/{key.public_id}"):
        assert "calls with it are refused" not in member.get(address).text
    Membership.objects.filter(user=leaver).delete()
    for address in ("/keys", f"/keys/{key.public_id}"):
        assert (
            "ann has left the team, only looks on or is switched off: calls with it are refused"
            in member.get(address).text
        )


def test_key_is_rotated_and_both_pages_say_so(member: Client, team: Team) -> None:
    old, _ = make_key(team, "nightly")
    page = member.post(f"/keys/{old.public_id}/rotate", {"hours": "24"}, follow=True).text
    new = Key.objects.get(replaces=old)
    assert f"sk-gw-{new.public_id}-" in page
    old.refresh_from_db()
    assert old.expires_at is not None
    assert 23 < (old.expires_at - timezone.now()).total_seconds() / 3600 <= 24
    assert f"/keys/{new.public_id}" in member.get(f"/keys/{old.public_id}").text
    assert f"/keys/{old.public_id}" in member.get(f"/keys/{new.public_id}").text
    assert "rotated before" in member.post(f"/keys/{old.public_id}/rotate", {"hours": "1"}).text
