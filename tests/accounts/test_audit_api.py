"""`GET /v1/audit`: whose acts are told to whom, narrowed by what, a page at a time or as lines."""

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Permission
from django.test import Client

from accounts import services
from accounts.audit import record_event
from accounts.auditing.querysets import AppendOnly
from accounts.models import AuditEntry, Key, Membership, Team
from accounts.rights import RIGHTS, Right, Role
from gateway.core.audit_context import on_behalf_of
from tests.make import make_key, make_staff, make_team, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def atlas() -> Team:
    team = make_team("atlas")
    make_key(make_team("other"))
    AuditEntry.objects.all().forget()
    return team


@pytest.fixture
def owner(client: Client, atlas: Team) -> Client:
    person = make_user("olga", teams=[atlas])
    Membership.objects.filter(user=person).update(role="owner")
    AuditEntry.objects.all().forget()
    client.force_login(person)
    return client


def told(client: Client, query: str = "", **headers: str) -> list[dict[str, Any]]:
    answer = client.get(f"/v1/audit{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


def lines_of(answer: Any) -> list[Any]:
    async def read() -> str:
        return "".join([part.decode() async for part in answer.streaming_content])

    return [json.loads(line) for line in async_to_sync(read)().splitlines()]


def types(client: Client, query: str = "") -> list[str]:
    return [entry["type"] for entry in told(client, query)]


def test_owner_reads_who_did_what_from_where(owner: Client, atlas: Team) -> None:
    owner.post(
        "/v1/keys", {"name": "one"}, content_type="application/json", headers={"x-request-id": "req_1"}
    )
    (entry,) = told(owner)
    assert entry["actor"] == {
        "type": "session",
        "session": {"user": {"id": "olga", "email": None}, "ip_address": "127.0.0.1"},
    }
    assert (entry["type"], entry["team"], entry["request_id"]) == ("key.created", "atlas", "req_1")
    assert entry["target"]["id"] == Key.objects.get(team=atlas).public_id
    assert entry["changes"]["name"] == {"before": None, "after": "one"}


def test_acts_of_other_teams_and_of_the_operator_are_not_told(owner: Client) -> None:
    make_key(make_team("third"))
    record_event("session.failed", facts={"name": "nobody"})
    assert told(owner) == []


def test_management_key_reads_its_own_team(client: Client, atlas: Team) -> None:
    _, text = make_key(atlas, scope="management")
    record_event("session.failed", facts={"name": "nobody"})
    assert {entry["team"] for entry in told(client, authorization=f"Bearer {text}")} == {"atlas"}


@pytest.mark.parametrize("scope", ["inference", "feed"])
def test_key_of_another_scope_reads_no_audit(client: Client, atlas: Team, scope: str) -> None:
    _, text = make_key(atlas, scope=scope)
    answer = client.get("/v1/audit", headers={"authorization": f"Bearer {text}"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "management_key_required")


@pytest.mark.parametrize("role", Role)
def test_audit_is_read_by_those_whose_role_has_the_right(client: Client, atlas: Team, role: Role) -> None:
    person = make_user("mary", teams=[atlas])
    Membership.objects.filter(user=person).update(role=role)
    client.force_login(person)
    assert client.get("/v1/audit").status_code == (200 if Right.AUDIT in RIGHTS[role] else 403)


def test_staff_who_may_see_the_audit_read_all_of_it_or_one_team(client: Client, atlas: Team) -> None:
    staff = make_user("sue", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_auditentry"))
    client.force_login(staff)
    make_key(atlas)
    record_event("session.failed", facts={"name": "nobody"})
    assert {entry["team"] for entry in told(client)} == {None, "atlas"}
    assert {entry["team"] for entry in told(client, "?team=atlas")} == {"atlas"}
    assert client.get("/v1/audit?team=nobody").json()["error"]["code"] == "team_not_found"


def test_staff_who_may_not_see_the_audit_read_none(client: Client, atlas: Team) -> None:
    client.force_login(make_user("sue", is_staff=True))
    assert client.get("/v1/audit?team=atlas").status_code == 404


def test_groups_of_whoever_is_staff_no_more_open_nothing(client: Client, atlas: Team) -> None:
    person = make_user("sue", teams=[make_team("borea")], role="owner")
    person.user_permissions.set(
        Permission.objects.filter(codename__in=["view_auditentry", "view_ledgerentry", "change_team"])
    )
    client.force_login(person)
    make_key(atlas)
    assert "atlas" not in {entry["team"] for entry in told(client)}
    for path in ("audit", "usage", "statements"):
        assert client.get(f"/v1/{path}?team=atlas").status_code == 404
    body = {"charge_factor": "2"}
    refused = client.patch("/v1/team", body, content_type="application/json", headers={"X-CSRFToken": "x"})
    assert refused.json()["error"]["code"] == "staff_required"


def test_pages_follow_one_another_both_ways(owner: Client, atlas: Team) -> None:
    for number in range(5):
        record_event(f"test.e{number}", team=atlas)
    first = owner.get("/v1/audit?limit=2").json()
    second = owner.get(f"/v1/audit?limit=2&after={first['last_id']}").json()
    last = owner.get(f"/v1/audit?limit=2&after={second['last_id']}").json()
    back = owner.get(f"/v1/audit?limit=2&before={second['first_id']}").json()
    assert [[e["type"] for e in page["data"]] for page in (first, second, last)] == [
        ["test.e4", "test.e3"],
        ["test.e2", "test.e1"],
        ["test.e0"],
    ]
    assert [page["has_more"] for page in (first, second, last, back)] == [True, True, False, False]
    assert back["data"] == first["data"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?event_types=key.revoked", ["key.revoked"]),
        (
            "?event_types[]=key.revoked&event_types[]=key.created",
            ["key.created", "key.revoked", "key.created"],
        ),
        ("?event_types=key.*", ["key.created", "key.revoked", "key.created"]),
        ("?event_types=key.*,audit.exported", ["key.created", "key.revoked", "key.created"]),
        ("?actor_ids=bea", ["key.revoked"]),
        ("?actor_emails[]=BEA@example.com", ["key.revoked"]),
        ("?actor_ids=nobody", []),
        ("?resource_ids={key}", ["key.revoked", "key.created"]),
        ("?resource_ids=atlas", []),
        ("?effective_at[gte]=2020-01-01T00:00:00Z", ["key.created", "key.revoked", "key.created"]),
        ("?effective_at[lt]=1577836800", []),
    ],
)
def test_list_is_narrowed(owner: Client, atlas: Team, query: str, found: list[str]) -> None:
    key, _ = make_key(atlas)
    with on_behalf_of(make_user("bea", email="bea@example.com")):
        services.revoke_key(key=key)
    make_key(atlas, "another")
    assert types(owner, query.format(key=key.public_id)) == found


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("event_types=revoked", "event_types"),
        ("event_types=KEY.*", "event_types"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("after=17", "after"),
        ("before=aud_x", "before"),
        ("after=aud_1&before=aud_2", "before"),
        ("effective_at[gt]=yesterday", "effective_at[gt]"),
        ("effective_at[lte]=1850-01-01T00:00:00Z", "effective_at[lte]"),
        ("effective_at[ne]=1577836800", "effective_at[ne]"),
        ("effective_at=1577836800", "effective_at"),
        ("actor_ids=%00", "actor_ids"),
        ("resource_ids=" + "a," * 60, ""),
        ("format=csv", "format"),
        ("colour=red", "colour"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_its_name(owner: Client, query: str, name: str) -> None:
    answer = owner.get(f"/v1/audit?{query}")
    if name:
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, name)
    else:
        assert answer.status_code == 200


def test_export_has_a_line_for_each_entry_and_is_told_itself(owner: Client, atlas: Team) -> None:
    for number in range(3):
        record_event(f"test.e{number}", team=atlas)
    answer = owner.get("/v1/audit?format=jsonl&event_types=test.*")
    assert [line["type"] for line in lines_of(answer)] == ["test.e2", "test.e1", "test.e0"]
    assert answer["content-type"] == "application/jsonl"
    assert types(owner, "?event_types=audit.exported") == ["audit.exported"]


def test_export_is_asked_for_by_accept_as_well(owner: Client, atlas: Team) -> None:
    record_event("test.done", team=atlas)
    answer = owner.get("/v1/audit", headers={"accept": "application/jsonl"})
    assert lines_of(answer)[-1]["type"] == "test.done"


def test_page_costs_a_fixed_number_of_queries(
    owner: Client, atlas: Team, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        make_key(atlas, f"key {number}")
    with django_assert_max_num_queries(9):
        assert len(told(owner)) == 20


def test_entry_is_written_once(atlas: Team) -> None:
    entry = record_event("test.done", team=atlas)
    rows = AuditEntry.objects.filter(pk=entry.pk)
    entry.event = "test.undone"
    for attempt in (entry.save, entry.delete, rows.delete, lambda: rows.update(event="x")):
        with pytest.raises(AppendOnly):
            attempt()
    assert rows.get().event == "test.done"


def test_superuser_can_neither_change_nor_delete_an_entry(client: Client, atlas: Team) -> None:
    client.force_login(make_staff("root"))
    entry = record_event("test.done", team=atlas)
    page = f"/admin/accounts/auditentry/{entry.pk}"
    answers = [client.post(f"{page}/{act}/", {"post": "yes"}).status_code for act in ("change", "delete")]
    chosen = {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"}
    client.post("/admin/accounts/auditentry/", chosen)
    assert answers == [403, 403]
    assert AuditEntry.objects.filter(pk=entry.pk).exists()
