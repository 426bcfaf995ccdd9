"""When silence on the line between web and worker means death, and when it means nothing."""

import pytest

from gateway.proxy.lane.frames import DEAD_AFTER_S
from gateway.proxy.lane.line import STORE_AWAY_S, Line


@pytest.fixture
def line() -> Line:
    """Open since 100, and looked at until 110."""
    line = Line(now=99.0)
    look_until(line, 110.0, since=100.0, connected_at=99.5)
    return line


def look_until(line: Line, end: float, *, since: float, connected_at: float | None) -> None:
    now = since
    while now <= end:
        line.look(connected_at, now)
        now += 0.25


@pytest.mark.parametrize(
    ("silence_s", "is_dead"),
    [(DEAD_AFTER_S - 0.01, False), (DEAD_AFTER_S, False), (DEAD_AFTER_S + 0.01, True)],
)
def test_who_is_silent_for_longer_than_that_is_dead(line, silence_s, is_dead):
    assert line.is_silent(110.0 - silence_s, 110.0) is is_dead


def test_who_was_never_heard_is_dead_once_he_could_have_been(line):
    assert line.is_silent(0.0, 110.0)


def test_nobody_is_dead_while_the_line_is_cut(line):
    look_until(line, 119.0, since=110.25, connected_at=None)
    assert not line.is_silent(100.0, 119.0)


@pytest.mark.parametrize("connected_at", [119.0, 99.5])
def test_after_a_cut_or_a_stall_everybody_has_his_whole_time_again(line, connected_at):
    look_until(line, 119.0, since=110.25, connected_at=None)
    assert line.look(connected_at, 119.25)
    assert not line.is_silent(100.0, 119.25 + DEAD_AFTER_S)
    assert line.is_silent(100.0, 119.25 + DEAD_AFTER_S + 0.01)


def test_a_cut_too_short_to_be_seen_counts(line):
    assert line.look(110.1, 110.25)
    assert not line.is_silent(100.0, 110.25 + DEAD_AFTER_S)


def test_a_loop_that_stood_still_blames_nobody_and_has_lost_nothing(line):
    assert not line.look(99.5, 115.0)
    assert not line.is_silent(110.0, 115.0 + DEAD_AFTER_S)


@pytest.mark.parametrize(("away_s", "is_lost"), [(STORE_AWAY_S, False), (STORE_AWAY_S + 0.01, True)])
def test_a_store_is_given_up_after_ten_seconds(line, away_s, is_lost):
    line.look(None, 110.25)
    assert line.is_lost(110.25 + away_s) is is_lost


def test_an_open_line_is_not_lost(line):
    assert not line.is_lost(1000.0)


def test_a_line_that_never_opened_is_lost_in_time():
    line = Line(now=100.0)
    line.look(None, 100.25)
    assert not line.is_lost(100.0 + STORE_AWAY_S)
    assert line.is_lost(100.01 + STORE_AWAY_S)
