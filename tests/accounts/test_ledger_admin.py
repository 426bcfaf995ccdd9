"""The ledger in the admin: searched, narrowed, added up, carried away, and never read whole."""

import csv
import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

from accounts import ledger_export
from accounts.admin import ledger
from accounts.models import Key, LedgerEntry, Team, User
from tests.make import make_entry, make_key, make_staff, make_team, make_user

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/ledgerentry/"
AT = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff())
    return client


@pytest.fixture
def key() -> Key:
    return make_key(make_team("atlas"), "billing")[0]


def shown(client: Client, query: str = "") -> list[str]:
    """The request ids of the rows."""
    return re.findall(r'class="text-link"[^>]*>(req_\w+)</a>', client.get(LIST + query).text)


def figures(page: str) -> dict[str, str]:
    found = re.findall(r"<dt>([^<]+)</dt><dd[^>]*>([^<]+)</dd>", page)
    return {name: unescape(text) for name, text in found}


def test_row_tells_when_to_the_second_whose_and_how_long(staff: Client, key: Key) -> None:
    make_entry(key, request_id="req_1", started_at=AT, latency_ms=1234.5678, project="night")
    page = staff.get(LIST).text
    for text in ("2026-06-01 12:00:00", "req_1", "Atlas", "billing", "night", "1.23 s"):
        assert text in page


@pytest.mark.parametrize(
    "find",
    [
        lambda row: row.request_id,
        lambda row: f" {row.request_id} ",
        lambda row: str(row.call_id),
        lambda row: row.call_id.hex,
        lambda row: str(row.attempt_id),
        lambda row: row.key.public_id,
        lambda row: f"sk-gw-{row.key.public_id}-…",
        lambda row: row.project,
    ],
)
def test_row_is_found_by_what_people_have_of_it(
    staff: Client, key: Key, find: Callable[[LedgerEntry], str]
) -> None:
    row = make_entry(key, request_id="req_wanted", project="night shift")
    make_entry(make_key()[0], request_id="req_other", project="day")
    assert shown(staff, f"?q={quote(find(row))}") == ["req_wanted"]


@pytest.mark.parametrize("text", ["req_want", "night", "ZZZZZZZZZZZZ", "req_'", "%25", "ü"])
def test_text_that_is_nothing_in_full_finds_nothing(staff: Client, key: Key, text: str) -> None:
    make_entry(key, request_id="req_wanted", project="night shift")
    page = staff.get(f"{LIST}?q={text}")
    assert (page.status_code, "Nothing matches" in page.text) == (200, True)


def test_request_leads_to_all_of_its_attempts(staff: Client, key: Key) -> None:
    for number in (1, 2):
        make_entry(key, request_id="req_1", number=number)
    make_entry(key, request_id="req_2")
    link = re.findall(r'href="([^"]+q=req_1)"', staff.get(LIST).text)[0]
    assert staff.get(link).text.count(">req_1</a>") == 2


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?from=2026-06-01T12:00:00", ["req_2", "req_1"]),
        ("?from=2026-06-01T12:00:01", ["req_2"]),
        ("?until=2026-06-01T12:00:01", ["req_1", "req_0"]),
        ("?until=2026-06-01T12:00:00", ["req_0"]),
        ("?from=2026-06-01T12:00&until=2026-06-01T12:00:01", ["req_1"]),
        ("?from=2026-06-01T14:00:00%2B02:00&until=2026-06-01T12:00:01Z", ["req_1"]),
        ("?from=nonsense&until=", ["req_2", "req_1", "req_0"]),
    ],
)
def test_list_is_narrowed_by_instants_in_utc(staff: Client, key: Key, query: str, found: list[str]) -> None:
    for number in range(3):
        make_entry(key, request_id=f"req_{number}", started_at=AT + timedelta(seconds=number - 1))
    assert shown(staff, query) == found


def test_list_is_narrowed_by_a_period_that_ends_now(staff: Client, key: Key) -> None:
    now = timezone.now()
    for name, age in (("minutes", 30), ("hours", 300), ("days", 3 * 1440), ("weeks", 20 * 1440)):
        make_entry(key, request_id=f"req_{name}", started_at=now - timedelta(minutes=age))
    assert [len(shown(staff, f"?period={each}")) for each in ("hour", "day", "week", "month")] == [1, 2, 3, 4]


def test_sums_are_of_what_the_list_is_narrowed_to(staff: Client, key: Key) -> None:
    spent: dict[str, Any] = {"cost_usd": Decimal("0.75"), "input_tokens": 1200, "output_tokens": 30}
    make_entry(key, request_id="req_1", **spent)
    make_entry(key, "failed_over", request_id="req_1", loss_usd=Decimal("0.001"))
    make_entry(make_key()[0], request_id="req_2", **spent)
    assert figures(staff.get(f"{LIST}?q={key.public_id}").text) == {
        "Attempts": "2",
        "Calls": "1",
        "Charged": "$0.75",
        "Borne by us": "< $0.01",
        "Tokens in": "1,200",
        "Tokens out": "30",
    }


def test_sums_of_a_long_list_are_of_its_latest_rows_and_say_so(
    staff: Client, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "MOST_ADDED_UP", 2)
    for number in range(2):
        make_entry(key, cost_usd=1, started_at=AT + timedelta(seconds=number))
    assert "More rows match than are added up here" not in staff.get(LIST).text
    make_entry(key, cost_usd=5, started_at=AT - timedelta(seconds=1))
    page = staff.get(LIST).text
    assert "More rows match than are added up here" in page
    assert figures(page)["Charged"] == "$2.00"


def test_page_of_a_row_tells_its_usage_and_the_prices_that_applied(staff: Client, key: Key) -> None:
    prices = [{"meter": "input_text_tokens", "amount": "0.15"}]
    row = make_entry(key, usage={"input_tokens": 1200, "cached_tokens": 3}, prices=prices)
    page = staff.get(f"{LIST}{row.pk}/change/").text
    assert "input_tokens: 1,200<br>cached_tokens: 3" in page
    assert "meter: input_text_tokens, amount: 0.15" in page


def test_page_of_a_row_tells_instants_in_utc_and_rounds_durations(staff: Client, key: Key) -> None:
    at = AT.replace(microsecond=123_456)
    row = make_entry(key, started_at=at, ended_at=None, latency_ms=0.78174, first_token_ms=1234.5678)
    row_with_all = make_entry(
        key, started_at=AT, ended_at=at, first_token_ms=None, cost_usd=Decimal("0.0000047")
    )
    page, other = (staff.get(f"{LIST}{each.pk}/change/").text for each in (row, row_with_all))
    for text in ("2026-06-01 12:00:00.123", "unknown", "&lt; 1 ms", "1.23 s"):
        assert text in page
    for text in ("2026-06-01 12:00:00.000", "2026-06-01 12:00:00.123", "none came", "0.0000047"):
        assert text in other
    assert "0.78174" not in page


def test_filters_never_count_the_whole_ledger(staff: Client, key: Key) -> None:
    make_entry(key)
    assert "Show counts" not in staff.get(LIST).text
    assert "Finished (1)" not in staff.get(f"{LIST}?_facets=True").text


def test_row_outlives_its_team_and_key(staff: Client, key: Key) -> None:
    row = make_entry(key)
    LedgerEntry.objects.update(team_id=998, key_id=999)
    page = staff.get(LIST).text
    assert "gone, number 998" in page
    assert "gone, number 999" in page
    assert staff.get(f"{LIST}{row.pk}/change/").status_code == 200
    assert exported(LIST + "export.csv")[0]["key_name"] == "gone, number 999"


def test_list_does_not_ask_once_a_row(
    staff: Client, django_assert_max_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    for _ in range(10):
        make_entry(make_key()[0])
    # The first page lists the session, which takes queries of its own.
    staff.get(LIST)
    with django_assert_max_num_queries(12):
        staff.get(LIST)


@pytest.mark.parametrize(
    ("rows", "index"),
    [
        (LedgerEntry.objects.order_by("-started_at", "-pk"), "started_at"),
        (LedgerEntry.objects.filter(key=1).order_by("-started_at", "-pk"), "ledger_by_key"),
        (LedgerEntry.objects.filter(team=1).order_by("-started_at", "-pk"), "ledger_by_team"),
        (LedgerEntry.objects.found_by("req_1").order_by(), "ledger_by_request"),
        (LedgerEntry.objects.found_by("night").order_by("-started_at", "-pk"), "ledger_by_project"),
        (LedgerEntry.objects.order_by("-started_at", "-pk").after(AT, uuid4()), "started_at"),
    ],
)
def test_rows_are_found_by_an_index(rows: QuerySet[LedgerEntry], index: str) -> None:
    plan = rows[:50].explain()
    assert re.search(rf"USING INDEX \w*{index}", plan), plan
    assert "TEMP B-TREE FOR ORDER BY" not in plan


def exported(address: str, user: str = "curator") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(export(address, user))))


@async_to_sync
async def export(address: str, user: str) -> str:
    """As it is sent: part after part."""
    client = AsyncClient()
    await client.aforce_login(await User.objects.aget(username=user))
    answer: Any = await client.get(address)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="ledger-')
    return b"".join([part async for part in answer]).decode()


def test_export_holds_all_pages_of_what_the_list_is_narrowed_to(
    staff: Client, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_export, "_PAGE_ROWS", 2)
    for number in range(5):
        # Two of one instant stand at the edge of a page.
        make_entry(key, request_id=f"req_{number}", started_at=AT + timedelta(seconds=number // 2))
    make_entry(make_key()[0], request_id="req_other")
    rows = exported(f"{LIST}export.csv?q={key.public_id}")
    assert sorted(row["request_id"] for row in rows) == [f"req_{number}" for number in range(5)]
    assert [row["started_at"] for row in rows] == sorted((row["started_at"] for row in rows), reverse=True)


def test_export_is_exact_and_computes_nothing(staff: Client, key: Key) -> None:
    Team.objects.update(name="=2+3")
    make_entry(key, cost_usd=Decimal("0.0000000123"), project="@sum", started_at=AT, latency_ms=12.5)
    (row,) = exported(LIST + "export.csv")
    assert (row["team"], row["project"]) == ("'=2+3", "'@sum")
    assert (row["cost_usd"], row["loss_usd"], row["latency_ms"]) == ("0.0000000123", "0", "12.5")
    assert row["started_at"] == "2026-06-01T12:00:00+00:00"
    assert (row["key"], row["key_name"]) == (key.public_id, "billing")


def test_export_that_is_too_long_says_where_it_ends(
    staff: Client, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_export, "_PAGE_ROWS", 2)
    monkeypatch.setattr(ledger_export, "MOST_ROWS", 4)
    for _ in range(5):
        make_entry(key)
    *rows, last = exported(LIST + "export.csv")
    assert len(rows) == 4
    assert last["attempt_id"].startswith("The list ends here")


@pytest.mark.parametrize("right", ["", "view_key", "view_model"])
def test_ledger_and_its_export_take_the_right_to_view_it(client: Client, key: Key, right: str) -> None:
    person = make_user("narrow", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename=right))
    client.force_login(person)
    assert [client.get(LIST + each).status_code for each in ("", "export.csv")] == [403, 403]


def test_requests_of_all_teams_are_for_those_who_may_see_the_ledger(client: Client) -> None:
    for name in ("atlas", "other"):
        make_entry(make_key(make_team(name))[0], request_id=f"req_{name}", call_id=uuid4())
    address = reverse("admin:accounts_ledgerentry_log")
    client.force_login(make_user("curious", is_staff=True))
    assert client.get(address).status_code == 403
    assert client.get(reverse("admin:accounts_ledgerentry_news"), {"since": "1"}).status_code == 403
    reader = make_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_ledgerentry"))
    client.force_login(reader)
    page = client.get(address).text
    for name in ("atlas", "other"):
        assert reverse("admin:accounts_ledgerentry_receipt", args=[f"req_{name}"]) in page
    assert "req_other" not in client.get(address, {"team": "atlas"}).text
    assert client.get(address, {"team": "none"}).status_code == 404
    assert client.get(address, {"modle": "x"}).status_code == 400
    assert "req_other" in client.get(reverse("admin:accounts_ledgerentry_news"), {"since": "1"}).text
    assert client.get(address, {"q": "req_other"})["Location"].endswith("/receipts/req_other/")
