"""What orders take for the cost of a call is what the call would be charged."""

from decimal import Decimal

import pytest

from catalogue.pricing.cost import call_prices, cost_usd
from gateway.proxy.routing.tariffs import tariff_of
from tests.gateway.proxy.values import AT, a_price, an_offering
from tests.used import used

READ, WRITTEN = a_price("input_text_tokens", "3"), a_price("output_text_tokens", "7")
CACHED = a_price("cached_read_text_tokens", "0.5")
A_CALL = a_price("requests", "0.01", unit_size=1)
LONG = a_price("input_text_tokens", "6", conditions=({"path": "input_tokens", "op": "gt", "value": 1_000},))
FREE = a_price("input_text_tokens", "0")


@pytest.mark.parametrize("tokens", [(0, 0), (1_000, 10), (1_001, 10), (5_000_000, 3)])
@pytest.mark.parametrize("is_cached", [False, True])
@pytest.mark.parametrize(
    "prices",
    [
        (READ,),
        (WRITTEN,),
        (CACHED,),
        (READ, WRITTEN),
        (READ, WRITTEN, CACHED),
        (READ, WRITTEN, CACHED, A_CALL),
        (READ, a_price("cached_write_text_tokens", "4"), CACHED),
        (READ, a_price("cached_write_text_tokens", "4")),
        (READ, LONG, WRITTEN),
        (READ, LONG, CACHED),
        (FREE,),
    ],
)
def test_a_tariff_comes_to_what_the_prices_do(prices, is_cached, tokens):
    read, written = tokens
    tariff = tariff_of(an_offering(prices=prices), AT)
    usage = used(read, written, read if is_cached else 0)
    expected = cost_usd(usage, call_prices(prices, AT))
    assert tariff.cost_usd(read, written, is_cached=is_cached) == pytest.approx(float(expected))


def test_where_no_price_is_known_there_is_no_tariff():
    assert tariff_of(an_offering(prices=(a_price("input_text_tokens", "1", currency="EUR"),)), AT) is None


@pytest.mark.parametrize(
    ("prices", "is_free"),
    [((FREE,), True), ((FREE, WRITTEN), False), ((READ,), False), ((a_price("requests", "0"), FREE), True)],
)
def test_free_is_what_no_meter_charges_for(prices, is_free):
    assert tariff_of(an_offering(prices=prices), AT).is_free is is_free


def test_only_prices_that_depend_on_the_length_are_looked_at_one_by_one():
    assert tariff_of(an_offering(prices=(READ,)), AT).by_length == ()
    assert [price.amount for price in tariff_of(an_offering(prices=(READ, LONG)), AT).by_length] == [
        Decimal(3),
        Decimal(6),
    ]
