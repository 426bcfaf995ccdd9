"""`/v1/keys` as clients, members and strangers meet it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.directory import touches
from accounts.models import Key, Team
from accounts.services import revoke_key, switch_team
from tests.accounts.conftest import Caller
from tests.make import make_key, make_team, make_user

pytestmark = pytest.mark.django_db
ENVELOPE = {"message", "type", "param", "code"}


def test_issued_key_is_shown_once(call: Caller, manager: str) -> None:
    issued = call("POST", "/v1/keys", manager, {"name": "billing"})
    assert issued.status_code == 201
    assert issued.json()["key"].startswith(f"sk-gw-{issued.json()['id']}-")
    assert "key" not in call("GET", f"/v1/keys/{issued.json()['id']}", manager).json()


def test_issued_key_carries_its_terms(call: Caller, manager: str) -> None:
    terms = {
        "name": "x",
        "requests_per_minute": 9,
        "concurrency": 2,
        "model_patterns": ["a/*"],
        "lane": "direct",
        "may_search_elsewhere": True,
        "timeout_ms": 1500,
    }
    issued = call("POST", "/v1/keys", manager, terms).json()
    assert {name: issued[name] for name in terms} == terms


@pytest.mark.parametrize("asked", [0, -1, 86_400_001, "soon"])
def test_a_deadline_of_no_time_or_of_more_than_a_day_is_refused(
    call: Caller, manager: str, asked: Any
) -> None:
    answer = call("POST", "/v1/keys", manager, {"name": "x", "timeout_ms": asked})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "timeout_ms")


def test_list_leaves_out_keys_of_the_playground_that_are_over(call: Caller, manager: str, team: Team) -> None:
    now = timezone.now()
    over, expired = (make_key(team, is_playground=is_playground)[0] for is_playground in (True, False))
    Key.objects.filter(pk__in=[over.pk, expired.pk]).update(expires_at=now - timedelta(minutes=1))
    running = make_key(team, is_playground=True, expires_at=now + timedelta(minutes=9))[0]
    page = call("GET", "/v1/keys", manager).json()
    told = {key["id"] for key in page["data"]}
    assert page["total"] == len(told) == 3
    assert {running.public_id, expired.public_id} <= told
    assert call("GET", f"/v1/keys/{over.public_id}", manager).status_code == 200


def test_list_is_bounded_and_counts_all(call: Caller, manager: str, team: Team) -> None:
    for number in range(3):
        make_key(team, f"key {number}")
    page = call("GET", "/v1/keys?limit=2&offset=1", manager).json()
    assert (page["total"], page["limit"], page["offset"], len(page["data"])) == (4, 2, 1, 2)


def test_list_takes_a_fixed_number_of_queries(
    call: Caller, manager: str, team: Team, django_assert_num_queries: Any
) -> None:
    for number in range(10):
        make_key(team, f"key {number}")
    with django_assert_num_queries(4):
        call("GET", "/v1/keys", manager)


def test_patch_changes_what_it_names(call: Caller, manager: str, team: Team) -> None:
    key, _ = make_key(team, concurrency=4)
    answer = call("PATCH", f"/v1/keys/{key.public_id}", manager, {"name": "new", "concurrency": None}).json()
    assert (answer["name"], answer["concurrency"]) == ("new", None)


@pytest.mark.parametrize(("method", "suffix"), [("DELETE", ""), ("POST", "/revoke")])
def test_key_is_revoked(call: Caller, manager: str, team: Team, method: str, suffix: str) -> None:
    key, text = make_key(team, scope="management")
    answer = call(method, f"/v1/keys/{key.public_id}{suffix}", manager)
    assert answer.json()["state"] == "revoked"
    assert call("GET", "/v1/keys", text).status_code == 401


def test_revoked_key_cannot_be_patched(call: Caller, manager: str, team: Team) -> None:
    key, _ = make_key(team)
    revoke_key(key=key)
    answer = call("PATCH", f"/v1/keys/{key.public_id}", manager, {"name": "new"})
    assert answer.status_code == 400
    assert "revoked" in answer.json()["error"]["message"]


def test_member_issues_keys_of_their_own_that_manage_nothing(member: Client) -> None:
    for more in (
        {},
        {"owner": "member", "scope": "management"},
        {"owner": "member", "scopes": ["management"]},
    ):
        answer = member.post("/v1/keys", {"name": "mine", **more}, "application/json")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "role_required")
    issued = member.post("/v1/keys", {"name": "mine", "owner": "member"}, "application/json").json()
    row = Key.objects.get(public_id=issued["id"])
    assert row.created_by is not None
    assert row.created_by.username == "member"


def test_session_needs_the_csrf_token(team: Team) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user(teams=[team]))
    answer = client.post("/v1/keys", {"name": "mine"}, "application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "csrf_failed")
    assert client.get("/v1/keys").status_code == 200


def test_key_in_the_header_needs_no_csrf_token(manager: str) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/v1/keys", {"name": "x"}, "application/json", headers={"x-api-key": manager})
    assert answer.status_code == 201


def test_person_in_several_teams_is_asked_which(team: Team) -> None:
    client = Client()
    client.force_login(make_user(teams=[team, make_team("sales")]))
    answer = client.get("/v1/keys")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "team")
    assert "research, sales" in answer.json()["error"]["message"]
    assert client.get("/v1/keys?team=sales").status_code == 200


def test_person_without_a_team_is_told_so(client: Client) -> None:
    client.force_login(make_user())
    assert client.get("/v1/keys").json()["error"]["code"] == "no_team"


def test_inference_key_is_told_to_use_a_management_key(call: Caller, team: Team) -> None:
    answer = call("GET", "/v1/keys", make_key(team)[1])
    assert answer.status_code == 403
    assert "management key" in answer.json()["error"]["message"]


def test_key_of_a_switched_off_team_is_refused(call: Caller, manager: str, team: Team) -> None:
    switch_team(team=team, is_active=False)
    assert call("GET", "/v1/keys", manager).status_code == 401


def test_expired_key_is_refused(call: Caller, team: Team) -> None:
    key, text = make_key(team, scope="management", expires_at=timezone.now() + timedelta(hours=1))
    Key.objects.filter(pk=key.pk).update(expires_at=timezone.now())
    assert call("GET", "/v1/keys", text).status_code == 401


@pytest.mark.parametrize("shown", ["", "nonsense", "sk-gw-a-b", "é", "x" * 9_000])
def test_no_key_and_every_bad_key_is_a_401_in_the_envelope(call: Caller, db: None, shown: str) -> None:
    answer = call("GET", "/v1/keys", shown)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "invalid_api_key"


def test_unknown_and_revoked_and_mistyped_keys_read_alike(call: Caller, team: Team) -> None:
    key, text = make_key(team, scope="management")
    revoke_key(key=key)
    unknown, unknown_text = make_key(team)
    unknown.delete()
    answers = [call("GET", "/v1/keys", shown).content for shown in (text, unknown_text, text[:-1])]
    assert len(set(answers)) == 1


BAD_BODIES: list[tuple[Any, str | None]] = [
    ({}, "name"),
    ({"name": ""}, "name"),
    ({"name": None}, "name"),
    ({"name": ["x"]}, "name"),
    ({"name": "a\0b"}, "name"),
    ({"name": "a\nb"}, "name"),
    ({"name": "x" * 101}, "name"),
    ({"name": "x", "colour": "red"}, "colour"),
    ({"name": "x", "digest": "0"}, "digest"),
    ({"name": "x", "team": "other"}, "team"),
    ({"name": "x", "revoked_at": None}, "revoked_at"),
    ({"name": "x", "concurrency": 0}, "concurrency"),
    ({"name": "x", "concurrency": "many"}, "concurrency"),
    ({"name": "x", "requests_per_minute": 1.5}, "requests_per_minute"),
    ({"name": "x", "requests_per_minute": 10**30}, "requests_per_minute"),
    ({"name": "x", "model_patterns": "a/*"}, "model_patterns"),
    ({"name": "x", "model_patterns": [{}]}, "model_patterns.0"),
    ({"name": "x", "model_patterns": ["a b"]}, "model_patterns"),
    ({"name": "x", "model_patterns": ["a"] * 101}, "model_patterns"),
    ({"name": "x", "expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
    ({"name": "x", "expires_at": "soon"}, "expires_at"),
    ({"name": "x", "scope": "root"}, "scope"),
    ({"name": "x", "lane": 7}, "lane"),
    ([], None),
    ('"text"', None),
    ("null", None),
    ("{", None),
    ("{'a': 1}", None),
    ('{"name": NaN}', None),
    (b"\xff\xfe{\x00}\x00", None),
    ("[" * 100_000, None),
    ('{"name": "\\ud800"}', None),
]


@pytest.mark.parametrize(("body", "param"), BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_bad_body_is_a_400_that_names_the_parameter(
    call: Caller, manager: str, body: Any, param: str | None
) -> None:
    answer = call("POST", "/v1/keys", manager, body)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], set(error)) == (400, param, ENVELOPE)
    assert (param or "").partition(".")[0] in error["message"]


@pytest.mark.parametrize("query", ["limit=0", "limit=251", "limit=x", "offset=-1", "team=a b", "colour=red"])
def test_bad_query_is_a_400_that_names_the_parameter(call: Caller, manager: str, query: str) -> None:
    answer = call("GET", f"/v1/keys?{query}", manager)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, query.partition("=")[0])


def test_other_methods_are_a_405_that_says_which_are_allowed(call: Caller, manager: str) -> None:
    answer = call("PUT", "/v1/keys", manager, {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


def test_other_content_types_are_a_415(client: Client, manager: str) -> None:
    answer = client.post("/v1/keys", "name=x", "text/plain", headers={"x-api-key": manager})
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("public_id", ["nobody", "%00", "é", "a" * 500, "a.b", "1%27--"])
def test_unknown_id_is_a_404_in_the_envelope(call: Caller, manager: str, public_id: str) -> None:
    answer = call("GET", f"/v1/keys/{public_id}", manager)
    assert answer.status_code == 404
    assert set(answer.json()["error"]) == ENVELOPE


def test_errors_carry_the_request_id_that_the_edge_gave(client: Client, db: None) -> None:
    assert client.get("/v1/keys", headers={"x-request-id": "req_1"}).headers["x-request-id"] == "req_1"
    assert client.get("/v1/keys").headers["x-request-id"]


def test_using_a_key_notes_its_last_use(call: Caller, manager: str) -> None:

    call("GET", "/v1/keys", manager)
    touches.flush()
    assert Key.objects.get(name="manager").last_used_at is not None
