"""How long something was down on a day: the pure rules, at their bounds."""

from datetime import date

import pytest

from gateway.status.bars import lasting, picture, state_of, words
from gateway.status.days import FAILURES_LEAST, Lasted, Marks, Tries, lasted, uptime
from gateway.status.spans import clip, common, common_to_all, length, merge

DAY = 1_790_000_000 // 86_400 * 86_400
END = DAY + 86_400


def test_time_that_is_told_twice_counts_once() -> None:
    assert merge([(5, 9), (1, 3), (3, 4), (8, 12), (20, 20)]) == [(1, 4), (5, 12)]
    assert length(merge([(0, 10), (5, 15), (15, 20)])) == 20


def test_what_is_in_both_is_in_common() -> None:
    assert common([(0, 10), (20, 30)], [(5, 25)]) == [(5, 10), (20, 25)]
    assert common([(0, 10)], [(10, 20)]) == []


def test_of_nobody_nothing_is_in_common() -> None:
    assert common_to_all([]) == []
    assert common_to_all([[(0, 9)]]) == [(0, 9)]
    assert common_to_all([[(0, 9)], [(3, 12)], [(1, 5)]]) == [(3, 5)]


def test_spans_are_cut_to_the_day() -> None:
    assert clip([(0, 10), (15, 40)], 5, 20) == [(5, 10), (15, 20)]


@pytest.mark.parametrize(
    ("served", "failed", "is_bad", "is_shaky"),
    [
        (0, 0, False, False),
        (0, FAILURES_LEAST - 1, False, False),
        (0, FAILURES_LEAST, True, True),
        (FAILURES_LEAST, FAILURES_LEAST, True, True),
        (FAILURES_LEAST + 1, FAILURES_LEAST, False, True),
        (27, 3, False, True),
        (28, 3, False, False),
    ],
)
def test_a_quarter_of_an_hour_is_judged_by_the_share_that_failed(served, failed, is_bad, is_shaky) -> None:
    tries = Tries(served, failed)
    assert (tries.is_bad, tries.is_shaky) == (is_bad, is_shaky)


def test_a_model_is_down_only_while_no_offering_of_it_could_answer() -> None:
    one, other = [(DAY + 100, DAY + 400)], [(DAY + 300, DAY + 900)]
    assert lasted(Marks(), [one, other], DAY, END) == Lasted(down_s=100, degraded_s=700)
    assert lasted(Marks(), [one, ()], DAY, END) == Lasted(down_s=0, degraded_s=300)
    assert lasted(Marks(), [one], DAY, END) == Lasted(down_s=300)


def test_a_bad_quarter_and_an_open_breaker_in_it_count_once() -> None:
    marks = Marks(bad=frozenset({0}), shaky=frozenset({1}))
    assert lasted(marks, [[(DAY + 600, DAY + 1200)]], DAY, END) == Lasted(down_s=1200, degraded_s=600)


def test_a_quarter_that_has_only_begun_counts_as_far_as_it_has_come() -> None:
    assert lasted(Marks(bad=frozenset({0})), [()], DAY, DAY + 300) == Lasted(down_s=300)


def test_counting_anew_changes_nothing_before() -> None:
    before = Marks(frozenset({1, 5}), frozenset({2, 6}))
    assert before.recounted(5, Marks(frozenset({7}))) == Marks(frozenset({1, 7}), frozenset({2}))


@pytest.mark.parametrize(
    ("down_s", "seen_s", "percent"),
    [
        (0, 0, None),
        (0, 86_400, 100.0),
        (1, 86_400, 99.99),
        (864, 86_400, 99.0),
        (86_400, 86_400, 0.0),
        (90_000, 86_400, 0),
    ],
)
def test_only_what_was_never_down_has_all_of_its_uptime(down_s, seen_s, percent) -> None:
    assert uptime(down_s, seen_s) == percent


def test_a_day_is_told_in_words() -> None:
    assert words(None) == "no data"
    assert words(Lasted()) == "answered all day"
    assert words(Lasted(3_720, 59)) == "down for 1 h 2 min, in part for less than a minute"
    assert lasting(3_600) == "1 h"
    assert [state_of(day) for day in (None, Lasted(), Lasted(0, 1), Lasted(1, 1))] == [
        *("nothing", "up", "degraded", "down")
    ]


def test_bars_tell_their_days_and_escape_names() -> None:
    drawn = picture([None, Lasted(), Lasted(60)], date(2026, 11, 1), '<b>"One"')
    assert drawn.count("<rect") == 3
    assert "<title>3 Nov 2026: down for 1 min</title>" in drawn
    assert "&lt;b&gt;&quot;One&quot;, 3 days. 3 Nov 2026: down for 1 min." in drawn
    assert "style=" not in drawn
