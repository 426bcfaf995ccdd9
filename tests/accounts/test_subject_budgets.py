"""The budgets of one subject at an instant: which count, how much is left to spend, and when that changes."""

import pytest

from accounts.budgets import SubjectBudgets, Terms

DAY_S = 86_400
NOON = 20_000 * DAY_S + DAY_S // 2


def of(*terms: Terms, subject: str = "team:7") -> SubjectBudgets:
    return SubjectBudgets(subject, terms)


def amounts(budgets: SubjectBudgets, now: float) -> list[int]:
    return [window.amount for window in budgets.windows_at(now)]


def test_only_budgets_that_refuse_count() -> None:
    budgets = of(Terms("day", "UTC", 5), Terms("month", "UTC", 9, refuses=False, is_strict=True))
    assert (amounts(budgets, NOON), budgets.is_strict) == ([5], False)


@pytest.mark.parametrize(("strict", "is_strict"), [((), False), ((0,), True), ((1,), True), ((0, 1), True)])
def test_one_strict_budget_makes_its_subject_strict(strict: tuple[int, ...], is_strict: bool) -> None:
    budgets = of(*(Terms("day", "UTC", 5, is_strict=number in strict) for number in range(2)))
    assert budgets.is_strict is is_strict


@pytest.mark.parametrize(("subject", "counts_own"), [("team:7", False), ("team:7:own", True)])
def test_calls_on_a_teams_own_credentials_count_where_the_subject_says_so(
    subject: str, counts_own: bool
) -> None:
    assert of(Terms("day", "UTC", 5), subject=subject).counts_own is counts_own


@pytest.mark.parametrize(("later_s", "amount"), [(-1, 12), (-0.5, 12), (0, 5), (1, 5)])
def test_a_raise_counts_until_its_end(later_s: float, amount: int) -> None:
    terms = Terms("lifetime", "", 5, raised_by=7, raised_until=NOON)
    assert terms.amount_at(NOON + later_s) == amount


def test_what_was_worked_out_holds_until_a_window_or_a_raise_ends() -> None:
    """And for no instant before it: a clock may be put back."""
    raised_until, midnight = NOON + 10, NOON + DAY_S // 2
    budgets = of(Terms("lifetime", "", 1), Terms("day", "UTC", 5, raised_by=7, raised_until=raised_until))
    first = budgets.windows_at(NOON)
    assert budgets.windows_at(NOON) is first
    assert budgets.windows_at(raised_until - 0.5) is first
    raised = [window.amount for window in first]
    assert (raised, amounts(budgets, raised_until)) == ([1, 12], [1, 5])
    assert [period.starts_at for period in budgets.periods_at(midnight - 1)] == [0, midnight - DAY_S]
    assert [period.starts_at for period in budgets.periods_at(midnight)] == [0, midnight]
    assert [period.starts_at for period in budgets.periods_at(midnight - 1)] == [0, midnight - DAY_S]


def test_the_windows_are_those_of_the_periods() -> None:
    [window] = of(Terms("day", "UTC", 5)).windows_at(NOON)
    midnight = NOON + DAY_S // 2
    assert (window.window, window.starts_at, window.ends_at) == (
        f"day:UTC:{midnight - DAY_S}",
        midnight - DAY_S,
        midnight,
    )


def test_a_budget_for_life_is_worked_out_once() -> None:
    budgets = of(Terms("lifetime", "", 5, raised_by=7, raised_until=NOON))
    first = budgets.windows_at(NOON)
    assert budgets.windows_at(NOON + 10_000 * DAY_S) is first
    assert [window.amount for window in first] == [5]
