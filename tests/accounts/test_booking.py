"""Entries are put right by entries: in the ledger and in the sums at once, and never below nothing."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from accounts.booking import correct, net_of, refund
from accounts.keys import DEPLOYMENT
from accounts.models import AuditEntry, Key, LedgerEntry, Spend
from accounts.money import units_of, usd_of
from accounts.recording import count_missed
from accounts.spending import spent_in
from accounts.spending_proof import prove
from accounts.windows import DAY, LIFETIME, window_at
from gateway.core.refusals import InvalidField
from tests.make import make_entry, make_key, make_staff, make_team, make_user

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
EVER = window_at(LIFETIME, "UTC", NOON.timestamp())


@pytest.fixture
def key() -> Key:
    return make_key(make_team("atlas"), "billing")[0]


def entry_of(key: Key, cost: str = "1", charge: str | None = None, **fields: Any) -> LedgerEntry:
    entry = make_entry(
        key,
        cost_usd=Decimal(cost),
        charge_usd=None if charge is None else Decimal(charge),
        started_at=fields.pop("started_at", NOON),
        **fields,
    )
    count_missed()
    return LedgerEntry.objects.get(pk=entry.pk)


def ever(subject: str) -> Decimal:
    return usd_of(spent_in(subject, EVER))


def test_refund_gives_the_team_its_money_back_and_the_operator_bears_it(key: Key) -> None:
    entry = entry_of(key, "1", "1.2", charge_factor=Decimal("1.2"), usage={"input_tokens": 7}, input_tokens=7)
    made = refund(entry=entry, amount_usd=Decimal("0.6"), note=" The answer was cut ")
    kept = LedgerEntry.objects.get(pk=made.pk)
    assert (kept.kind, kept.corrects_id, kept.note) == ("refund", entry.pk, "The answer was cut")
    assert (kept.cost_usd, kept.charge_usd, kept.loss_usd) == (
        Decimal("-0.5"),
        Decimal("-0.6"),
        Decimal("0.5"),
    )
    assert (kept.input_tokens, kept.usage, kept.latency_ms) == (None, {}, None)
    assert (ever(f"team:{key.team_id}"), ever(f"key:{key.pk}")) == (Decimal("0.6"), Decimal("0.6"))
    assert (ever(DEPLOYMENT), ever("provider:acme")) == (Decimal(1), Decimal(1))


def test_correction_follows_the_factor_and_moves_what_the_provider_costs(key: Key) -> None:
    entry = entry_of(key, "1", "0.5", charge_factor=Decimal("0.5"))
    correct(entry=entry, amount_usd=Decimal("-0.2"), note="counted twice")
    assert ever(f"team:{key.team_id}") == Decimal("0.4")
    assert ever("provider:acme") == Decimal("0.8")
    correct(entry=entry, amount_usd=Decimal("0.3"), note="and a tool", is_operators=True)
    assert ever(f"team:{key.team_id}") == Decimal("0.4")
    assert ever("provider:acme") == Decimal("1.1")


def test_halves_of_the_last_digit_add_up_to_the_charge_of_the_whole(key: Key) -> None:
    entry = entry_of(key, "0.0000000003", "0.0000000002", charge_factor=Decimal("0.5"))
    for _ in range(3):
        correct(entry=entry, amount_usd=Decimal("-0.0000000001"), note="one by one")
    assert net_of(entry) == (0, 0, 0)


def test_correction_counts_where_its_entry_did_and_not_when_it_was_booked(key: Key) -> None:
    entry = entry_of(key)
    made = refund(entry=entry, amount_usd=Decimal(1), note="x")
    assert spent_in(f"team:{key.team_id}", window_at(DAY, "Asia/Kathmandu", NOON.timestamp())) == 0
    assert made.started_at == NOON
    assert made.ended_at
    assert timezone.now() - made.ended_at < timedelta(minutes=5)


def test_sums_with_corrections_are_the_ledgers(key: Key) -> None:
    entry = entry_of(key, started_at=timezone.now())
    refund(entry=entry, amount_usd=Decimal("0.3"), note="x")
    correct(entry=entry, amount_usd=Decimal("-0.3"), note="x")
    assert prove(at=timezone.now()) == []
    assert ever(f"team:{key.team_id}") == Decimal("0.4")


@pytest.mark.parametrize(
    ("act", "amount", "param"),
    [
        (refund, "1.0000000001", "amount_usd"),
        (refund, "0", "amount_usd"),
        (refund, "-1", "amount_usd"),
        (correct, "-1.0000000001", "amount_usd"),
        (correct, "0", "amount_usd"),
        (correct, "0.00000000001", "amount_usd"),
        (correct, "1000000001", "amount_usd"),
    ],
)
def test_amount_that_cannot_be_is_refused_and_nothing_is_booked(
    key: Key, act: Any, amount: str, param: str
) -> None:
    entry = entry_of(key)
    with pytest.raises(InvalidField) as refused:
        act(entry=entry, amount_usd=Decimal(amount), note="x")
    assert refused.value.field == param
    assert LedgerEntry.objects.count() == 1
    assert ever(f"team:{key.team_id}") == Decimal(1)


def test_exactly_all_of_it_can_be_given_back_once(key: Key) -> None:
    entry = entry_of(key, "0.7", "0.84", charge_factor=Decimal("1.2"))
    refund(entry=entry, amount_usd=Decimal("0.84"), note="x")
    assert net_of(entry) == (0, 0, units_of(Decimal("0.7")))
    with pytest.raises(InvalidField, match="Only 0 USD are charged"):
        refund(entry=entry, amount_usd=Decimal("0.0000000001"), note="x")


def test_what_corrects_an_entry_is_not_corrected_itself_and_needs_a_reason(key: Key) -> None:
    entry = entry_of(key)
    with pytest.raises(InvalidField, match="Say why"):
        refund(entry=entry, amount_usd=Decimal(1), note=" ")
    made = refund(entry=entry, amount_usd=Decimal(1), note="x")
    with pytest.raises(InvalidField, match="put that one right"):
        correct(entry=made, amount_usd=Decimal(1), note="x")


def test_correction_of_a_key_that_is_gone_counts_for_its_number(key: Key) -> None:
    entry = entry_of(key)
    Spend.objects.all().delete()
    LedgerEntry.objects.update(lineage_id=0)
    Key.objects.all().delete()
    refund(entry=entry, amount_usd=Decimal("0.25"), note="x")
    assert ever(f"key:{key.pk or entry.key_id}") == Decimal("-0.25")


PAGE = "/admin/accounts/ledgerentry/{}/correct/"


def test_page_books_a_refund_and_tells_who_did(client: Client, key: Key) -> None:
    client.force_login(make_staff("ada"))
    entry = entry_of(key)
    address = PAGE.format(entry.pk)
    assert address in client.get(f"/admin/accounts/ledgerentry/{entry.pk}/change/").text
    assert "1 USD" in client.get(address).text
    answer = client.post(address, {"act": "refund", "amount_usd": "0.4", "note": "sorry"}, follow=True)
    assert "charged -0.4 USD by a new entry" in answer.text
    told = AuditEntry.objects.filter(page=f"accounts.ledgerentry/{entry.pk}").get()
    assert (str(told.actor), told.changes["note"][1]) == ("ada", "sorry")


def test_page_says_what_is_wrong_with_an_amount(client: Client, key: Key) -> None:
    client.force_login(make_staff())
    answer = client.post(PAGE.format(entry_of(key).pk), {"act": "refund", "amount_usd": "4", "note": "x"})
    assert (answer.status_code, "Only 1 USD are charged" in answer.text) == (200, True)
    assert LedgerEntry.objects.count() == 1


def test_page_is_for_those_with_the_permission(client: Client, key: Key) -> None:
    person = make_user("viewer", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_ledgerentry"))
    client.force_login(person)
    entry = entry_of(key)
    assert client.get(PAGE.format(entry.pk)).status_code == 403
    assert "correct/" not in client.get(f"/admin/accounts/ledgerentry/{entry.pk}/change/").text
    person.user_permissions.add(Permission.objects.get(codename="correct_ledgerentry"))
    assert client.get(PAGE.format(entry.pk)).status_code == 200
    assert client.get(PAGE.format(UUID(int=0))).status_code == 404
