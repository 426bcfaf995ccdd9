"""Ranges fall into buckets of a calendar, and are read from whole days where those fit."""

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
    QUARTER,
    WHOLE_DAY,
    Piece,
    Run,
    bounds_of,
    midnights,
    pieces_of,
    runs_of,
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


def test_hours_of_a_zone_begin_where_its_clocks_say() -> None:
    bounds = bounds_of(HOUR, KATHMANDU, at("2026-06-01T00:00"), at("2026-06-01T02:00"))
    assert [each % HOUR_S for each in bounds[1:-1]] == [900, 900]


def test_range_without_buckets_is_one() -> None:
    assert bounds_of(NONE, BERLIN, 900, 9_000_000) == [900, 9_000_000]


def test_buckets_of_one_width_are_one_run() -> None:
    year = bounds_of(WHOLE_DAY, BERLIN, at("2026-01-01", BERLIN), at("2027-01-01", BERLIN))
    assert [(run.width // HOUR_S) for run in runs_of(year)] == [24, 23, 24, 25, 24]
    assert runs_of([0, 900, 1800]) == [Run(0, 1800, 900)]


def test_whole_days_are_read_from_days_and_the_rest_from_quarters() -> None:
    low, high = at("2026-06-01T10:00"), at("2026-06-05T08:00")
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


def test_days_of_another_zone_are_read_from_quarters() -> None:
    bounds = bounds_of(WHOLE_DAY, UTC, at("2026-06-01"), at("2026-06-08"))
    assert pieces_of(bounds, BERLIN) == [Piece("quarter", bounds[0], bounds[-1])]


def test_days_of_a_zone_with_the_same_midnights_are_as_good() -> None:
    bounds = bounds_of(WHOLE_DAY, "Europe/Paris", at("2026-06-01", BERLIN), at("2026-06-08", BERLIN))
    assert pieces_of(bounds, BERLIN) == [Piece("day", bounds[0], bounds[-1])]


@pytest.mark.parametrize("bucket", [QUARTER, HOUR])
def test_what_is_finer_than_days_is_read_from_quarters(bucket: str) -> None:
    bounds = bounds_of(bucket, UTC, at("2026-06-01"), at("2026-06-03"))
    assert {piece.grain for piece in pieces_of(bounds, UTC)} == {"quarter"}


RANGES = st.tuples(st.integers(1_900_000, 2_000_000), st.integers(1, 3_000)).map(
    lambda pair: (pair[0] * 900, (pair[0] + pair[1]) * 900)
)


# Zones are read from files when they are first drawn.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(RANGES, st.sampled_from(ZONES), st.sampled_from(ZONES), st.sampled_from(list(LONGEST_DAYS)))
def test_every_quarter_is_read_once_and_lies_in_one_bucket(
    bounds: tuple[int, int], asked: str, days: str, bucket: str
) -> None:
    low, high = bounds
    buckets = bounds_of(bucket, asked, low, high)
    assert (buckets[0], buckets[-1]) == bounds
    assert buckets == sorted(set(buckets))
    assert all(each % 900 == 0 for each in buckets)
    pieces = pieces_of(buckets, days)
    assert (pieces[0].low, pieces[-1].high) == bounds
    assert all(first.high == second.low for first, second in pairwise(pieces))
    starts = set(midnights(days, low, high))
    for piece in pieces:
        if piece.grain == "day":
            assert {piece.low, piece.high} <= starts
            # No bucket begins within a day.
            within = {each for each in buckets if piece.low < each < piece.high}
            assert within <= starts


@given(RANGES, st.sampled_from(ZONES), st.sampled_from(list(LONGEST_DAYS)))
def test_runs_say_the_same_buckets(bounds: tuple[int, int], zone: str, bucket: str) -> None:
    buckets = bounds_of(bucket, zone, *bounds)
    told = [at for run in runs_of(buckets) for at in range(run.low, run.high, run.width)]
    assert [*told, bounds[1]] == buckets
