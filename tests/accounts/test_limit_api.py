"""Limits, as programs and people meet them in `/v1/limits`."""

from typing import Any

import orjson
import pytest
from django.test import Client

from accounts.limiting import set_limit
from accounts.models import Key, Limit, Membership, Project, ServiceAccount, Team
from accounts.services import OVERLAP, rotate_key
from tests.accounts.conftest import Caller
from tests.make import make_key, make_team, make_user

pytestmark = pytest.mark.django_db
KINDS = ["key", "member", "service_account", "project", "team"]


@pytest.fixture
def named(team: Team) -> dict[str, str]:
    """One of each kind in the team, by how it is named."""
    make_user("mary", teams=[team])
    ServiceAccount.objects.create(team=team, slug="robot", name="Robot")
    Project.objects.create(team=team, slug="blue", name="Blue")
    key = make_key(team)[0].public_id
    return {"key": key, "member": "mary", "service_account": "robot", "project": "blue", "team": team.slug}


class Person:
    """Somebody of the team who is signed in, as programs in a browser are."""

    def __init__(self, team: Team, role: str) -> None:
        self.client = Client()
        self.client.force_login(make_user(f"the-{role}", teams=[team]))
        Membership.objects.filter(user__username=f"the-{role}").update(role=role)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        content = b"" if body is None else orjson.dumps(body)
        return self.client.generic(method, path, content, "application/json")


@pytest.fixture
def boss(team: Team) -> Person:
    return Person(team, "owner")


@pytest.fixture
def member(team: Team) -> Person:
    return Person(team, "member")


def limit_of(kind: str, name: str, **terms: Any) -> dict[str, Any]:
    given = {"subject": kind, "subject_id": name, "unit": "tokens", "window": "minute", "amount": 100}
    return given | terms


@pytest.mark.parametrize("kind", KINDS)
def test_limit_is_made_once_told_changed_and_removed(boss: Person, named: dict[str, str], kind: str) -> None:
    given = limit_of(kind, named[kind])
    answers = [boss.call("POST", "/v1/limits", given) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    made = answers[0].json()
    assert answers[1].json() == made
    assert {name: made[name] for name in given} == given
    assert (made["object"], made["team"], made["most"], made["set_by"]) == (
        "limit",
        named["team"],
        None,
        "the-owner",
    )
    address = f"/v1/limits/{made['id']}"
    assert boss.call("GET", address).json() == made
    assert boss.call("PATCH", address, {"amount": 50}).json()["amount"] == 50
    assert boss.call("DELETE", address).status_code == 204
    assert boss.call("GET", address).status_code == 404


def test_same_measure_of_another_amount_is_a_conflict(boss: Person, named: dict[str, str]) -> None:
    boss.call("POST", "/v1/limits", limit_of("project", "blue"))
    other = boss.call("POST", "/v1/limits", limit_of("project", "blue", amount=5))
    assert (other.status_code, other.json()["error"]["code"], Limit.objects.get().amount) == (
        409,
        "already_exists",
        100,
    )
    assert boss.call("POST", "/v1/limits", limit_of("project", "blue", window="day")).status_code == 201


def test_calls_at_once_have_no_window(boss: Person, named: dict[str, str]) -> None:
    given = {"subject": "team", "unit": "concurrency", "amount": 5}
    made = boss.call("POST", "/v1/limits", given)
    assert (made.status_code, made.json()["window"], made.json()["subject_id"]) == (201, None, named["team"])
    assert boss.call("POST", "/v1/limits", given | {"window": None}).status_code == 200


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"unit": "words"}, "unit"),
        ({"window": "hour"}, "window"),
        ({"window": None}, "window"),
        ({"unit": "concurrency"}, "window"),
        ({"amount": 0}, "amount"),
        ({"amount": "many"}, "amount"),
        ({"unit": "requests", "amount": 1_000_001}, "amount"),
        ({"subject": "house"}, "subject"),
        ({"subject_id": "nobody"}, "subject_id"),
        ({"subject_id": "a\0"}, "subject_id"),
        ({"colour": "red"}, "colour"),
        ({"most": 5}, "most"),
    ],
)
def test_bad_limit_is_refused_by_name(
    boss: Person, named: dict[str, str], change: dict[str, Any], param: str
) -> None:
    answer = boss.call("POST", "/v1/limits", limit_of("project", "blue") | change)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert not Limit.objects.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_others_of_another_team_cannot_be_named(boss: Person, named: dict[str, str], kind: str) -> None:
    other = make_team("other")
    make_user("joan", teams=[other])
    ServiceAccount.objects.create(team=other, slug="droid", name="Droid")
    Project.objects.create(team=other, slug="red", name="Red")
    foreign = {
        "key": make_key(other)[0].public_id,
        "member": "joan",
        "service_account": "droid",
        "project": "red",
        "team": "other",
    }
    answer = boss.call("POST", "/v1/limits", limit_of(kind, foreign[kind]))
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "subject_id")


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_limit_of_another_team_is_a_404(call: Caller, manager: str, method: str) -> None:
    limit = set_limit(subject=make_team("other"), unit="tokens", window="day", amount=7)
    answer = call(method, f"/v1/limits/{limit.pk}", manager, {"amount": 1} if method == "PATCH" else None)
    assert answer.status_code == 404
    assert Limit.objects.get().amount == 7
    assert call("GET", "/v1/limits", manager).json()["total"] == 0


@pytest.mark.parametrize("id_", ["x", "-1", "9" * 30, "1.0", "%00", "٣"])
def test_id_that_is_none_is_a_404(call: Caller, manager: str, id_: str) -> None:
    assert call("GET", f"/v1/limits/{id_}", manager).status_code == 404


def test_list_holds_the_team_s_limits_and_is_narrowed_by_subject(boss: Person, named: dict[str, str]) -> None:
    for kind in KINDS:
        boss.call("POST", "/v1/limits", limit_of(kind, named[kind]))
    page = boss.call("GET", "/v1/limits?limit=2&offset=1").json()
    assert (page["total"], page["limit"], page["offset"], len(page["data"])) == (5, 2, 1, 2)
    for query, kinds in {
        "subject=project": ["project"],
        f"subject=key&subject_id={named['key']}": ["key"],
        "subject=member&subject_id=the-owner": [],
    }.items():
        data = boss.call("GET", f"/v1/limits?{query}").json()["data"]
        assert [limit["subject"] for limit in data] == kinds
    assert boss.call("GET", "/v1/limits?subject_id=blue").json()["error"]["param"] == "subject"
    assert boss.call("GET", "/v1/limits?colour=red").status_code == 400


def test_list_takes_a_fixed_number_of_queries(
    call: Caller, manager: str, team: Team, django_assert_num_queries: Any
) -> None:
    for number in range(6):
        set_limit(subject=make_key(team)[0], unit="tokens", window="day", amount=5)
        project = Project.objects.create(team=team, slug=f"p{number}", name="P")
        set_limit(subject=project, unit="tokens", window="day", amount=5)
    with django_assert_num_queries(4):
        assert call("GET", "/v1/limits", manager).json()["total"] == 12


@pytest.mark.parametrize("kind", KINDS)
def test_who_may_set_limits_is_as_the_rights_say(
    call: Caller, manager: str, member: Person, team: Team, named: dict[str, str], kind: str
) -> None:
    given = limit_of(kind, named[kind])
    by_key = call("POST", "/v1/limits", manager, given)
    by_member = member.call("POST", "/v1/limits", given)
    by_admin = Person(team, "admin").call("POST", "/v1/limits", given)
    codes = [each.json().get("error", {}).get("code") for each in (by_key, by_member, by_admin)]
    assert codes == {
        "team": ["owner_required", "owner_required", "owner_required"],
        "member": ["person_required", "role_required", None],
    }.get(kind, [None, "role_required", None])


def test_member_sets_limits_of_their_own_keys(member: Person, team: Team) -> None:
    key, _ = make_key(team, owner=Membership.objects.get(user__username="the-member").user)
    assert member.call("POST", "/v1/limits", limit_of("key", key.public_id)).status_code == 201


def test_member_neither_changes_nor_removes_a_limit_of_the_team(member: Person, team: Team) -> None:
    limit = set_limit(subject=team, unit="tokens", window="day", amount=7)
    assert member.call("GET", f"/v1/limits/{limit.pk}").json()["amount"] == 7
    for method, body in (("PATCH", {"amount": 9}), ("DELETE", None)):
        assert member.call(method, f"/v1/limits/{limit.pk}", body).status_code == 403
    assert Limit.objects.get().amount == 7


def test_what_staff_allow_is_not_passed_by_owners(boss: Person, team: Team) -> None:
    limit = set_limit(subject=team, unit="tokens", window="day", amount=7, most=7, is_staff=True)
    address = f"/v1/limits/{limit.pk}"
    for method, body in (("PATCH", {"amount": 8}), ("DELETE", None)):
        answer = boss.call(method, address, body)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "amount")
    lower = boss.call("PATCH", address, {"amount": 3}).json()
    assert (lower["amount"], lower["most"]) == (3, 7)


def test_field_of_a_key_and_its_limit_are_the_same(call: Caller, manager: str, team: Team) -> None:
    old, _ = make_key(team, requests_per_minute=60)
    new, _ = rotate_key(key=old, overlap=OVERLAP)
    query = f"/v1/limits?subject=key&subject_id={new.public_id}"
    (limit,) = call("GET", query, manager).json()["data"]
    assert (limit["subject_id"], limit["unit"], limit["amount"]) == (old.public_id, "requests", 60)
    call("PATCH", f"/v1/limits/{limit['id']}", manager, {"amount": 5})
    assert call("GET", f"/v1/keys/{new.public_id}", manager).json()["requests_per_minute"] == 5
    call("PATCH", f"/v1/keys/{old.public_id}", manager, {"requests_per_minute": None})
    assert call("GET", query, manager).json()["data"] == []
    assert Key.objects.get(pk=new.pk).requests_per_minute is None
