"""The page of a team's audit."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from accounts.audit import record_event
from accounts.budgeting import make_budget
from accounts.models import AuditEntry, Membership, Team
from accounts.rights import RIGHTS, Right, Role
from tests.make import make_key, make_team, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def atlas() -> Team:
    make_key(make_team("other"), "secret plans")
    return make_team("atlas")


@pytest.fixture
def admin(client: Client, atlas: Team) -> Client:
    person = make_user("olga", teams=[atlas])
    Membership.objects.filter(user=person).update(role="admin")
    client.force_login(person)
    return client


@pytest.mark.parametrize("role", Role)
def test_page_is_for_those_whose_role_has_the_right(client: Client, atlas: Team, role: Role) -> None:
    person = make_user("mary", teams=[atlas])
    Membership.objects.filter(user=person).update(role=role)
    client.force_login(person)
    assert client.get("/team/audit?team=atlas").status_code == (200 if Right.AUDIT in RIGHTS[role] else 403)


def test_page_tells_what_was_done_and_nothing_of_others(admin: Client, atlas: Team) -> None:
    make_key(atlas, "<reports>")
    page = admin.get("/team/audit").text
    assert "key.created" in page
    assert "&lt;reports&gt;" in page
    assert "secret plans" not in page
    assert "ip_ranges" not in page, "what a new row leaves empty is no news"


def test_page_is_narrowed_as_the_api_is(admin: Client, atlas: Team) -> None:
    make_key(atlas, "reports")
    record_event("test.done", team=atlas)
    page = admin.get("/team/audit?event_types=test.*&effective_at[gte]=2020-01-01").text
    assert "test.done" in page
    assert "key.created" not in page


def test_what_cannot_be_asked_is_named(admin: Client) -> None:
    answer = admin.get("/team/audit?event_types=x")
    assert answer.status_code == 400
    assert "event_types holds" in answer.text


def test_older_entries_are_a_page_away(admin: Client, atlas: Team) -> None:
    AuditEntry.objects.all().forget()
    first = record_event("test.first", team=atlas)
    for _ in range(50):
        record_event("test.done", team=atlas)
    page = admin.get("/team/audit?event_types=test.*").text
    assert "test.first" not in page
    older = f"after=aud_{first.pk + 1}"
    assert older in page
    assert "test.first" in admin.get(f"/team/audit?event_types=test.*&{older}").text


def test_export_has_what_the_page_is_narrowed_to(admin: Client, atlas: Team) -> None:
    record_event("test.done", team=atlas)
    answer: Any = admin.get("/team/audit?event_types=test.*&format=jsonl")

    async def read() -> str:
        return "".join([part.decode() async for part in answer.streaming_content])

    lines = [json.loads(line) for line in async_to_sync(read)().splitlines()]
    assert [line["type"] for line in lines] == ["test.done"]


def test_changes_are_told_as_people_read_them(client: Client) -> None:
    team = make_team("atlas", time_zone="Europe/Berlin")
    client.force_login(make_user("mary", teams=[team], role="owner"))
    make_budget(subject=team, window="month", amount_usd=Decimal(5))
    make_key(team, "nightly", expires_at=datetime(2099, 7, 1, 12, tzinfo=UTC))
    page = client.get("/team/audit?team=atlas").text
    assert "refuses: <bdi>yes</bdi>" in page
    assert "thresholds: <bdi>80, 100</bdi>" in page
    assert "expires_at: <bdi>1 Jul 2099, 14:00:00 CEST</bdi>" in page
