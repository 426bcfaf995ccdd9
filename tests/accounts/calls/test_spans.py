"""How far ahead the log is looked through, and in which spans: bounds, below, at and above."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.calls.spans import AROUND_S, Reach, Spans, reach_from, spans_of
from accounts.windows import DAY_S, QUARTER_S

AT = datetime(2026, 6, 1, 12, 0, 0, 500_000, tzinfo=UTC)
NOW = int(AT.timestamp())
HOUR = timedelta(hours=1)
Q = QUARTER_S
BACK, ON = Reach(0, NOW, is_back=True), Reach(NOW, NOW + 100 * DAY_S, is_back=False)


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(
    ("is_back", "begin", "end", "low", "high"),
    [
        (True, None, None, 0, NOW + 1),
        (True, AT - HOUR, AT + HOUR, NOW - 3600, NOW + 1),
        (True, None, AT - HOUR, 0, NOW - 3600 + 1),
        (False, None, None, NOW, 2**40),
        (False, AT - HOUR, AT + HOUR, NOW, NOW + 3600 + 1),
        (False, AT + HOUR, None, NOW + 3600, 2**40),
    ],
)
def test_reach_goes_from_an_instant_to_an_end_of_the_time(
    is_back: bool, begin: Any, end: Any, low: int, high: int
) -> None:
    assert reach_from(AT, begin, end, is_back=is_back) == Reach(low, high, is_back)


def test_reach_ends_where_it_is_told_to_and_not_behind_its_own_end() -> None:
    assert BACK.up_to(NOW - 5) == Reach(NOW - 5, NOW, is_back=True, to=NOW - 5)
    assert BACK.up_to(-5) == Reach(0, NOW, is_back=True, to=-5)
    assert ON.up_to(NOW + 5) == Reach(NOW, NOW + 5, is_back=False, to=NOW + 5)
    assert ON.up_to(ON.high + 5) == Reach(NOW, ON.high, is_back=False, to=ON.high + 5)


@pytest.mark.parametrize(("days", "is_all"), [(99, False), (100, True), (101, True)])
def test_first_days_are_all_of_it_where_there_are_no_more(days: int, is_all: bool) -> None:
    assert ON.first_days(days) == (ON if is_all else ON.up_to(NOW + days * DAY_S))
    back = Reach(NOW - 100 * DAY_S, NOW, is_back=True)
    assert back.first_days(days) == (back if is_all else back.up_to(NOW - days * DAY_S))


def test_day_that_is_known_in_part_is_looked_at_again() -> None:
    day = NOW - 10 * DAY_S
    assert BACK.short_of(day) == BACK.up_to(day + AROUND_S)
    assert ON.short_of(NOW + DAY_S) == ON.up_to(NOW + DAY_S)


@pytest.mark.parametrize(
    ("reach", "day", "is_past"),
    [
        (BACK, NOW - AROUND_S - 1, True),
        (BACK, NOW - AROUND_S, False),
        (BACK, -AROUND_S + 1, True),
        (BACK, -AROUND_S, False),
        (ON, NOW + 1, True),
        (ON, NOW, False),
        (ON, ON.high - 1, True),
        (ON, ON.high, False),
    ],
)
def test_nothing_is_known_where_the_first_day_is_known_in_part(reach: Reach, day: int, is_past: bool) -> None:
    assert (reach.short_of(day) is not None) is is_past


def test_quarters_that_follow_each_other_are_one_span() -> None:
    back = spans_of([9 * Q, 8 * Q, 7 * Q, 3 * Q, Q], BACK, most=6)
    assert back == Spans(
        [(instant(7 * Q), instant(10 * Q)), (instant(3 * Q), instant(4 * Q)), (instant(Q), instant(2 * Q))]
    )
    on = spans_of([Q, 3 * Q, 4 * Q], ON, most=4)
    assert on == Spans([(instant(Q), instant(2 * Q)), (instant(3 * Q), instant(5 * Q))])


def test_as_many_quarters_as_were_asked_for_are_not_known_to_be_all() -> None:
    assert spans_of([9 * Q, 8 * Q], BACK, most=2).to == instant(8 * Q)
    assert spans_of([8 * Q, 9 * Q], ON, most=2).to == instant(10 * Q)


def test_spans_go_as_far_as_the_reach_does() -> None:
    assert spans_of([], BACK, most=2) == Spans([])
    assert spans_of([9 * Q], BACK.up_to(5 * Q), most=2).to == instant(5 * Q)
