"""A wrong price is repaired by entries of their own: the difference first, each once, back to the last digit."""

import io
import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.booking import refund
from accounts.models import AuditEntry, Key, LedgerEntry
from accounts.money import usd_of
from accounts.recording import record_attempts
from accounts.spending import spent_in
from accounts.spending_proof import prove
from accounts.windows import LIFETIME, window_at
from catalogue.models import Price
from gateway.ops.repricing import BY_HAND, NO_OFFERING, OWN, Range, reprice
from tests import make
from tests.gateway.spooling import attempt

pytestmark = pytest.mark.django_db
MILLION = 1_000_000
EVER = window_at(LIFETIME, "UTC", 0)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def key() -> Key:
    return make.make_key(make.make_team("atlas"), "billing")[0]


@pytest.fixture
def price() -> Price:
    """A dollar a million, where it should have been two."""
    offering = make.make_offering(
        make.make_model("acme/one"), make.make_provider("acme"), upstream_name="one"
    )
    found = make.make_price(offering, "input_text_tokens", "1")
    make.publish_all()
    return found


def raise_price(price: Price, amount: str = "2") -> None:
    make.make_price(price.offering, price.meter, amount)
    make.publish_all()


def spend(key: Key, now: datetime, **told: Any) -> None:
    end = {"cost_usd": "1", "usage": {"input_tokens": MILLION}} | told.pop("end", {})
    owner = {"team_id": key.team_id, "key_id": key.pk, "lineage_id": key.pk}
    record_attempts([attempt(end=end, **owner, started_at=now.timestamp() - 60, **told)])


def of(now: datetime, **narrowed: Any) -> Range:
    return Range(now - timedelta(hours=1), now, **narrowed)


def ever(subject: str) -> Decimal:
    return usd_of(spent_in(subject, EVER))


def test_difference_is_told_by_team_and_nothing_is_booked(key: Key, price: Price, now: datetime) -> None:
    spend(key, now, charge_factor="0.5")
    raise_price(price)
    found = reprice(of(now), applies=False)
    difference = found.teams[key.team_id]
    assert (found.seen, difference.attempts) == (1, 1)
    assert (usd_of(difference.before.charge), usd_of(difference.after.charge)) == (Decimal("0.5"), Decimal(1))
    assert LedgerEntry.objects.count() == 1


def test_booked_once_and_found_right_from_then_on(key: Key, price: Price, now: datetime) -> None:
    spend(key, now, charge_factor="0.5")
    raise_price(price)
    reprice(of(now), applies=True, note="wrong by half")
    again = reprice(of(now), applies=True, note="wrong by half")
    assert (again.seen, again.teams) == (1, {})
    made = LedgerEntry.objects.get(kind="reprice")
    assert (made.cost_usd, made.charge_usd, made.note) == (Decimal(1), Decimal("0.5"), "wrong by half")
    assert made.prices[0]["amount"] == "2"
    assert LedgerEntry.objects.get(kind="attempt").pk == made.corrects_id
    assert (ever(f"team:{key.team_id}"), ever("provider:acme")) == (Decimal(1), Decimal(2))
    assert prove(at=now) == []


def test_price_that_goes_back_gives_back(key: Key, price: Price, now: datetime) -> None:
    spend(key, now)
    raise_price(price, "3")
    reprice(of(now), applies=True, note="x")
    raise_price(price, "0.25")
    reprice(of(now), applies=True, note="x")
    assert sorted(LedgerEntry.objects.filter(kind="reprice").values_list("cost_usd", flat=True)) == [
        Decimal("-2.75"),
        Decimal(2),
    ]
    assert ever(f"team:{key.team_id}") == Decimal("0.25")


@pytest.mark.parametrize(
    ("end", "cost", "loss"),
    [
        ({"outcome": "unknown", "error_code": "process_lost", "cost_usd": "0", "loss_usd": "1"}, "0", "2"),
        ({"outcome": "failed", "error_code": "bad", "cost_usd": "0"}, "0", "0"),
        ({"outcome": "finished", "usage": None, "cost_usd": "0"}, "0", "0"),
    ],
)
def test_who_bore_it_bears_it_still(
    key: Key, price: Price, now: datetime, end: Any, cost: str, loss: str
) -> None:
    spend(key, now, end=end)
    raise_price(price)
    reprice(of(now), applies=True, note="x")
    assert (ever(f"team:{key.team_id}"), ever("deployment")) == (Decimal(cost), Decimal(cost) + Decimal(loss))


def test_price_of_another_time_changes_nothing(key: Key, price: Price, now: datetime) -> None:
    spend(key, now)
    make.make_price(price.offering, price.meter, "9", valid_from=now + timedelta(minutes=1))
    make.publish_all()
    assert reprice(of(now), applies=True, note="x").teams == {}


def test_attempt_of_a_service_tier_keeps_it(key: Key, price: Price, now: datetime) -> None:
    make.make_price(price.offering, price.meter, "5", plan="priority")
    make.publish_all()
    rows = [
        {"meter": price.meter, "plan": "priority", "unit_size": MILLION, "amount": "4", "currency": "USD"}
    ]
    spend(key, now, end={"cost_usd": "4", "prices": rows})
    assert reprice(of(now), applies=False).teams[key.team_id].after.cost == 5 * 10**10


def test_call_that_the_team_paid_elsewhere_stays_free(key: Key, price: Price, now: datetime) -> None:
    own = {"cost_usd": "0", "own_cost_usd": "1"}
    spend(key, now, own_credential_id=3, end=own)
    found = reprice(of(now), applies=True, note="x")
    assert (found.teams, found.left) == ({}, {OWN: 1})


def test_what_a_person_put_right_and_what_the_catalogue_has_not_is_left(
    key: Key, price: Price, now: datetime
) -> None:
    spend(key, now)
    spend(key, now, upstream_name="elsewhere")
    raise_price(price)
    entry = LedgerEntry.objects.get(upstream_name="one")
    refund(entry=entry, amount_usd=Decimal(1), note="x")
    found = reprice(of(now), applies=True, note="x")
    assert (found.teams, found.left) == ({}, {BY_HAND: 1, NO_OFFERING: 1})


@pytest.mark.parametrize(
    ("narrowed", "seen"),
    [({}, 3), ({"model": "acme/one"}, 2), ({"provider": "other"}, 1), ({"upstream_name": "two"}, 1)],
)
def test_range_is_narrowed(key: Key, now: datetime, narrowed: Any, seen: int) -> None:
    spend(key, now)
    spend(key, now, model="acme/two", upstream_name="two")
    spend(key, now, provider="other")
    assert reprice(of(now, **narrowed), applies=False).seen == seen


def test_range_holds_its_beginning_and_not_its_end(key: Key, now: datetime) -> None:
    spend(key, now)
    at = LedgerEntry.objects.get().started_at
    assert reprice(Range(at, at + timedelta(microseconds=1)), applies=False).seen == 1
    assert reprice(Range(at - timedelta(hours=1), at), applies=False).seen == 0


def test_many_of_one_instant_are_all_seen(
    key: Key, price: Price, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.ops.repricing._PAGE", 3)
    for _ in range(10):
        spend(key, now)
    raise_price(price)
    assert reprice(of(now), applies=True, note="x").teams[key.team_id].attempts == 10
    assert ever(f"team:{key.team_id}") == Decimal(20)


def test_histories_of_all_kinds_agree_with_their_sums(key: Key, price: Price, now: datetime) -> None:
    choose = random.Random(14)
    for _ in range(25):
        spend(key, now, charge_factor=choose.choice(["1", "0.3333", "2"]))
        if choose.random() < 0.3:
            raise_price(price, str(choose.randint(0, 400) / 100))
            reprice(of(now), applies=True, note="x")
        if choose.random() < 0.3:
            entry = choose.choice(list(LedgerEntry.objects.filter(kind="attempt", cost_usd__gt=0)))
            refund(entry=entry, amount_usd=Decimal("0.0000000001"), note="x")
    assert prove(at=now) == []


def command(*words: str) -> str:
    out = io.StringIO()
    call_command("reprice", *words, stdout=out)
    return out.getvalue()


def test_command_prints_first_and_books_when_told(key: Key, price: Price, now: datetime) -> None:
    spend(key, now)
    raise_price(price)
    period = [f"--since={now - timedelta(hours=1):%Y-%m-%dT%H:%M}", f"--until={now.isoformat()}"]
    told = command(*period, "--model=acme/one")
    assert "Atlas: 1 attempts, charged 1 and now 2 USD (+1), borne by us +0" in told
    assert "Nothing was changed; --apply books it." in told
    with pytest.raises(CommandError, match="--note"):
        command(*period, "--apply")
    assert LedgerEntry.objects.count() == 1
    assert "Booked." in command(*period, "--apply", "--note=it was two")
    assert LedgerEntry.objects.count() == 2
    assert command(*period).strip() == "1 attempts looked at, 0 differ."
    assert AuditEntry.objects.filter(page=f"accounts.team/{key.team_id}", changes__attempts__isnull=False)


def test_command_refuses_a_period_that_is_none() -> None:
    with pytest.raises(CommandError, match="after"):
        command("--since=2026-11-02", "--until=2026-11-02")
    with pytest.raises(CommandError, match="such as"):
        command("--since=yesterday", "--until=2026-11-02")
