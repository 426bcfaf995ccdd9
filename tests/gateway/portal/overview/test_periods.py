"""Periods: where their steps begin, with which time they are compared, and what is not over."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from gateway.portal.overview.periods import PERIODS, SLICES, days_from, span_of

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 6, 10, 12, 7, tzinfo=BERLIN).timestamp()


def local(at: int, zone: str = "Europe/Berlin") -> str:
    return datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("name", "low", "before"),
    [
        ("1h", "2026-06-10 11:15", ("2026-06-10 10:15", "2026-06-10 11:15")),
        ("6h", "2026-06-10 06:15", ("2026-06-10 00:15", "2026-06-10 06:15")),
        ("24h", "2026-06-09 13:00", ("2026-06-08 13:00", "2026-06-09 12:15")),
        ("7d", "2026-06-03 13:00", ("2026-05-27 13:00", "2026-06-03 12:15")),
        ("30d", "2026-05-12 00:00", ("2026-04-12 00:00", "2026-05-11 12:15")),
        ("90d", "2026-03-13 00:00", ("2025-12-13 00:00", "2026-03-12 11:15")),
        ("12mo", "2025-07-01 00:00", ("2024-07-01 00:00", "2025-06-10 12:15")),
    ],
)
def test_period_ends_with_the_step_that_runs_and_is_compared_with_as_much_of_the_time_before(
    name: str, low: str, before: tuple[str, str]
) -> None:
    span = span_of(PERIODS[name], "Europe/Berlin", NOON)
    assert local(span.low) == low
    assert local(span.high) == "2026-06-10 12:15"
    assert len(span.steps) == PERIODS[name].steps
    assert (local(span.before[0]), local(span.before[-1])) == before


@pytest.mark.parametrize("name", PERIODS)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("day", [(2026, 3, 8), (2026, 3, 29), (2026, 10, 25), (2026, 11, 1), (2026, 4, 5)])
def test_steps_are_whole_whatever_clocks_do(name: str, zone: str, day: tuple[int, int, int]) -> None:
    for hour, minute in ((0, 0), (2, 45), (23, 59)):
        now = datetime(*day, hour, minute, tzinfo=ZoneInfo(zone)).timestamp()
        span = span_of(PERIODS[name], zone, now)
        assert len(span.steps) == PERIODS[name].steps
        assert span.steps[-1] <= now < span.high
        assert span.before[0] < span.before[-1] <= span.low
        assert all(low < high for low, high in pairwise(span.cuts))
        assert {at % 900 for at in span.cuts} == {0}


def test_midnight_begins_a_step_of_its_own() -> None:
    midnight = datetime(2026, 6, 10, tzinfo=BERLIN).timestamp()
    assert local(span_of(PERIODS["30d"], "Europe/Berlin", midnight).steps[-1]) == "2026-06-10 00:00"
    assert local(span_of(PERIODS["30d"], "Europe/Berlin", midnight - 1).steps[-1]) == "2026-06-09 00:00"


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/New_York", "Africa/Cairo"])
def test_days_are_whole_and_compared_with_as_many_before(zone: str) -> None:
    for first, last in ((date(2026, 3, 1), date(2026, 3, 31)), (date(2026, 4, 24), date(2026, 4, 24))):
        span = span_of(days_from(first, last), zone, NOON)
        assert local(span.low, zone).startswith(f"{first} 0")
        assert local(span.high, zone)[:10] == str(last + timedelta(days=1))
        assert span.is_over
        assert span.before[-1] <= span.low
        assert local(span.before[0], zone)[:10] == str(first - (last - first) - timedelta(days=1))
        assert len(span.before) <= SLICES + 1
        assert all(low < high for low, high in pairwise(span.cuts))
    running = span_of(days_from(date(2026, 6, 1), date(2026, 6, 10)), "Europe/Berlin", NOON)
    assert (local(running.high), running.running) == ("2026-06-10 12:15", "today")
