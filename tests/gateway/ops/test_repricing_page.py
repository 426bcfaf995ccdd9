"""Staff price attempts anew in the admin: they see the difference by team first, and book exactly that."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import AuditEntry, Key, LedgerEntry
from catalogue.models import Price
from gateway.ops import repricing_page
from tests.gateway.ops.test_repricing import key, now, price, raise_price, spend
from tests.make import make_staff, make_user

pytestmark = pytest.mark.django_db
PAGE = "/admin/reprice/"
__all__ = ["key", "now", "price"]


def hour_of(now: datetime, **more: str) -> dict[str, str]:
    low, high = now - timedelta(hours=1), now + timedelta(minutes=1)
    return {"since": f"{low.astimezone(UTC):%Y-%m-%d %H:%M}", "until": f"{high:%Y-%m-%d %H:%M}", **more}


def shown_in(answer: Any) -> str:
    found = re.search(r'name="shown" value="(\w+)"', answer.text)
    assert found, answer.text
    return found[1]


@pytest.fixture
def ada(client: Client) -> Client:
    client.force_login(make_staff("ada"))
    return client


def test_difference_is_shown_by_team_and_booked_by_a_second_click(
    ada: Client, key: Key, price: Price, now: datetime
) -> None:
    spend(key, now, charge_factor="0.5")
    raise_price(price)
    assert f'href="{PAGE}"' in ada.get("/admin/accounts/ledgerentry/").text
    looked = ada.post(PAGE, hour_of(now, act="look"))
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", looked.text)
    assert cells == ["Atlas", "1", "0.5", "1", "+0.5", "0"]
    assert LedgerEntry.objects.count() == 1
    sent = hour_of(now, act="book", note="a price for a thousand", shown=shown_in(looked))
    answer = ada.post(PAGE, sent, follow=True)
    assert "Booked. Attempts that are priced anew: 1; teams: 1." in answer.text
    made = LedgerEntry.objects.get(kind="reprice")
    assert (str(made.charge_usd), made.note) == ("0.5000000000", "a price for a thousand")
    told = AuditEntry.objects.get(changes__has_key="priced_anew")
    assert (str(told.actor), told.changes["note"][1]) == ("ada", "a price for a thousand")
    assert "none differs" in ada.post(PAGE, hour_of(now, act="look")).text


def test_nothing_is_booked_that_was_not_shown(ada: Client, key: Key, price: Price, now: datetime) -> None:
    spend(key, now)
    raise_price(price)
    shown = shown_in(ada.post(PAGE, hour_of(now, act="look")))
    raise_price(price, "3")
    answer = ada.post(PAGE, hour_of(now, act="book", note="x", shown=shown))
    assert "Nothing was booked" in answer.text
    assert shown_in(answer) != shown
    narrowed = hour_of(now, act="book", note="x", shown=shown_in(answer), model="acme/one")
    assert "Nothing was booked" in ada.post(PAGE, narrowed).text
    assert LedgerEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"since": "yesterday"}, "Enter a valid date/time."),
        ({"until": "2020-01-01"}, "This is not after the beginning."),
        ({"act": "book", "shown": "x"}, "Say why: whoever reads the ledger later will ask."),
        ({"note": "x" * 201}, "at most 200 characters"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    ada: Client, key: Key, price: Price, now: datetime, given: dict[str, str], said: str
) -> None:
    spend(key, now)
    raise_price(price)
    answer = ada.post(PAGE, hour_of(now) | given)
    assert (answer.status_code, said in answer.text) == (200, True)
    assert LedgerEntry.objects.count() == 1


def test_more_attempts_than_a_request_can_look_at_are_for_the_command(
    ada: Client, key: Key, price: Price, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repricing_page, "MOST_ATTEMPTS", 1)
    spend(key, now)
    spend(key, now)
    assert "More than 1 attempts began then" in ada.post(PAGE, hour_of(now)).text


def test_page_is_for_those_who_may_put_entries_right(client: Client) -> None:
    person = make_user("viewer", is_staff=True)
    client.force_login(person)
    for right, status in (("view_ledgerentry", 403), ("correct_ledgerentry", 200)):
        person.user_permissions.add(Permission.objects.get(codename=right))
        assert client.get(PAGE).status_code == status
    client.force_login(make_user("nobody"))
    assert client.get(PAGE).status_code in {302, 403}
