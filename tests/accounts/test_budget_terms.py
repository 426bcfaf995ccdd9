"""Which terms a budget may have."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.budget_terms import (
    check_mode,
    check_raise,
    check_thresholds,
    check_usd,
    check_window,
    check_zone,
)
from gateway.core.refusals import InvalidField

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def refused(check: Any, *given: Any) -> str:
    """The field that is said to be wrong; empty where nothing is."""
    try:
        check(*given)
    except InvalidField as fault:
        return fault.field
    return ""


@pytest.mark.parametrize(
    ("amount", "is_right"),
    [
        ("0.0000000001", True),
        ("0.00000000001", False),
        ("0", False),
        ("-1", False),
        ("100000000", True),
        ("100000000.0000000001", False),
        ("NaN", False),
        ("Infinity", False),
    ],
)
def test_amount_is_money_above_nothing(amount: str, is_right: bool) -> None:
    assert refused(check_usd, "amount_usd", Decimal(amount)) == ("" if is_right else "amount_usd")


@pytest.mark.parametrize(
    ("check", "given", "field"),
    [
        (check_window, "month", ""),
        (check_window, "year", "window"),
        (check_zone, BERLIN, ""),
        (check_zone, "Berlin", "zone"),
        (check_mode, "strict", ""),
        (check_mode, "balanced", ""),
        (check_mode, "lax", "mode"),
        (check_thresholds, [], ""),
        (check_thresholds, [1, 100], ""),
        (check_thresholds, [0], "thresholds"),
        (check_thresholds, [101], "thresholds"),
        (check_thresholds, [90, 80], "thresholds"),
        (check_thresholds, [80, 80], "thresholds"),
        (check_thresholds, [True], "thresholds"),
        (check_thresholds, [80.5], "thresholds"),
        (check_thresholds, list(range(1, 11)), ""),
        (check_thresholds, list(range(1, 12)), "thresholds"),
    ],
)
def test_term_is_named_where_it_is_wrong(check: Any, given: Any, field: str) -> None:
    assert refused(check, given) == field


@pytest.mark.parametrize(
    ("until", "field"),
    [
        (AT, "raise_until"),
        (AT + timedelta(seconds=1), ""),
        (AT + timedelta(days=366), ""),
        (AT + timedelta(days=366, seconds=1), "raise_until"),
    ],
)
def test_raise_ends_in_the_future_and_not_too_late(until: datetime, field: str) -> None:
    assert refused(check_raise, Decimal(1), until, AT) == field
    assert refused(check_raise, Decimal(0), until, AT) == "raise_usd"
