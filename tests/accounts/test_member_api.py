"""`/v1/members` and handing keys over: as the table of rights says it."""

from typing import Any

import orjson
import pytest
from django.test import Client

from accounts.models import Key, Membership, ServiceAccount, Team, User
from tests.accounts.conftest import Caller
from tests.make import make_key, make_membership, make_team, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return make_team("research")


@pytest.fixture
def mary(team: Team) -> Membership:
    return make_membership(team, make_user("mary", email="mary@example.com"))


class Person:
    def __init__(self, team: Team, role: str, person: User | None = None) -> None:
        self.member = make_membership(team, person, role=role)
        self.client = Client()
        self.client.force_login(self.member.user)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        content = b"" if body is None else orjson.dumps(body)
        return self.client.generic(method, path, content, "application/json")


@pytest.fixture
def owner(team: Team) -> Person:
    return Person(team, "owner")


def test_members_are_told_with_why_they_are_there(owner: Person, mary: Membership) -> None:
    answer = owner.call("GET", "/v1/members?limit=1").json()
    assert (answer["total"], len(answer["data"])) == (2, 1)
    named = {each["username"]: each for each in owner.call("GET", "/v1/members").json()["data"]}
    assert named["mary"]["grants"] == [{"source": "manual", "origin": "", "role": "member", "until": None}]
    one = owner.call("GET", f"/v1/members/{mary.pk}").json()
    assert (one["username"], one["role"], one["state"]) == ("mary", "member", "active")


def test_addresses_are_for_those_who_may_change_members(owner: Person, mary: Membership, team: Team) -> None:
    path = f"/v1/members/{mary.pk}"
    assert owner.call("GET", path).json()["email"] == "mary@example.com"
    assert Person(team, "member").call("GET", path).json()["email"] is None


def test_role_is_changed_and_who_left_is_let_back_in(owner: Person, mary: Membership) -> None:
    path = f"/v1/members/{mary.pk}"
    assert owner.call("PATCH", path, {"role": "viewer"}).json()["role"] == "viewer"
    assert owner.call("DELETE", path).json()["state"] == "suspended"
    told = owner.call("GET", "/v1/members?state=suspended").json()["data"]
    assert [each["username"] for each in told] == ["mary"]
    back = owner.call("PATCH", path, {"role": "member"}).json()
    assert (back["state"], back["suspended_at"]) == ("active", None)


def test_empty_change_changes_nothing(owner: Person, mary: Membership) -> None:
    assert owner.call("PATCH", f"/v1/members/{mary.pk}", {}).json()["role"] == "member"


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("", "keys"),
        ("?keys=keep", "keys"),
        ("?keys=member", "hand_over_to"),
        ("?keys=member&hand_over_to=nobody", "hand_over_to"),
        ("?why=x", "why"),
    ],
)
def test_leaving_says_what_becomes_of_keys(
    owner: Person, mary: Membership, team: Team, query: str, param: str
) -> None:
    make_key(team, owner=mary.user)
    answer = owner.call("DELETE", f"/v1/members/{mary.pk}{query}")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    mary.refresh_from_db()
    assert mary.is_active


def test_keys_are_handed_over_by_whoever_leaves(mary: Membership, owner: Person, team: Team) -> None:
    make_key(team, owner=mary.user)
    client = Client()
    client.force_login(mary.user)
    answer = client.delete(
        f"/v1/members/{mary.pk}?keys=member&hand_over_to={owner.member.user.username}",
    )
    assert (answer.status_code, answer.json()["state"]) == (200, "suspended")
    assert Key.objects.get().owner == owner.member.user
    assert client.get("/v1/members").status_code == 403


def test_last_owner_neither_goes_nor_steps_down(owner: Person) -> None:
    path = f"/v1/members/{owner.member.pk}"
    for answer in (owner.call("DELETE", path), owner.call("PATCH", path, {"role": "admin"})):
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "last_owner")


def test_member_takes_nobody_out_but_themselves(mary: Membership, owner: Person) -> None:
    client = Client()
    client.force_login(mary.user)
    assert client.delete(f"/v1/members/{owner.member.pk}").json()["error"]["code"] == "role_required"
    assert client.delete(f"/v1/members/{mary.pk}").status_code == 200


def test_key_is_handed_over_to_whom_the_team_has(owner: Person, mary: Membership, team: Team) -> None:
    ServiceAccount.objects.create(team=team, slug="robot", name="Robot")
    key, _ = make_key(team, owner=mary.user)
    path = f"/v1/keys/{key.public_id}/hand-over"
    assert owner.call("POST", path, {"service_account": "robot"}).json()["service_account"] == "robot"
    assert owner.call("POST", path, {"owner": "mary"}).json()["owner"] == "mary"
    answer = owner.call("POST", path, {})
    assert (answer.json()["owner"], answer.json()["service_account"]) == (None, None)
    both = owner.call("POST", path, {"owner": "mary", "service_account": "robot"})
    assert (both.status_code, both.json()["error"]["param"]) == (400, "service_account")
    assert owner.call("POST", path, {"owner": "nobody"}).json()["error"]["param"] == "owner"


def test_member_hands_no_key_over_and_goes_on_to_use_it(mary: Membership, owner: Person, team: Team) -> None:
    """At the limits and budgets of the team, or of somebody else: the text stays known to who made it."""
    key, _ = make_key(team, owner=mary.user)
    client = Client()
    client.force_login(mary.user)
    for body in ({}, {"owner": owner.member.user.username}):
        answer = client.post(f"/v1/keys/{key.public_id}/hand-over", body, content_type="application/json")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "role_required")
    assert Key.objects.get().owner == mary.user


def test_persons_management_key_does_no_more_than_they(call: Caller, mary: Membership, team: Team) -> None:
    _, text = make_key(team, owner=mary.user, scope="management")
    answer = call("POST", "/v1/projects", text, {"slug": "blue", "name": "Blue"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "role_required")
    assert call("POST", "/v1/keys", text, {"name": "own", "owner": "mary"}).status_code == 201
    mary.role = "admin"
    mary.save()
    assert call("POST", "/v1/projects", text, {"slug": "blue", "name": "Blue"}).status_code == 201
