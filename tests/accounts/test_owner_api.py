"""The team, its service accounts and projects, and a key's own terms, as programs and people meet them."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.budgeting import make_budget
from accounts.key_facts import facts_of
from accounts.limiting import set_limit
from accounts.models import Budget, Key, Limit, Membership, Project, ServiceAccount, Team, User
from accounts.rights import Role
from tests.accounts.conftest import Caller
from tests.make import make_entry, make_key, make_team, make_user

pytestmark = pytest.mark.django_db
KINDS = ["service-accounts", "projects"]


@pytest.fixture
def owner(team: Team) -> Client:
    client = Client()
    client.force_login(make_user("boss", teams=[team]))
    Membership.objects.update(role=Role.OWNER)
    return client


@pytest.mark.parametrize("kind", KINDS)
def test_row_that_is_made_again_in_the_same_words_is_the_same_one(
    call: Caller, manager: str, kind: str
) -> None:
    given = {"slug": "blue", "name": "Blue"}
    answers = [call("POST", f"/v1/{kind}", manager, given) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    taken = call("POST", f"/v1/{kind}", manager, {"slug": "blue", "name": "Other"})
    assert (taken.status_code, taken.json()["error"]["param"]) == (409, "slug")
    page = call("GET", f"/v1/{kind}", manager).json()
    assert (page["total"], page["data"][0]["name"]) == (1, "Blue")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_row_of_another_team_is_a_404(call: Caller, manager: str, kind: str, method: str) -> None:
    other = make_team("other")
    foreign = make_key(other, "m", scope="management")[1]
    call("POST", f"/v1/{kind}", foreign, {"slug": "blue", "name": "Secret"})
    answer = call(method, f"/v1/{kind}/blue", manager, {"name": "x"} if method == "PATCH" else None)
    assert answer.status_code == 404
    assert "Secret" not in answer.content.decode()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"slug": "a b", "name": "x"}, "slug"),
        ({"slug": "blue"}, "name"),
        ({"slug": "blue", "name": "x", "colour": "red"}, "colour"),
        ({"slug": "blue", "name": "x\ny"}, "name"),
    ],
)
def test_bad_row_is_refused_by_name(call: Caller, manager: str, kind: str, given: Any, param: str) -> None:
    answer = call("POST", f"/v1/{kind}", manager, given)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize("kind", KINDS)
def test_row_is_deleted_while_nothing_refers_to_it(call: Caller, manager: str, kind: str, team: Team) -> None:
    call("POST", f"/v1/{kind}", manager, {"slug": "blue", "name": "Blue"})
    field = {"service-accounts": "service_account", "projects": "project"}[kind]
    bound = call("POST", "/v1/keys", manager, {"name": "k", field: "blue"}).json()
    assert bound[field] == "blue"
    kept = call("DELETE", f"/v1/{kind}/blue", manager)
    assert (kept.status_code, kept.json()["error"]["code"]) == (409, "in_use")
    Key.objects.get(public_id=bound["id"]).delete()
    assert call("DELETE", f"/v1/{kind}/blue", manager).status_code == 204


def test_project_of_the_ledger_is_archived_instead(call: Caller, manager: str, team: Team) -> None:
    Project.objects.create(team=team, slug="blue", name="Blue")
    make_entry(Key.objects.get(), project="blue")
    refused = call("DELETE", "/v1/projects/blue", manager)
    assert (refused.status_code, "is_archived" in refused.json()["error"]["message"]) == (409, True)
    assert call("PATCH", "/v1/projects/blue", manager, {"is_archived": True}).json()["archived_at"]
    assert call("PATCH", "/v1/projects/blue", manager, {"is_archived": False}).json()["archived_at"] is None


def test_key_names_owner_and_project_of_its_own_team_only(call: Caller, manager: str) -> None:
    for field in ("owner", "service_account", "project"):
        answer = call("POST", "/v1/keys", manager, {"name": "k", field: "nobody"})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, field)


def test_key_has_all_that_was_said_of_it(call: Caller, manager: str) -> None:
    terms = {
        "scopes": ["catalogue", "usage"],
        "denied_model_patterns": ["acme/*"],
        "provider_patterns": ["acme-*"],
        "denied_provider_patterns": ["acme-cloud"],
        "surfaces": ["messages"],
        "ip_ranges": ["192.0.2.0/24"],
        "regions": ["eu"],
        "quantizations": ["bf16"],
        "zero_retention": True,
        "no_data_collection": True,
    }
    issued = call("POST", "/v1/keys", manager, {"name": "k", **terms}).json()
    assert {name: issued[name] for name in terms} == terms
    changed = call("PATCH", f"/v1/keys/{issued['id']}", manager, {"surfaces": [], "ip_ranges": []}).json()
    assert (changed["surfaces"], changed["ip_ranges"], changed["provider_patterns"]) == ([], [], ["acme-*"])


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"scopes": ["feed", "usage"]}, "scopes"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["usage"], "scope": "management"}, "scope"),
        ({"surfaces": ["chat"]}, "surfaces"),
        ({"ip_ranges": ["here"]}, "ip_ranges"),
        ({"provider_patterns": ["a b"]}, "provider_patterns"),
        ({"regions": ["EU"]}, "regions"),
        ({"regions": ["eu"] * 65}, "regions"),
        ({"quantizations": ["FP8"]}, "quantizations"),
        ({"zero_retention": "maybe"}, "zero_retention"),
        ({"zdr": True}, "zdr"),
        ({"owner": "manager-person", "service_account": "x"}, "owner"),
    ],
)
def test_bad_term_is_refused_by_name(call: Caller, manager: str, given: Any, param: str) -> None:
    answer = call("POST", "/v1/keys", manager, {"name": "k", **given})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_key_is_rotated_with_an_overlap_that_both_show(call: Caller, manager: str, team: Team) -> None:
    old, text = make_key(team)
    new = call("POST", f"/v1/keys/{old.public_id}/rotate", manager, {"overlap_s": 60}).json()
    shown = call("GET", f"/v1/keys/{old.public_id}", manager).json()
    assert (new["replaces"], shown["successor"]) == (old.public_id, new["id"])
    assert shown["expires_at"] is not None
    assert {call("GET", "/v1/models", key).status_code for key in (text, new["key"])} == {200}
    again = call("POST", f"/v1/keys/{old.public_id}/rotate", manager, {})
    assert (again.status_code, again.json()["error"]["param"]) == (400, "replaces")


def test_key_tells_what_it_may_do(call: Caller, manager: str, team: Team) -> None:
    Team.objects.update(key_concurrency_most=3, cost_centre="4711")
    _, text = make_key(team, "billing", surfaces=["messages"], concurrency=2, requests_per_minute=60)
    told = call("GET", "/v1/key", text).json()["data"]
    assert (told["label"], told["limit"], told["is_management_key"]) == ("billing", None, False)
    assert (told["surfaces"], told["scopes"]) == (["messages"], ["catalogue", "inference"])
    assert (told["requests_per_minute"], told["concurrency"]) == (60, 2)
    assert (told["team"]["id"], told["team"]["state"]) == ("research", "active")
    assert call("GET", "/v1/key", manager).json()["data"]["concurrency"] == 3
    assert call("GET", "/v1/key").status_code == 401


@pytest.mark.parametrize(
    ("terms", "path", "param"),
    [
        ({"scopes": ["usage"]}, "/v1/models", "scopes"),
        ({"scopes": ["inference"]}, "/v1/gateway/models", "scopes"),
        ({"scopes": ["catalogue"]}, "/v1/responses/resp_1", "scopes"),
        ({"ip_ranges": ["192.0.2.0/24"]}, "/v1/models", "ip_ranges"),
        ({"ip_ranges": ["192.0.2.0/24"]}, "/v1/key", "ip_ranges"),
    ],
)
def test_rest_refuses_by_name_what_is_closed_to_a_key(
    call: Caller, team: Team, terms: Any, path: str, param: str
) -> None:
    answer = call("GET", path, make_key(team, **terms)[1])
    told = answer.json()
    assert (answer.status_code, param in str(told)) == (403, True)


def test_only_owners_change_a_team(
    call: Caller, manager: str, member: Client, owner: Client, team: Team
) -> None:
    Membership.objects.filter(user__username="member").update(role=Role.MEMBER)
    change = {"cost_centre": "4711", "key_days": 30}
    assert call("PATCH", "/v1/team", manager, change).json()["error"]["code"] == "owner_required"
    assert member.patch("/v1/team", change, "application/json").status_code == 403
    told = owner.patch("/v1/team", change, "application/json").json()
    assert (told["cost_centre"], told["key_days"]) == ("4711", 30)
    refused = owner.patch("/v1/team", {"ip_ranges": []}, "application/json")
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "ip_ranges")


def test_owners_let_calls_keep_to_more_and_staff_alone_to_less(owner: Client, team: Team) -> None:
    def change(client: Client, **terms: Any) -> Any:
        return client.patch("/v1/team?team=research", terms, "application/json")

    floor = {"regions": ["eu", "us"], "quantizations": ["bf16", "fp8"], "zero_retention": True}
    told = change(owner, **floor, no_data_collection=True).json()
    assert {name: told[name] for name in floor} == floor
    assert change(owner, regions=["de", "us"], quantizations=["bf16"]).status_code == 200
    for less in (
        {"regions": []},
        {"regions": ["de", "ch"]},
        {"quantizations": []},
        {"zero_retention": False},
    ):
        refused = change(owner, **less)
        assert (refused.status_code, [refused.json()["error"]["param"]]) == (400, [*less]), less
        assert "Staff may change that." in refused.json()["error"]["message"]
    team.refresh_from_db()
    assert (team.regions, team.quantizations, team.zero_retention) == (["de", "us"], ["bf16"], True)
    staff = Client()
    staff.force_login(make_user("root", is_staff=True, is_superuser=True, teams=[team]))
    Membership.objects.update(role=Role.OWNER)
    assert change(staff, regions=[], zero_retention=False).json()["regions"] == []


def test_key_tells_what_it_and_its_team_keep_to_together(call: Caller, team: Team) -> None:
    plain, keeping = make_key(team)[1], make_key(team, regions=["de", "at"], quantizations=["fp8", "bf16"])[1]
    assert call("GET", "/v1/key", plain).json()["data"]["floor"] is None
    Team.objects.update(regions=["eu"], quantizations=["bf16"], no_data_collection=True)
    told = call("GET", "/v1/key", keeping).json()["data"]
    assert told["floor"] == {
        "regions": [["at", "de"], ["eu"]],
        "zero_retention": False,
        "no_data_collection": True,
        "quantizations": ["bf16"],
    }
    assert (told["regions"], told["no_data_collection"]) == (["de", "at"], False)


@pytest.mark.parametrize("scopes", [[], ["management", "inference"]])
def test_key_passes_its_floor_on_to_those_it_makes(call: Caller, team: Team, scopes: list[str]) -> None:
    """Also one that is older than scopes are."""
    maker, text = make_key(team, scope="management", regions=["eu"], zero_retention=True)
    Key.objects.filter(pk=maker.pk).update(scopes=scopes)
    given = {"name": "k", "scope": "inference"} if not scopes else {"name": "k", "scopes": ["inference"]}
    made = call("POST", "/v1/keys", text, given).json()
    assert (made["regions"], made["zero_retention"]) == (["eu"], True)
    for more in ({"regions": []}, {"regions": ["us"]}, {"zero_retention": False}):
        refused = call("POST", "/v1/keys", text, given | more)
        assert (refused.status_code, [refused.json()["error"]["param"]]) == (400, [*more])
        refused = call("PATCH", f"/v1/keys/{made['id']}", text, more)
        assert (refused.status_code, [refused.json()["error"]["param"]]) == (400, [*more])
    rotated = call("POST", f"/v1/keys/{made['id']}/rotate", text).json()
    assert (rotated["regions"], rotated["zero_retention"]) == (["eu"], True)


def test_owner_freezes_the_team_and_undoes_it_but_not_what_staff_did(
    owner: Client, call: Caller, team: Team
) -> None:
    _, text = make_key(team)
    assert owner.post("/v1/team/freeze").json()["state"] == "frozen"
    assert call("GET", "/v1/models", text).status_code == 401
    assert owner.post("/v1/team/unfreeze").json()["state"] == "active"
    assert call("GET", "/v1/models", text).status_code == 200
    Team.objects.update(is_active=False)
    assert owner.post("/v1/team/unfreeze").status_code == 403
    assert not Team.objects.get().is_active


def test_charge_factor_is_told_to_all_of_the_team_and_changed_by_staff_alone(
    owner: Client, team: Team
) -> None:
    def change(factor: str) -> Any:
        return owner.patch("/v1/team", {"charge_factor": factor}, "application/json")

    refused = change("0.9")
    assert (refused.status_code, refused.json()["error"]["param"]) == (403, "charge_factor")
    User.objects.update(is_staff=True, is_superuser=True)
    assert change("0.9").json()["charge_factor"] == "0.9"
    assert [change(factor).status_code for factor in ("-1", "100.0001", "0.00001", "x")] == [400] * 4
    assert change("100").status_code == 200
    assert owner.get("/v1/team").json()["charge_factor"] == "100"


def test_charge_factor_reaches_the_keys_of_the_team(team: Team) -> None:
    key, _ = make_key(team)
    assert facts_of(key).charge_factor == "1"
    Team.objects.update(charge_factor=Decimal("12.3400"))
    assert facts_of(Key.objects.get(pk=key.pk)).charge_factor == "12.34"


@pytest.mark.parametrize("field", ["name", "cost_centre"])
@pytest.mark.parametrize("value", ["two\nlines", "x" * 101, "\u202eturned"])
def test_text_of_a_team_is_one_line(owner: Client, team: Team, field: str, value: str) -> None:
    answer = owner.patch("/v1/team", {field: value}, "application/json")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, field)


def test_key_says_who_keeps_it_out(call: Caller, manager: str, team: Team) -> None:
    call("POST", "/v1/service-accounts", manager, {"slug": "robot", "name": "Robot"})
    key = call("POST", "/v1/keys", manager, {"name": "k", "service_account": "robot"}).json()
    assert key["stopped_by"] is None
    call("PATCH", "/v1/service-accounts/robot", manager, {"is_active": False})
    assert call("GET", f"/v1/keys/{key['id']}", manager).json()["stopped_by"] == "service_account"


def test_archived_team_is_no_longer_acted_for(owner: Client, team: Team) -> None:
    assert owner.post("/v1/team/archive").json()["state"] == "archived"
    assert owner.get("/v1/team").status_code == 403


@pytest.mark.parametrize("kind", ["project", "service_account"])
def test_one_with_limits_and_budgets_is_deleted_with_them(
    call: Caller, manager: str, team: Team, kind: str
) -> None:
    made = {"project": Project, "service_account": ServiceAccount}[kind].objects.create(
        team=team, slug="blue", name="Blue"
    )
    set_limit(subject=made, unit="tokens", window="day", amount=5)
    make_budget(subject=made, window="day", amount_usd=Decimal(5))
    assert call("DELETE", f"/v1/{kind.replace('_', '-')}s/blue", manager).status_code == 204
    assert not Limit.objects.exists()
    assert not Budget.objects.exists()
