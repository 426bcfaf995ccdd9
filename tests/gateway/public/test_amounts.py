"""Numbers as people read them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from catalogue.facts import PriceFacts
from gateway.public.amounts import Amount, day, money, price, price_unit, share, shorten, tokens


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (512, "512"),
        (1000, "1K"),
        (8192, "8.2K"),
        (128_000, "128K"),
        (131_072, "131K"),
        (999_600, "1M"),
        (1_048_576, "1.05M"),
        (10_000_000, "10M"),
    ],
)
def test_tokens_are_read_in_thousands(count: int, text: str) -> None:
    assert shorten(count) == text


def test_exact_number_of_tokens_is_kept() -> None:
    assert tokens(131_072) == Amount("131K", "131,072 tokens")


def test_unknown_tokens_stay_unknown() -> None:
    assert tokens(None) is None


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("3", "$3.00"),
        ("0.15", "$0.15"),
        ("0.075", "$0.075"),
        ("1234.5", "$1,234.50"),
        ("0.00000004", "$0.00000004"),
        ("0.123456", "$0.1235"),
        ("0", "$0"),
    ],
)
def test_money_has_two_decimals_and_is_never_rounded_to_nothing(amount: str, text: str) -> None:
    assert money(Decimal(amount)) == text


def test_other_currencies_are_named() -> None:
    assert money(Decimal(2), "CHF") == "2.00 CHF"


def test_tokens_are_priced_by_the_million_with_the_unit_price_kept() -> None:
    facts = PriceFacts("input_text_tokens", "standard", 1000, Decimal("0.003"), "USD")
    assert price(facts) == Amount("$3.00", "0.000003 USD for one token")
    assert price_unit(facts.meter) == "million tokens"


def test_images_are_priced_one_by_one() -> None:
    facts = PriceFacts("output_images", "standard", 1, Decimal("0.04"), "USD")
    assert price(facts).text == "$0.04"
    assert price_unit(facts.meter) == "image"


@pytest.mark.parametrize(
    ("rate", "text"), [(1.0, "100 %"), (0.9999, "99.9 %"), (0.992, "99.2 %"), (0.0, "0 %")]
)
def test_only_the_whole_is_a_hundred_percent(rate: float, text: str) -> None:
    assert share(rate) == text


def test_day_has_its_time_only_where_that_is_not_its_beginning() -> None:
    assert day(datetime(2026, 12, 1, tzinfo=UTC)) == "1 Dec 2026"
    assert day(datetime(2026, 12, 1, 9, 30, tzinfo=UTC)) == "1 Dec 2026, 09:30 UTC"
