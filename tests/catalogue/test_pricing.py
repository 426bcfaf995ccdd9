"""Which prices apply and what a call costs."""

import random
from decimal import Decimal
from typing import Any

import pytest

from catalogue.facts import PriceFacts
from catalogue.pricing.conditions import in_words
from catalogue.pricing.cost import call_prices, cost_usd, current_prices, prices_in_force, usd_per_unit
from catalogue.pricing.meters import METERS
from catalogue.pricing.rates import charges_at, metered
from providers.wire.usage import Counts, Usage
from tests.make import NOW, TOMORROW, YESTERDAY
from tests.used import used


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


def test_all_prices_in_force_are_those_of_the_plan_in_any_currency_and_under_any_condition() -> None:
    asked = (price(amount="2"), price(currency="EUR"), price(conditions=({"min_tokens": 200_000},)))
    others = (price(plan="batch"), price(meter="requests", valid_to=NOW))
    assert prices_in_force([*asked, *others], NOW) == list(asked)


def test_cost_is_tokens_times_price_per_unit() -> None:
    prices = [price(amount="0.5"), price("output_text_tokens", "1.5")]
    assert cost_usd(used(input_tokens=1000, output_tokens=2000), prices) == Decimal("0.0035")


def test_cost_keeps_the_smallest_price_exact() -> None:
    assert cost_usd(used(input_tokens=1), [price(amount="0.0001")]) == Decimal("0.0000000001")


def test_cost_is_rounded_once_over_all_meters() -> None:
    prices = [price(amount="0.00003"), price("output_text_tokens", "0.00003")]
    assert cost_usd(used(input_tokens=1, output_tokens=1), prices) == Decimal("0.0000000001")


@pytest.mark.parametrize(
    ("tokens", "cost"), [(4, "0"), (5, "0.0000000001"), (15, "0.0000000002"), (25, "0.0000000003")]
)
def test_half_of_the_smallest_amount_is_rounded_up(tokens: int, cost: str) -> None:
    """One token costs a tenth of it."""
    assert cost_usd(used(input_tokens=tokens), [price(amount="0.00001")]) == Decimal(cost)


def test_meter_without_price_costs_nothing() -> None:
    assert cost_usd(used(input_tokens=1000), [price("output_text_tokens")]) == 0


def test_cached_tokens_with_own_price_are_not_paid_twice() -> None:
    prices = [price(amount="10"), price("cached_read_text_tokens", "1")]
    assert cost_usd(used(input_tokens=1000, cached_read_tokens=400), prices) == Decimal("0.0064")


def test_cached_tokens_without_own_price_cost_as_input() -> None:
    assert cost_usd(used(input_tokens=1000, cached_read_tokens=400), [price(amount="10")]) == Decimal("0.01")


def test_reasoning_tokens_are_part_of_the_output() -> None:
    prices = [price("output_text_tokens", "2"), price("reasoning_tokens", "4")]
    assert cost_usd(used(output_tokens=1000, reasoning_tokens=250), prices) == Decimal("0.0025")


def test_parts_larger_than_the_total_never_make_a_negative_cost() -> None:
    prices = [price(amount="10"), price("cached_read_text_tokens", "0")]
    assert cost_usd(used(input_tokens=10, cached_read_tokens=40), prices) == 0


def test_request_price_is_paid_once_a_call() -> None:
    assert cost_usd(Usage(), [price("requests", "0.01", unit_size=1)]) == Decimal("0.01")


def tier(op: str, value: object, path: str = "input_tokens") -> dict[str, object]:
    return {"path": path, "op": op, "value": value, "or_group": 1, "and_index": 1}


LONG = price(amount="2", conditions=(tier("gt", 200_000),))
SHORT_AND_LONG = (price(amount="1", conditions=(tier("lte", 200_000),)), LONG)


@pytest.mark.parametrize(("tokens", "cost"), [(200_000, "0.2"), (200_001, "0.400002")])
@pytest.mark.parametrize("prices", [(price(), LONG), SHORT_AND_LONG, SHORT_AND_LONG[::-1]])
def test_whole_of_a_long_prompt_costs_the_price_for_long_prompts(prices: Any, tokens: int, cost: str) -> None:
    assert cost_usd(used(input_tokens=tokens), prices) == Decimal(cost)


def test_a_long_prompt_also_chooses_the_price_of_the_output() -> None:
    output = price("output_text_tokens", "3"), price("output_text_tokens", "6", conditions=LONG.conditions)
    usage = used(input_tokens=300_000, output_tokens=1_000_000)
    assert cost_usd(usage, output) == 6


def test_cached_tokens_make_a_prompt_long_too() -> None:
    usage = used(input_tokens=300_000, cached_read_tokens=299_000)
    assert cost_usd(usage, [price(), LONG]) == Decimal("0.6")


def test_closest_of_several_ranges_counts() -> None:
    prices = [
        price(amount="9", conditions=(tier("gte", 32_000), tier("lt", 128_000))),
        price(amount="7", conditions=(tier("lt", 128_000),)),
        price(amount="1"),
        price(amount="5", conditions=(tier("lt", 8_000),)),
    ]
    costs = [cost_usd(used(input_tokens=count), prices) for count in (1_000, 10_000, 100_000, 200_000)]
    assert costs == [Decimal(each) for each in ("0.005", "0.07", "0.9", "0.2")]


def test_later_row_wins_where_two_ranges_are_equally_close() -> None:
    prices = [price(amount=amount, conditions=(tier("gte", 1_000),)) for amount in ("3", "4")]
    assert cost_usd(used(input_tokens=1_000_000), prices) == 4


def test_prices_of_a_call_are_the_latest_for_each_range() -> None:
    older, newer = price(amount="8", conditions=LONG.conditions), LONG
    chosen = call_prices([price(), older, newer, price(plan="batch"), price(currency="EUR")], NOW)
    assert [each.amount for each in chosen] == [1, 2]


@pytest.mark.parametrize(
    "condition",
    [
        tier("eq", "1K", "image_params.resolution"),
        tier("gt", "many"),
        tier("in", 5),
        tier("gt", True),
        {"min_tokens": 200_000},
        tier("eq", "1h", "cache_ttl"),
    ],
)
def test_price_under_a_condition_that_usage_cannot_tell_is_not_charged(condition: Any) -> None:
    assert call_prices([price(conditions=(condition,))], NOW) == []


WRITES = used(input_tokens=1_000, cached_write_tokens=900, cached_write_1h_tokens=400)


@pytest.mark.parametrize(
    ("prices", "cost"),
    [
        ({}, "10"),
        ({"cached_write_text_tokens": "20"}, "19"),
        ({"cached_write_text_tokens_5m": "20", "cached_write_text_tokens_1h": "30"}, "23"),
        ({"cached_write_text_tokens": "20", "cached_write_text_tokens_1h": "30"}, "23"),
        ({"cached_write_text_tokens_5m": "20"}, "19"),
    ],
)
def test_cache_writes_cost_what_their_lifetime_costs_else_what_writes_cost(
    prices: dict[str, str], cost: str
) -> None:
    rows = [price(amount="10"), *(price(meter, amount) for meter, amount in prices.items())]
    assert cost_usd(WRITES, rows) == Decimal(cost) / 1000


def test_a_lifetime_may_be_a_condition_instead_of_a_meter() -> None:
    rows = [price(amount="10")] + [
        price("cached_write_text_tokens", amount, conditions=(tier("eq", lifetime, "cache_ttl"),))
        for amount, lifetime in (("20", "5m"), ("30", "1h"))
    ]
    assert cost_usd(WRITES, call_prices(rows, NOW)) == Decimal("0.023")


MIXED = used(
    input_tokens=1_000,
    output_tokens=500,
    cached_read_tokens=100,
    reasoning_tokens=50,
    input_audio_tokens=200,
    input_image_tokens=300,
    output_audio_tokens=150,
    output_image_tokens=250,
)
OWN = {
    "input_text_tokens": "1",
    "cached_read_text_tokens": "0",
    "input_audio_tokens": "10",
    "input_image_tokens": "100",
    "output_text_tokens": "1",
    "reasoning_tokens": "10",
    "output_audio_tokens": "100",
    "output_image_tokens": "1000",
}


def test_every_kind_of_token_is_paid_once_by_its_own_meter() -> None:
    expected = (400 * 1 + 100 * 0 + 200 * 10 + 300 * 100) + (50 * 1 + 50 * 10 + 150 * 100 + 250 * 1000)
    prices = [price(meter, amount) for meter, amount in OWN.items()]
    assert cost_usd(MIXED, prices) == Decimal(expected) / 1_000_000


def test_kinds_without_a_price_are_paid_as_text() -> None:
    prices = [price(meter, OWN[meter]) for meter in ("input_text_tokens", "output_text_tokens")]
    assert cost_usd(MIXED, prices) == Decimal(1_500) / 1_000_000


def test_cached_sound_is_paid_as_cached_and_not_again_as_sound() -> None:
    usage = used(input_tokens=100, cached_read_tokens=90, input_audio_tokens=60)
    prices = [price(amount="1"), price("cached_read_text_tokens", "2"), price("input_audio_tokens", "100")]
    assert cost_usd(usage, prices) == Decimal(90 * 2 + 10 * 100) / 1_000_000


@pytest.mark.parametrize(
    ("own", "cost"),
    [
        (
            {"cached_read_text_tokens": "2", "cached_read_audio_tokens": "3", "input_audio_tokens": "100"},
            1_230,
        ),
        ({"cached_read_text_tokens": "2", "input_audio_tokens": "100"}, 1_180),
        ({"input_audio_tokens": "100"}, 6_040),
        ({}, 100),
    ],
)
def test_cached_sound_that_the_provider_tells_is_paid_once(own: dict[str, str], cost: int) -> None:
    usage = used(input_tokens=100, cached_read_tokens=90, input_audio_tokens=60, cached_read_audio_tokens=50)
    prices = [price(amount="1"), *(price(meter, amount) for meter, amount in own.items())]
    assert cost_usd(usage, prices) == Decimal(cost) / 1_000_000


def test_prices_for_tokens_of_any_kind_count_where_text_has_none() -> None:
    usage = used(input_tokens=1_000, output_tokens=100)
    assert cost_usd(usage, [price("total_tokens", "1")]) == Decimal("0.0011")
    assert cost_usd(usage, [price("input_tokens", "1"), price("output_tokens", "2")]) == Decimal("0.0012")


@pytest.mark.parametrize(
    ("amount", "unit_size", "per_unit"), [("3", 2, "1.5"), ("3", 1, "3"), ("1", 4, "0.25")]
)
def test_price_for_one_unit_is_that_for_many_divided(amount: str, unit_size: int, per_unit: str) -> None:
    assert usd_per_unit(price(amount=amount, unit_size=unit_size)) == Decimal(per_unit)


def charged(priced: str, **counts: int) -> dict[str, Decimal]:
    """How many units each of these meters charges."""
    usage = used(100, 100, **counts)
    return {
        meter: charges_at({each: Decimal(each == meter) for each in priced.split()}).amount_usd(usage)
        for meter in priced.split()
    }


@pytest.mark.parametrize("kind", ["audio", "image", "video"])
@pytest.mark.parametrize(
    ("sent", "cached", "uncached"), [(5, 3, 2), (4, 3, 1), (3, 3, 0), (2, 3, 0), (5, 0, 5)]
)
def test_of_each_kind_that_is_sent_what_was_not_cached_counts(
    kind: str, sent: int, cached: int, uncached: int
) -> None:
    counts = {
        f"input_{kind}_tokens": sent,
        f"cached_read_{kind}_tokens": cached,
        "cached_read_tokens": cached,
    }
    units = charged(f"input_{kind}_tokens cached_read_{kind}_tokens input_text_tokens", **counts)
    assert (units[f"input_{kind}_tokens"], units[f"cached_read_{kind}_tokens"]) == (uncached, cached)
    assert sum(units.values()) == 100


@pytest.mark.parametrize(("of_kinds", "text"), [(2, 3), (4, 1), (5, 0), (6, 0)])
def test_of_what_was_cached_the_rest_of_the_kinds_is_text(of_kinds: int, text: int) -> None:
    counts = {"cached_read_tokens": 5, "cached_read_audio_tokens": of_kinds}
    units = charged("cached_read_text_tokens cached_read_audio_tokens", **counts)
    assert (units["cached_read_text_tokens"], units["cached_read_audio_tokens"]) == (text, of_kinds)


@pytest.mark.parametrize(("an_hour", "units"), [(0, (0, 5)), (4, (4, 1)), (5, (5, 0))])
def test_of_what_was_written_to_the_cache_the_hours_part_has_its_own_meter(
    an_hour: int, units: tuple[int, int]
) -> None:
    hour, minutes = "cached_write_text_tokens_1h", "cached_write_text_tokens_5m"
    written = charged(f"{hour} {minutes}", cached_write_tokens=5, cached_write_1h_tokens=an_hour)
    assert (written[hour], written[minutes]) == units


@pytest.mark.parametrize(("reasoning", "units"), [(99, (99, 1)), (100, (100, 0)), (101, (100, 0))])
def test_no_part_takes_more_than_the_total_holds(reasoning: int, units: tuple[int, int]) -> None:
    made = charged("reasoning_tokens output_text_tokens", reasoning_tokens=reasoning)
    assert (made["reasoning_tokens"], made["output_text_tokens"]) == units


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"path": "input_tokens", "op": "gt", "value": 200_000}, "input tokens above 200,000"),
        ({"path": "input_tokens", "op": "odd", "value": 1}, "path input_tokens, op odd, value 1"),
        ({"path": "input_tokens", "op": "gt"}, "path input_tokens, op gt"),
        ({"op": "gt", "value": 1}, "op gt, value 1"),
        ({"path": "a", "op": "eq", "value": True, "unit": "b"}, "a is on"),
    ],
)
def test_condition_of_another_shape_is_said_as_it_is_written(condition: dict[str, Any], words: str) -> None:
    assert in_words([condition]) == words


def test_meters_add_up_to_what_usage_costs_at_any_prices() -> None:
    dice = random.Random(3)
    names = [*METERS, "cached_read_tokens", "cached_write_tokens", "cached_write_1h_tokens"]
    for _ in range(300):
        rates = {meter: Decimal(dice.randrange(1, 99)) for meter in dice.sample(list(METERS), 9)}
        usage = Usage(Counts({name: dice.randrange(1, 50) for name in dice.sample(names, 9)}))
        parts = metered(rates, usage)
        assert sum(rates[meter] * count for meter, count in parts) == charges_at(rates).amount_usd(usage)
