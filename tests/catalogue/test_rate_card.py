"""What an offering costs for now: as the prices say, and worked out anew when something of it changes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from catalogue.pricing.cost import call_prices, cost_usd
from catalogue.pricing.rate_card import RateCards, rate_card_of
from providers.wire.usage import Usage
from tests.gateway.proxy.values import a_price, an_offering
from tests.used import used

NOW = datetime(2026, 11, 25, tzinfo=UTC)
LONG = ({"path": "input_tokens", "op": "gt", "value": 200_000},)
FLAT = (a_price("input_text_tokens", "1"), a_price("output_text_tokens", "2"))
TIERED = (*FLAT, a_price("input_text_tokens", "3", conditions=LONG))


@pytest.mark.parametrize("prices", [FLAT, TIERED, ()])
@pytest.mark.parametrize("usage", [used(1_000, 20), used(300_000, 20, cached_read_tokens=5)])
def test_rate_card_costs_what_the_prices_do(prices, usage):
    rate_card = rate_card_of(an_offering(prices=prices), NOW.timestamp())
    assert rate_card.cost_usd(usage) == cost_usd(usage, call_prices(prices, NOW))


def test_rate_card_is_worked_out_once_until_a_price_begins_or_ends():
    soon = NOW + timedelta(hours=1)
    now, later = replace(FLAT[0], valid_to=soon), replace(FLAT[0], amount=Decimal(9), valid_from=soon)
    offering, rate_cards = an_offering(prices=(now, later)), RateCards()
    first = rate_cards.find(offering, NOW.timestamp())
    assert rate_cards.find(offering, soon.timestamp() - 0.001) is first
    assert [price.amount for price in rate_cards.find(offering, soon.timestamp()).standard.prices] == [9]
    assert rate_cards.find(offering, NOW.timestamp()).standard.prices == first.standard.prices


def test_offering_of_another_snapshot_has_its_own_rate_card():
    rate_cards = RateCards()
    rate_cards.find(an_offering(prices=FLAT), NOW.timestamp())
    assert rate_cards.find(an_offering(prices=()), NOW.timestamp()).standard.prices == []


def test_ledger_is_told_when_a_price_applies():
    first, _, third = rate_card_of(an_offering(prices=TIERED), NOW.timestamp()).standard.fields
    assert "conditions" not in first
    assert (third["amount"], third["conditions"]) == ("3", list(LONG))


TIERS = (
    *FLAT,
    a_price("cached_read_text_tokens", "0.5"),
    a_price("input_text_tokens", "10", plan="priority"),
    a_price("output_text_tokens", "20", plan="priority"),
    a_price("input_text_tokens", "0.1", plan="batch"),
    a_price("input_text_tokens", "7", plan="flex", conditions=LONG),
)


MILLION = used(1_000_000, 1_000_000)


def cost_in(tier: str, usage: Usage = MILLION) -> Decimal:
    rate_card = rate_card_of(an_offering(prices=TIERS), NOW.timestamp())
    return rate_card.cost_usd(replace(usage, service_tier=tier))


@pytest.mark.parametrize(
    ("tier", "cost"), [("", 3), ("default", 3), ("scale", 3), ("priority", 30), ("fast", 30), ("flex", 9)]
)
def test_service_tier_costs_what_its_plan_does_and_the_standard_price_where_it_has_none(tier, cost):
    assert cost_in(tier) == cost


def test_plan_without_a_price_for_cached_tokens_has_the_standard_one():
    assert cost_in("priority", used(1_000_000, 0, cached_read_tokens=1_000_000)) == Decimal("0.5")


def test_conditions_of_a_plan_are_judged_too():
    assert [cost_in("flex", used(tokens, 0)) for tokens in (100_000, 300_000)] == [
        Decimal("0.1"),
        Decimal("2.1"),
    ]


def test_ledger_is_told_the_prices_beneath_a_plan_and_its_own():
    rate_card = rate_card_of(an_offering(prices=TIERS), NOW.timestamp())
    plans = [price["plan"] for price in rate_card.plan_for(used(service_tier="priority")).fields]
    assert plans == ["standard"] * 3 + ["priority"] * 2


@pytest.mark.parametrize("after_s", [-1, 0, 1])
def test_rate_card_of_any_instant_holds_for_that_instant(after_s):
    """Also of the very one in which a price begins, else each call in it would work it out anew."""
    offering, cards = an_offering(prices=(replace(FLAT[0], valid_from=NOW),)), RateCards()
    at = NOW.timestamp() + after_s
    assert cards.find(offering, at) is cards.find(offering, at)


@pytest.mark.parametrize(("tokens", "cost"), [(200_000, "0.2"), (200_001, "0.600003")])
def test_long_prompt_costs_the_standard_price_for_it_in_a_plan_that_has_none(tokens, cost):
    prices = (*TIERED, a_price("output_text_tokens", "20", plan="priority"))
    rate_card = rate_card_of(an_offering(prices=prices), NOW.timestamp())
    assert rate_card.cost_usd(used(tokens, service_tier="priority")) == Decimal(cost)
