"""Money and durations of the ledger as people read them."""

from decimal import Decimal

import pytest

from accounts.measures import duration, write_cost, write_exactly, write_sum


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0", "$0.00"), ("0.0000001", "< $0.01"), ("0.01", "$0.01"), ("12345.678", "$12,345.68")],
)
def test_sum_of_what_was_spent_is_never_written_as_nothing(amount: str, text: str) -> None:
    assert write_sum(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0.00"),
        ("0.0000000001", "$0.0000000001"),
        ("0.0000123456", "$0.00001235"),
        ("0.5", "$0.50"),
        ("1", "$1.00"),
        ("1234.56785", "$1,234.5679"),
    ],
)
def test_cost_of_a_call_keeps_four_digits(amount: str, text: str) -> None:
    assert write_cost(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("amount", "text"), [("0E-10", "0"), ("0.0000048000", "0.0000048"), ("100.0000000000", "100")]
)
def test_exact_amount_has_no_exponent_and_no_idle_zeros(amount: str, text: str) -> None:
    assert write_exactly(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0.4, "< 1 ms"), (1, "1 ms"), (420, "420 ms"), (1234, "1.23 s"), (12_345, "12 s")],
)
def test_durations_have_the_unit_that_fits(milliseconds: float, text: str) -> None:
    assert duration(milliseconds) == text
