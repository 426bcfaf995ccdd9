"""When windows of budgets begin and end, wherever the clock is changed; and of which rows they are the sum."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from accounts.windows import (
    DAY,
    DAY_S,
    KINDS,
    LIFETIME,
    MONTH,
    QUARTER_S,
    WEEK,
    Piece,
    Window,
    grains_of,
    is_zone,
    pieces_of,
    window_at,
)

BERLIN, NEW_YORK, KOLKATA, KATHMANDU = "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu"
SANTIAGO, HAVANA, CAIRO = "America/Santiago", "America/Havana", "Africa/Cairo"
HOUR_S = 3600


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("kind", "zone", "at", "starts_at", "ends_at"),
    [
        (DAY, "UTC", "2026-06-01 12:00", "2026-06-01", "2026-06-02"),
        (DAY, BERLIN, "2026-06-01 12:00", "2026-05-31 22:00", "2026-06-01 22:00"),
        (DAY, BERLIN, "2026-01-01 12:00", "2025-12-31 23:00", "2026-01-01 23:00"),
        # The day on which clocks go forward has 23 hours, the one on which they go back has 25.
        (DAY, BERLIN, "2026-03-29 12:00", "2026-03-28 23:00", "2026-03-29 22:00"),
        (DAY, BERLIN, "2026-10-25 12:00", "2026-10-24 22:00", "2026-10-25 23:00"),
        (DAY, NEW_YORK, "2026-03-08 12:00", "2026-03-08 05:00", "2026-03-09 04:00"),
        (DAY, NEW_YORK, "2026-11-01 12:00", "2026-11-01 04:00", "2026-11-02 05:00"),
        # Half and quarter hours from UTC.
        (DAY, KOLKATA, "2026-06-01 18:29", "2026-05-31 18:30", "2026-06-01 18:30"),
        (DAY, KOLKATA, "2026-06-01 18:30", "2026-06-01 18:30", "2026-06-02 18:30"),
        (DAY, KATHMANDU, "2026-06-01 18:14", "2026-05-31 18:15", "2026-06-01 18:15"),
        (DAY, KATHMANDU, "2026-06-01 18:15", "2026-06-01 18:15", "2026-06-02 18:15"),
        # Midnight is skipped: the day begins at one o'clock. It comes twice: the day begins with the first.
        (DAY, SANTIAGO, "2026-09-06 12:00", "2026-09-06 04:00", "2026-09-07 03:00"),
        (DAY, SANTIAGO, "2026-09-06 03:59", "2026-09-05 04:00", "2026-09-06 04:00"),
        (DAY, HAVANA, "2026-11-01 05:30", "2026-11-01 04:00", "2026-11-02 05:00"),
        (DAY, HAVANA, "2026-11-01 04:30", "2026-11-01 04:00", "2026-11-02 05:00"),
        # A day that goes back to eleven o'clock at its end.
        (DAY, CAIRO, "2026-10-29 20:30", "2026-10-28 21:00", "2026-10-29 22:00"),
        (DAY, CAIRO, "2026-10-29 21:30", "2026-10-28 21:00", "2026-10-29 22:00"),
        # Weeks begin on Monday.
        (WEEK, "UTC", "2026-06-01 00:00", "2026-06-01", "2026-06-08"),
        (WEEK, "UTC", "2026-06-07 23:59", "2026-06-01", "2026-06-08"),
        (WEEK, "UTC", "2026-05-31 23:59", "2026-05-25", "2026-06-01"),
        (WEEK, BERLIN, "2026-03-29 12:00", "2026-03-22 23:00", "2026-03-29 22:00"),
        (WEEK, BERLIN, "2026-10-25 12:00", "2026-10-18 22:00", "2026-10-25 23:00"),
        (WEEK, KOLKATA, "2026-06-01 00:00", "2026-05-31 18:30", "2026-06-07 18:30"),
        # Months of every length.
        (MONTH, "UTC", "2026-02-28 23:59", "2026-02-01", "2026-03-01"),
        (MONTH, "UTC", "2028-02-29 23:59", "2028-02-01", "2028-03-01"),
        (MONTH, "UTC", "2026-12-31 23:59", "2026-12-01", "2027-01-01"),
        (MONTH, "UTC", "2026-01-01 00:00", "2026-01-01", "2026-02-01"),
        (MONTH, BERLIN, "2026-03-29 12:00", "2026-02-28 23:00", "2026-03-31 22:00"),
        (MONTH, BERLIN, "2026-10-31 23:30", "2026-10-31 23:00", "2026-11-30 23:00"),
        (MONTH, KATHMANDU, "2026-04-30 18:15", "2026-04-30 18:15", "2026-05-31 18:15"),
    ],
)
def test_window_follows_the_calendar_of_its_zone(
    kind: str, zone: str, at: str, starts_at: str, ends_at: str
) -> None:
    window = Window(kind, zone, utc(starts_at), utc(ends_at))
    assert window_at(kind, zone, utc(at)) == window
    assert window_at(kind, zone, window.starts_at) == window_at(kind, zone, utc(ends_at) - 0.001) == window
    assert window_at(kind, zone, window.starts_at - 0.001) != window
    assert window_at(kind, zone, utc(ends_at)).starts_at == utc(ends_at)


def test_clocks_that_go_back_over_midnight_leave_no_instant_without_a_day() -> None:
    """At one minute past midnight, as they did in Newfoundland: the day before goes on."""
    begun, back = utc("2010-11-07 02:30"), utc("2010-11-07 03:00")
    assert datetime.fromtimestamp(back, ZoneInfo("America/St_Johns")).day == 6
    assert window_at(DAY, "America/St_Johns", back).starts_at == begun
    assert window_at(DAY, "America/St_Johns", begun - 1).ends_at == begun


def test_clocks_that_skip_midnight_in_the_middle_leave_no_instant_without_a_day() -> None:
    """From half past eleven to half past midnight, as they did in Toronto: the day before goes on a little."""
    skipped = utc("1919-03-31 04:30")
    assert datetime.fromtimestamp(skipped, ZoneInfo("America/Toronto")).hour == 0
    window = window_at(DAY, "America/Toronto", skipped)
    assert (window.starts_at, window.ends_at) == (utc("1919-03-30 05:00"), skipped + HOUR_S // 2)


def test_lifetime_has_no_bounds() -> None:
    assert window_at(LIFETIME, BERLIN, utc("2026-06-01")) == Window(LIFETIME, "", 0, None)


@pytest.mark.parametrize(
    ("window", "field"),
    [
        (window_at(MONTH, BERLIN, utc("2026-06-01 12:00")), "month:Europe/Berlin:1780264800"),
        (window_at(DAY, "UTC", utc("2026-06-01 12:00")), "day:UTC:1780272000"),
        (window_at(LIFETIME, BERLIN, utc("2026-06-01 12:00")), "lifetime:0"),
    ],
)
def test_window_is_named_with_its_start(window: Window, field: str) -> None:
    assert window.field == field


def test_every_day_of_every_zone_begins_with_a_quarter_of_an_hour() -> None:
    for zone in sorted(available_timezones()):
        at, end = utc("2026-01-01"), utc("2027-02-01")
        while at < end:
            window = window_at(DAY, zone, at)
            assert window.starts_at % QUARTER_S == 0, zone
            assert window.starts_at <= at
            assert window.ends_at is not None
            assert at < window.ends_at <= at + 26 * HOUR_S
            at = window.ends_at


@pytest.mark.parametrize(
    ("name", "is_known"),
    [
        ("Europe/Berlin", True),
        ("UTC", True),
        ("Mars/Olympus", False),
        ("", False),
        ("../etc/passwd", False),
        ("/etc/passwd", False),
        ("a\0b", False),
        ("Europe", False),
    ],
)
def test_zone_is_known_by_its_name(name: str, is_known: bool) -> None:
    assert is_zone(name) is is_known


NIGHT = utc("2026-06-01")


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "pieces"),
    [
        (NIGHT, NIGHT + DAY_S, [Piece("day", NIGHT, NIGHT + DAY_S)]),
        (NIGHT, NIGHT + 3 * DAY_S, [Piece("day", NIGHT, NIGHT + 3 * DAY_S)]),
        (
            NIGHT - QUARTER_S,
            NIGHT + DAY_S,
            [Piece("quarter", NIGHT - QUARTER_S, NIGHT), Piece("day", NIGHT, NIGHT + DAY_S)],
        ),
        (
            NIGHT,
            NIGHT + DAY_S + QUARTER_S,
            [Piece("day", NIGHT, NIGHT + DAY_S), Piece("quarter", NIGHT + DAY_S, NIGHT + DAY_S + QUARTER_S)],
        ),
        (
            NIGHT - QUARTER_S,
            NIGHT + QUARTER_S,
            [Piece("quarter", NIGHT - QUARTER_S, NIGHT), Piece("quarter", NIGHT, NIGHT + QUARTER_S)],
        ),
        (
            NIGHT + QUARTER_S,
            NIGHT + 3 * QUARTER_S,
            [Piece("quarter", NIGHT + QUARTER_S, NIGHT + 3 * QUARTER_S)],
        ),
        (0, None, [Piece("total", 0, None)]),
    ],
)
def test_window_is_the_sum_of_few_rows(starts_at: int, ends_at: int | None, pieces: list[Piece]) -> None:
    assert list(pieces_of(Window("", "", starts_at, ends_at))) == pieces


def test_call_counts_in_its_quarter_its_day_and_ever() -> None:
    at = utc("2026-06-01 12:44") + 59.9
    assert grains_of(at) == (("quarter", utc("2026-06-01 12:30")), ("day", NIGHT), ("total", 0))
    assert grains_of(NIGHT + 0.5)[:2] == (("quarter", NIGHT), ("day", NIGHT))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("zone", [BERLIN, KOLKATA, KATHMANDU, SANTIAGO, "UTC"])
def test_rows_of_a_window_hold_what_started_in_it_and_nothing_else(kind: str, zone: str) -> None:
    chance = random.Random(f"{kind} {zone}")
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for _ in range(300):
        at = (start + timedelta(seconds=chance.randrange(400 * DAY_S))).timestamp()
        window = window_at(kind, zone, at)
        near = [
            at,
            window.starts_at,
            abs(window.starts_at - 1),
            window.ends_at or at,
            (window.ends_at or at + 2) - 1,
        ]
        for other in near:
            rows = grains_of(other)
            counted = sum(
                piece.low <= low and (piece.high is None or low < piece.high)
                for piece in pieces_of(window)
                for grain, low in rows
                if grain == piece.grain
            )
            is_inside = window.starts_at <= other and (window.ends_at is None or other < window.ends_at)
            assert counted == is_inside
