"""Statements are read by those whom they concern: over the API, on the portal's pages and in the admin."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.booking import refund
from accounts.models import Key, LedgerEntry, Membership, Statement
from accounts.recording import record_attempts
from accounts.rights import Role
from tests.accounts.conftest import Caller
from tests.accounts.test_statements import JUNE, JUNE_4, closed, of
from tests.make import make_key, make_staff, make_team, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def key() -> Key:
    return make_key(make_team("research", cost_centre="=4711"), "reports")[0]


@pytest.fixture
def owner(key: Key) -> Client:
    client, person = Client(), make_user("owner", teams=[key.team])
    Membership.objects.filter(user=person).update(role=Role.OWNER)
    client.force_login(person)
    return client


@pytest.fixture
def two(key: Key) -> tuple[Statement, Statement]:
    """May, and June with a refund of May."""
    record_attempts([of(key, "1", project="blue", charge_factor="0.5"), of(key, "8", JUNE)])
    first = closed(key, at=JUNE_4)
    refund(entry=LedgerEntry.objects.get(cost_usd=1), amount_usd=Decimal("0.2"), note="cut")
    return first, closed(key, "2026-06")


def sheet_of(answer: Any) -> list[dict[str, str]]:
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


@pytest.mark.parametrize("scopes", [["usage"], ["management"]])
def test_key_reads_its_teams_statements_the_latest_first(
    call: Caller, key: Key, two: Any, scopes: list[str]
) -> None:
    text = make_key(key.team, "reader", scopes=scopes)[1]
    told = call("GET", "/v1/statements", text).json()
    assert [(each["number"], each["month"], each["charge_usd"]) for each in told["data"]] == [
        (2, "2026-06", "7.8"),
        (1, "2026-05", "0.5"),
    ]
    assert told["data"][1]["starts_at"] == "2026-05-01T00:00:00Z"
    one = call("GET", "/v1/statements/2", text).json()
    assert [(line["corrects"], line["charge_usd"], line["factor"]) for line in one["lines"]] == [
        (None, "8", "1"),
        (1, "-0.2", None),
    ]
    assert one["lines"][1] | {"project": "blue", "key": key.public_id, "cost_usd": "-0.4"} == one["lines"][1]


def test_list_is_told_by_pages_and_narrowed(call: Caller, key: Key, two: Any) -> None:
    text = make_key(key.team, "reader", scopes=["usage"])[1]
    page = call("GET", "/v1/statements?limit=1", text).json()
    assert ([each["number"] for each in page["data"]], page["has_more"]) == ([2], True)
    rest = call("GET", f"/v1/statements?limit=1&cursor={page['next_cursor']}", text).json()
    assert ([each["number"] for each in rest["data"]], rest["next_cursor"]) == ([1], None)
    for query in ("month=2026-05", "cost_centre=%3D4711&month=2026-05"):
        assert [each["number"] for each in call("GET", f"/v1/statements?{query}", text).json()["data"]] == [1]
    assert call("GET", "/v1/statements?cost_centre=other", text).json()["data"] == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "month=May", "cursor=x", "colour=red", "format=xml"]
)
def test_wrong_query_is_refused_by_its_name(call: Caller, key: Key, query: str) -> None:
    text = make_key(key.team, "reader", scopes=["usage"])[1]
    answer = call("GET", f"/v1/statements?{query}", text)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == query.partition("=")[0]


def test_sheet_has_no_formula_and_numbers_below_nothing(call: Caller, key: Key, two: Any) -> None:
    text = make_key(key.team, "reader", scopes=["usage"])[1]
    rows = sheet_of(call("GET", "/v1/statements/2?format=csv", text))
    assert [(row["number"], row["corrects"], row["charge_usd"]) for row in rows] == [
        ("2", "", "8"),
        ("2", "1", "-0.2"),
    ]
    assert rows[0]["cost_centre"] == "'=4711"
    listed = sheet_of(call("GET", "/v1/statements?format=csv", text))
    assert sum(Decimal(row["charge_usd"]) for row in listed) == Decimal("8.3")


def test_statement_of_another_team_is_none(call: Caller, two: Any) -> None:
    _, text = make_key(make_team("other"), "reader", scopes=["usage"])
    assert call("GET", "/v1/statements", text).json()["data"] == []
    for number in ("1", "99", "x", "0" * 40, "9" * 18, "\u0661"):
        answer = call("GET", f"/v1/statements/{number}", text)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_key_that_calls_models_reads_none(call: Caller, key: Key, two: Any) -> None:
    _, text = make_key(key.team, "caller")
    assert call("GET", "/v1/statements", text).status_code == 403
    assert call("GET", "/v1/statements/1", text).status_code == 403


def test_people_read_their_teams_over_the_api_and_staff_all(owner: Client, key: Key, two: Any) -> None:
    assert len(owner.get("/v1/statements").json()["data"]) == 2
    assert owner.get("/v1/statements/1").status_code == 200
    other = make_key(make_team("other"))[0]
    record_attempts([of(other)])
    closed(other)
    staff, member = Client(), Client()
    staff.force_login(make_staff())
    member.force_login(make_user("member", teams=[key.team]))
    assert len(staff.get("/v1/statements").json()["data"]) == 3
    assert len(staff.get("/v1/statements?team=other").json()["data"]) == 1
    assert staff.get("/v1/statements/3").status_code == 200
    assert owner.get("/v1/statements/3").status_code == 404
    assert len(member.get("/v1/statements").json()["data"]) == 2
    assert member.get("/v1/statements/3").status_code == 404


def test_owner_reads_the_list_and_one_on_the_portal(owner: Client, two: Any) -> None:
    page = owner.get("/team/statements").text
    assert page.index("June 2026") < page.index("May 2026")
    one = owner.get("/team/statements/2").text
    assert "<strong>7.8 USD</strong>" in one
    assert "Later, of May 2026" in one
    assert "-0.2" in one
    rows = sheet_of(owner.get("/team/statements/2/csv"))
    assert [row["charge_usd"] for row in rows] == ["8", "-0.2"]


def test_pages_are_for_the_people_of_the_team(owner: Client, key: Key, two: Any) -> None:
    other = make_key(make_team("other"))[0]
    record_attempts([of(other)])
    closed(other)
    member = Client()
    member.force_login(make_user("member", teams=[key.team]))
    for address in ("/team/statements", "/team/statements/1", "/team/statements/1/csv"):
        assert member.get(address).status_code == 200
    Membership.objects.filter(user__username="member").update(suspended_at=timezone.now())
    assert member.get("/team/statements").status_code == 404
    for number in ("3", "99", "x", "9" * 40):
        assert owner.get(f"/team/statements/{number}").status_code == 404
        assert owner.get(f"/team/statements/{number}/csv").status_code == 404


def test_team_without_one_is_told_when_the_first_comes(owner: Client) -> None:
    assert "No statement yet" in owner.get("/team/statements").text


def test_staff_look_at_statements_and_change_none(client: Client, two: Any) -> None:
    client.force_login(make_staff())
    assert "June" not in client.get("/admin/accounts/statement/?q=nothing").text
    assert "2026-06" in client.get("/admin/accounts/statement/").text
    page = client.get("/admin/accounts/statement/2/change/").text
    assert "7.8 USD" in page
    assert "(of statement 1)" in page
    assert sheet_of(client.get("/admin/accounts/statement/2/csv"))[1]["charge_usd"] == "-0.2"
    assert client.get("/admin/accounts/statement/99/csv").status_code == 404
    assert client.get("/admin/accounts/statement/add/").status_code == 403
    assert client.post("/admin/accounts/statement/2/delete/").status_code == 403
    client.force_login(make_user("clerk", is_staff=True))
    assert client.get("/admin/accounts/statement/2/csv").status_code == 403
