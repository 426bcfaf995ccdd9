"""Forecasts of budgets: when they end if spending goes on as it lately went."""

import pytest

from gateway.portal.overview.forecast import foresee, pace_of

DAY = 86_400
NOW = 1_000 * DAY


def test_pace_is_the_weeks_mean() -> None:
    assert pace_of(last_day=10, last_week=70) == 10
    assert pace_of(last_day=0, last_week=7) == 1


def test_pace_of_who_began_today_is_todays() -> None:
    assert pace_of(last_day=70, last_week=70) == 70
    assert pace_of(last_day=69, last_week=70) == 10


def test_refunds_are_no_pace() -> None:
    assert pace_of(last_day=0, last_week=-70) == 0


@pytest.mark.parametrize(
    ("spent", "pace", "window_days", "ends_in", "by_end"),
    [
        (40, 10, 30, 6, 340),
        (40, 10, 6.5, 6, 105),
        (40, 10, 6, None, 100),
        (40, 10, 3, None, 70),
        (40, 10, None, 6, None),
        (40, 0, 30, None, 40),
        (40, 0, None, None, None),
        (100, 10, 30, 0, 400),
        (130, 0, 30, 0, 130),
        (0, 1, 30, None, 30),
    ],
)
def test_budget_ends_where_its_pace_leads_within_its_window(
    spent: int, pace: int, window_days: float | None, ends_in: float | None, by_end: int | None
) -> None:
    ends = None if window_days is None else int(NOW + window_days * DAY)
    found = foresee(amount=100, spent=spent, pace=pace, now=NOW, window_ends_at=ends)
    assert found.ends_at == (None if ends_in is None else NOW + ends_in * DAY)
    assert found.by_end == by_end


def test_window_that_ended_meanwhile_has_nothing_to_come() -> None:
    assert foresee(amount=100, spent=40, pace=10, now=NOW, window_ends_at=int(NOW) - 5).by_end == 40
