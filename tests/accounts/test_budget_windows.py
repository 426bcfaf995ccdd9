"""The windows of one subject's budgets, as calls are held to them at an instant."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from accounts.budgets import SubjectBudgets, Terms

KOLKATA = ZoneInfo("Asia/Kolkata")
MIDNIGHT = datetime(2026, 12, 1, tzinfo=KOLKATA).timestamp()


def names(budgets: SubjectBudgets, at: float) -> list[str]:
    return [window.window.partition(":")[0] for window in budgets.windows_at(at)]


def starts(budgets: SubjectBudgets, at: float) -> list[int]:
    return [window.starts_at for window in budgets.windows_at(at)]


def test_windows_turn_at_midnight_of_their_zone_and_not_a_moment_earlier() -> None:
    budgets = SubjectBudgets("key:1", [Terms("day", "Asia/Kolkata", 10), Terms("month", "UTC", 20)])
    of_december = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp())
    of_november = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
    assert starts(budgets, MIDNIGHT - 0.001) == [int(MIDNIGHT) - 86_400, of_november]
    assert starts(budgets, MIDNIGHT) == [int(MIDNIGHT), of_november]
    assert starts(budgets, of_december - 0.001) == [int(MIDNIGHT), of_november]
    assert starts(budgets, of_december) == [int(MIDNIGHT), of_december]


def test_a_clock_that_is_put_back_finds_the_window_before() -> None:
    budgets = SubjectBudgets("key:1", [Terms("day", "Asia/Kolkata", 10)])
    assert starts(budgets, MIDNIGHT + 1) == [int(MIDNIGHT)]
    assert starts(budgets, MIDNIGHT - 1) == [int(MIDNIGHT) - 86_400]


@pytest.mark.parametrize(("at", "amount"), [(99.9, 15), (100, 10), (101, 10)])
def test_a_raise_counts_until_it_ends(at: float, amount: int) -> None:
    budgets = SubjectBudgets("key:1", [Terms("lifetime", "", 10, raised_by=5, raised_until=100)])
    assert budgets.windows_at(0)[0].amount == 15
    assert budgets.windows_at(at)[0].amount == amount


def test_a_window_is_worked_out_once_while_it_lasts() -> None:
    budgets = SubjectBudgets("key:1", [Terms("day", "UTC", 10)])
    assert budgets.windows_at(MIDNIGHT) is budgets.windows_at(MIDNIGHT + 1)


def test_only_those_that_refuse_are_asked() -> None:
    terms = [Terms("day", "UTC", 10, refuses=False), Terms("month", "UTC", 10), Terms("lifetime", "", 10)]
    assert names(SubjectBudgets("key:1", terms), MIDNIGHT) == ["month", "lifetime"]


def test_a_subject_is_strict_if_one_of_its_budgets_is() -> None:
    assert SubjectBudgets(
        "key:1", [Terms("day", "UTC", 1), Terms("month", "UTC", 1, is_strict=True)]
    ).is_strict
    assert not SubjectBudgets("key:1", [Terms("day", "UTC", 1)]).is_strict
    advising = Terms("month", "UTC", 1, is_strict=True, refuses=False)
    assert not SubjectBudgets("key:1", [Terms("day", "UTC", 1), advising]).is_strict


def test_what_sql_adds_up_are_the_same_windows() -> None:
    budgets = SubjectBudgets("key:1", [Terms("day", "Asia/Kolkata", 10), Terms("lifetime", "", 20)])
    told = [(window.window, window.starts_at, window.ends_at) for window in budgets.windows_at(MIDNIGHT)]
    assert [(each.field, each.starts_at, each.ends_at) for each in budgets.periods_at(MIDNIGHT)] == told
