"""Which prices apply and what a call costs."""

from decimal import Decimal
from typing import Any

from catalogue.pricing import cost_usd, current_prices
from catalogue.snapshot import PriceFacts
from providers.wire.usage import Usage
from tests.make import NOW, TOMORROW, YESTERDAY


def price(meter: str = "input_text_tokens", amount: str = "1", **fields: Any) -> PriceFacts:
    values: dict[str, Any] = {"plan": "standard", "unit_size": 1_000_000, "currency": "USD"} | fields
    return PriceFacts(meter=meter, amount=Decimal(amount), **values)


def amounts(*prices: PriceFacts) -> list[Decimal]:
    return [chosen.amount for chosen in current_prices(prices, NOW)]


def test_price_without_dates_applies() -> None:
    assert amounts(price()) == [Decimal(1)]


def test_price_applies_from_its_first_instant() -> None:
    assert amounts(price(valid_from=NOW)) == [Decimal(1)]


def test_price_no_longer_applies_at_its_end() -> None:
    assert amounts(price(valid_from=YESTERDAY, valid_to=NOW)) == []


def test_price_that_begins_tomorrow_does_not_apply() -> None:
    assert amounts(price(valid_from=TOMORROW)) == []


def test_latest_of_two_running_prices_applies() -> None:
    assert amounts(price(amount="2", valid_from=YESTERDAY), price(amount="1")) == [Decimal(2)]


def test_later_row_wins_where_two_prices_begin_together() -> None:
    assert amounts(price(amount="2"), price(amount="3")) == [Decimal(3)]


def test_other_plans_currencies_and_conditions_do_not_apply() -> None:
    others = (price(plan="batch"), price(currency="EUR"), price(conditions=({"min_tokens": 200_000},)))
    assert amounts(*others) == []


def test_cost_is_tokens_times_price_per_unit() -> None:
    prices = [price(amount="0.5"), price("output_text_tokens", "1.5")]
    assert cost_usd(Usage(input_tokens=1000, output_tokens=2000), prices) == Decimal("0.0035")


def test_cost_keeps_the_smallest_price_exact() -> None:
    assert cost_usd(Usage(input_tokens=1), [price(amount="0.0001")]) == Decimal("0.0000000001")


def test_cost_is_rounded_once_over_all_meters() -> None:
    prices = [price(amount="0.00003"), price("output_text_tokens", "0.00003")]
    assert cost_usd(Usage(input_tokens=1, output_tokens=1), prices) == Decimal("0.0000000001")


def test_meter_without_price_costs_nothing() -> None:
    assert cost_usd(Usage(input_tokens=1000), [price("output_text_tokens")]) == 0


def test_cached_tokens_with_own_price_are_not_paid_twice() -> None:
    prices = [price(amount="10"), price("cached_read_text_tokens", "1")]
    assert cost_usd(Usage(input_tokens=1000, cached_read_tokens=400), prices) == Decimal("0.0064")


def test_cached_tokens_without_own_price_cost_as_input() -> None:
    assert cost_usd(Usage(input_tokens=1000, cached_read_tokens=400), [price(amount="10")]) == Decimal("0.01")


def test_reasoning_tokens_are_part_of_the_output() -> None:
    prices = [price("output_text_tokens", "2"), price("reasoning_tokens", "4")]
    assert cost_usd(Usage(output_tokens=1000, reasoning_tokens=250), prices) == Decimal("0.0025")


def test_parts_larger_than_the_total_never_make_a_negative_cost() -> None:
    prices = [price(amount="10"), price("cached_read_text_tokens", "0")]
    assert cost_usd(Usage(input_tokens=10, cached_read_tokens=40), prices) == 0


def test_request_price_is_paid_once_a_call() -> None:
    assert cost_usd(Usage(), [price("requests", "0.01", unit_size=1)]) == Decimal("0.01")
