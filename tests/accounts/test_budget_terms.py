"""Which terms a budget may have, and what it is in memory."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.budget_rules import BudgetRow, SubjectBudgets
from accounts.budget_terms import (
    check_mode,
    check_raise,
    check_thresholds,
    check_usd,
    check_window,
    check_zone,
)
from accounts.windows import DAY, LIFETIME, MONTH, window_at
from gateway.core.refusals import InvalidField
from gateway.core.store.interface import WindowLimit

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
NOON = AT.timestamp()
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


def test_windows_are_those_of_now_and_turn_when_they_end() -> None:
    budgets = SubjectBudgets(
        "key:7", [BudgetRow(DAY, BERLIN, 5), BudgetRow(LIFETIME, "UTC", 9, refuses=False)]
    )
    today = window_at(DAY, BERLIN, NOON)
    ever = WindowLimit("lifetime:0", 0, 9, refuses=False, ends_at=None)
    assert budgets.windows_at(NOON) == (
        WindowLimit(today.field, today.starts_at, 5, True, today.ends_at),
        ever,
    )
    assert budgets.windows_at(NOON + 1) is budgets.windows_at(NOON)
    assert today.ends_at is not None
    assert budgets.windows_at(today.ends_at - 0.001)[0].starts_at == today.starts_at
    assert budgets.windows_at(today.ends_at)[0].starts_at == today.ends_at
    assert [window.window for window in budgets.asked_at(today.ends_at)] == [f"day:{BERLIN}:{today.ends_at}"]


def test_raise_counts_until_it_ends_by_itself() -> None:
    budgets = SubjectBudgets("key:7", [BudgetRow(MONTH, "UTC", 5, raised=3, raise_until=NOON + 60)])
    assert [budgets.windows_at(at)[0].amount for at in (NOON, NOON + 59.9, NOON + 60)] == [8, 8, 5]


@pytest.mark.parametrize(
    ("rows", "refuses", "is_strict"),
    [
        ([BudgetRow(DAY, "UTC", 1)], True, False),
        ([BudgetRow(DAY, "UTC", 1), BudgetRow(MONTH, "UTC", 1, is_strict=True)], True, True),
        ([BudgetRow(DAY, "UTC", 1, refuses=False, is_strict=True)], False, False),
    ],
)
def test_strict_is_what_refuses_strictly(rows: list[BudgetRow], refuses: bool, is_strict: bool) -> None:
    budgets = SubjectBudgets("team:1", rows)
    assert (budgets.refuses, budgets.is_strict) == (refuses, is_strict)
    assert bool(budgets.asked_at(NOON)) is refuses
