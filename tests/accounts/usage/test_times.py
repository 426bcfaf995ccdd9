"""Ranges fall into buckets of a calendar, and are read from whole days where those fit."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.usage.times import (
    HOUR,
    LONGEST_DAYS,
    NONE,
    NOTHING_COARSE,
    QUARTER,
    WHOLE_DAY,
    WHOLE_MONTH,
    Coarse,
    Move,
    Piece,
    Run,
    bounds_of,
    midnights,
    read_from,
    runs_of,
    span_of,
)

BERLIN, UTC, KATHMANDU, LORD_HOWE = "Europe/Berlin", "UTC", "Asia/Kathmandu", "Australia/Lord_Howe"
ZONES = (UTC, BERLIN, KATHMANDU, LORD_HOWE, "America/Santiago", "Pacific/Apia")
HOUR_S, DAY_S = 3600, 86_400


def at(text: str, zone: str = UTC) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


def test_days_are_those_of_the_zone_also_where_clocks_change() -> None:
    bounds = bounds_of(WHOLE_DAY, BERLIN, at("2026-03-28", BERLIN), at("2026-03-31", BERLIN))
    assert [(high - low) // HOUR_S for low, high in pairwise(bounds)] == [24, 23, 24]


def test_first_and_last_bucket_are_cut_to_the_range() -> None:
    low, high = at("2026-06-01T10:15"), at("2026-06-03T02:00")
    assert bounds_of(WHOLE_DAY, UTC, low, high) == [low, at("2026-06-02"), at("2026-06-03"), high]


def test_months_are_those_of_the_zone_also_where_clocks_change() -> None:
    low, high = at("2026-02-10", BERLIN), at("2026-05-02", BERLIN)
    inside = [at(f"2026-0{month}-01", BERLIN) for month in (3, 4, 5)]
    assert bounds_of(WHOLE_MONTH, BERLIN, low, high) == [low, *inside, high]
    assert bounds_of(WHOLE_MONTH, BERLIN, inside[0], inside[1]) == inside[:2]


def test_hours_of_a_zone_begin_where_its_clocks_say() -> None:
    bounds = bounds_of(HOUR, KATHMANDU, at("2026-06-01T00:00"), at("2026-06-01T02:00"))
    assert [each % HOUR_S for each in bounds[1:-1]] == [900, 900]


def test_range_without_buckets_is_one() -> None:
    assert bounds_of(NONE, BERLIN, 900, 9_000_000) == [900, 9_000_000]


def test_buckets_of_one_width_are_one_run() -> None:
    year = bounds_of(WHOLE_DAY, BERLIN, at("2026-01-01", BERLIN), at("2027-01-01", BERLIN))
    assert [(run.width // HOUR_S) for run in runs_of(year)] == [24, 23, 24, 25, 24]
    assert runs_of([0, 900, 1800]) == [Run(0, 1800, 900)]


def pieces_of(bounds: Sequence[int], zone: str, coarse: Coarse = NOTHING_COARSE) -> Sequence[Piece]:
    """Where nothing is moved."""
    pieces, moves = read_from(bounds, zone, coarse)
    assert moves == []
    return pieces


def test_whole_days_are_read_from_days_and_the_rest_from_quarters() -> None:
    low, high = at("2026-06-01T13:00"), at("2026-06-05T08:00")
    assert pieces_of([low, high], UTC) == [
        Piece("quarter", low, at("2026-06-02")),
        Piece("day", at("2026-06-02"), at("2026-06-05")),
        Piece("quarter", at("2026-06-05"), high),
    ]


def test_range_from_midnight_to_midnight_is_read_from_days_alone() -> None:
    bounds = [at("2026-06-01", BERLIN), at("2026-09-01", BERLIN)]
    assert pieces_of(bounds, BERLIN) == [Piece("day", *bounds)]


def test_range_within_a_day_is_read_from_quarters() -> None:
    low, high = at("2026-06-01T10:00"), at("2026-06-01T11:00")
    assert pieces_of([low, high], UTC) == [Piece("quarter", low, high)]


def test_most_of_a_day_is_the_day_without_what_is_not_of_it() -> None:
    day, low, high = at("2026-06-01"), at("2026-06-01T12:00"), at("2026-06-02T12:15")
    assert read_from([low, high], UTC) == (
        [Piece("day", day, day + 2 * DAY_S)],
        [Move(day, low, low, None), Move(high, day + 2 * DAY_S, low, None)],
    )
    assert pieces_of([low + 900, high - 900], UTC) == [Piece("quarter", low + 900, high - 900)]


def test_days_of_another_zone_are_days_of_which_some_hours_are_moved() -> None:
    monday, tuesday, wednesday = (at(f"2026-06-0{day}") for day in (1, 2, 3))
    first = monday - 2 * HOUR_S
    assert read_from([monday, tuesday, wednesday], BERLIN) == (
        [Piece("day", first, first + 2 * DAY_S), Piece("quarter", first + 2 * DAY_S, wednesday)],
        [Move(first, monday, monday, None), Move(tuesday - 2 * HOUR_S, tuesday, tuesday, monday)],
    )


def test_hours_of_a_day_may_be_of_the_day_after() -> None:
    bounds = [at(f"2026-06-0{day}", "America/New_York") for day in (1, 2, 3)]
    pieces, moves = read_from(bounds, UTC)
    assert pieces == [
        Piece("day", at("2026-06-01"), at("2026-06-03")),
        Piece("quarter", at("2026-06-03"), at("2026-06-03T04:00")),
    ]
    assert moves == [
        Move(at("2026-06-01"), bounds[0], bounds[0], None),
        Move(at("2026-06-02"), bounds[1], bounds[1], bounds[0]),
    ]


def test_days_of_a_zone_with_the_same_midnights_are_as_good() -> None:
    bounds = bounds_of(WHOLE_DAY, "Europe/Paris", at("2026-06-01", BERLIN), at("2026-06-08", BERLIN))
    assert pieces_of(bounds, BERLIN) == [Piece("day", bounds[0], bounds[-1])]


@pytest.mark.parametrize("bucket", [QUARTER, HOUR])
def test_what_is_finer_than_days_is_read_from_quarters(bucket: str) -> None:
    bounds = bounds_of(bucket, UTC, at("2026-06-01"), at("2026-06-03"))
    assert {piece.grain for piece in pieces_of(bounds, UTC)} == {"quarter"}


def test_months_that_are_closed_and_all_asked_for_are_read_as_such() -> None:
    low, high, closed = at("2026-05-31", BERLIN), at("2026-08-02", BERLIN), at("2026-08-01", BERLIN)
    june, august = at("2026-06-01", BERLIN), at("2026-08-01", BERLIN)
    read = [Piece("day", low, june), Piece("month", june, august), Piece("day", august, high)]
    assert pieces_of([low, high], BERLIN, Coarse(closed)) == read
    july = at("2026-07-01", BERLIN)
    thirds = [Piece("third", july, at("2026-07-21", BERLIN)), Piece("day", at("2026-07-21", BERLIN), high)]
    not_yet = [Piece("day", low, june), Piece("month", june, july), *thirds]
    assert pieces_of([low, high], BERLIN, Coarse(closed - 1)) == not_yet
    by_halves = [low, at("2026-06-15", BERLIN), high]
    assert pieces_of(by_halves, BERLIN, Coarse(july)) == [
        Piece("day", low, june),
        Piece("third", june, at("2026-06-11", BERLIN)),
        Piece("day", at("2026-06-11", BERLIN), at("2026-06-21", BERLIN)),
        Piece("third", at("2026-06-21", BERLIN), july),
        Piece("day", july, high),
    ]


def test_thirds_of_a_month_are_ten_days_and_what_is_left() -> None:
    february = at("2026-02-01", BERLIN)
    bounds = [february, at("2026-02-11", BERLIN), at("2026-02-21", BERLIN), at("2026-03-01", BERLIN)]
    for low, high in pairwise(bounds):
        for day in (low, high - DAY_S):
            assert span_of("third", BERLIN, day) == (low, high)
    assert span_of("month", BERLIN, bounds[1]) == (bounds[0], bounds[-1])


def test_months_of_another_zone_are_months_of_which_some_hours_are_moved() -> None:
    june, july, august, september = (at(f"2026-0{month}-01") for month in (6, 7, 8, 9))
    begins = [month - 2 * HOUR_S for month in (june, july, august, september)]
    pieces, moves = read_from([june, july, august, september], BERLIN, Coarse(begins[2]))
    assert pieces == [
        Piece("month", begins[0], begins[2]),
        Piece("day", begins[2], begins[3]),
        Piece("quarter", begins[3], september),
    ]
    assert moves == [
        Move(begins[0], june, june, None),
        Move(begins[1], july, july, june),
        Move(begins[2], august, august, july),
    ]


def test_days_that_are_closed_are_read_as_such_where_there_are_any() -> None:
    bounds = bounds_of(WHOLE_DAY, UTC, at("2026-06-01"), at("2026-06-08"))
    closed = at("2026-06-05")
    assert pieces_of(bounds, UTC, Coarse(closed)) == [Piece("day", bounds[0], bounds[-1])]
    assert pieces_of(bounds, UTC, Coarse(closed, has_days=True)) == [
        Piece("closed", bounds[0], closed),
        Piece("day", closed, bounds[-1]),
    ]


def test_days_of_utc_that_are_closed_are_read_as_such_for_teams_elsewhere() -> None:
    bounds = bounds_of(WHOLE_DAY, UTC, at("2026-06-01"), at("2026-06-08"))
    pieces, moves = read_from(bounds, BERLIN, Coarse(at("2026-06-07", BERLIN), has_days=True))
    assert pieces[0] == Piece("utc", bounds[0], at("2026-06-06"))
    assert {piece.grain for piece in pieces[1:]} == {"day", "closed", "quarter"}
    assert {move.low for move in moves} == {at("2026-06-05T22:00"), at("2026-06-06T22:00")}


RANGES = st.tuples(st.integers(1_900_000, 2_000_000), st.integers(1, 3_000)).map(
    lambda pair: (pair[0] * 900, (pair[0] + pair[1]) * 900)
)


def told(buckets: Sequence[int], zone: str, coarse: Coarse) -> dict[tuple[int, int], int]:
    """How often each quarter of an hour is read, by quarter and bucket; whoever reads a day reads all of it."""
    pieces, moves = read_from(buckets, zone, coarse)
    found: Counter[tuple[int, int]] = Counter()

    def bucket(at: int) -> int:
        return buckets[bisect_right(buckets, at) - 1]

    for piece in pieces:
        if piece.grain == "quarter":
            found.update((each, bucket(each)) for each in range(piece.low, piece.high, 900))
            continue
        starts = midnights(UTC if piece.grain == "utc" else zone, piece.low, piece.high)
        assert {piece.low, piece.high} <= set(starts)
        assert piece.grain == "day" or piece.high <= coarse.closed_to
        for day, next_ in pairwise(starts):
            found.update((each, bucket(day + DAY_S // 2)) for each in range(day, next_, 900))
    for move in moves:
        found.subtract((each, move.home) for each in range(move.low, move.high, 900))
        if move.other is not None:
            found.update((each, move.other) for each in range(move.low, move.high, 900))
    return {place: times for place, times in found.items() if times}


# Zones are read from files when they are first drawn.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    RANGES,
    st.sampled_from(ZONES),
    st.sampled_from(ZONES),
    st.sampled_from(list(LONGEST_DAYS)),
    st.integers(-5, 40),
    st.booleans(),
    st.integers(1, 4),
)
def test_every_quarter_is_told_once_and_in_its_bucket(
    bounds: tuple[int, int], asked: str, days: str, bucket: str, closed: int, has_days: bool, each: int
) -> None:
    low, high = bounds
    buckets = bounds_of(bucket, asked, low, high)
    assert (buckets[0], buckets[-1]) == bounds
    assert buckets == sorted(set(buckets))
    assert all(each % 900 == 0 for each in buckets)
    buckets = [*buckets[:-1:each], high]
    coarse = Coarse(midnights(days, low + closed * DAY_S, low + closed * DAY_S)[0], has_days)
    expected = {(at, buckets[bisect_right(buckets, at) - 1]): 1 for at in range(low, high, 900)}
    assert told(buckets, days, coarse) == expected


@given(RANGES, st.sampled_from(ZONES), st.sampled_from(list(LONGEST_DAYS)))
def test_runs_say_the_same_buckets(bounds: tuple[int, int], zone: str, bucket: str) -> None:
    buckets = bounds_of(bucket, zone, *bounds)
    told = [at for run in runs_of(buckets) for at in range(run.low, run.high, run.width)]
    assert [*told, bounds[1]] == buckets
