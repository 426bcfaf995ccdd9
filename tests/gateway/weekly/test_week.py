"""Which week is told when, in every zone and over summer time."""

from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.weekly.week import LATE, Week, latest_monday, week_due

MONDAY = date(2026, 6, 1)


@pytest.mark.parametrize(
    ("zone", "due"),
    [
        ("UTC", datetime(2026, 6, 1, 8, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 6, 1, 6, tzinfo=UTC)),
        ("Pacific/Kiritimati", datetime(2026, 5, 31, 18, tzinfo=UTC)),
        ("Etc/GMT+12", datetime(2026, 6, 1, 20, tzinfo=UTC)),
        ("Asia/Kolkata", datetime(2026, 6, 1, 2, 30, tzinfo=UTC)),
    ],
)
def test_week_is_due_on_monday_at_eight_where_somebody_lives(zone: str, due: datetime) -> None:
    second = timedelta(seconds=1)
    assert week_due(zone, due - second) is None
    assert week_due(zone, due) == Week(MONDAY, zone)
    assert week_due(zone, due + LATE - second) == Week(MONDAY, zone)
    assert week_due(zone, due + LATE) is None
    assert latest_monday(due) == latest_monday(due + LATE - second) == MONDAY


def test_nobody_is_looked_for_where_no_zone_is_due() -> None:
    assert latest_monday(datetime(2026, 5, 31, 17, 59, tzinfo=UTC)) is None
    assert latest_monday(datetime(2026, 6, 4, 20, tzinfo=UTC)) is None


def test_week_of_summer_time_is_an_hour_shorter() -> None:
    week = Week(date(2026, 3, 30), "Europe/Berlin")
    assert week.ends_at.astimezone(UTC) - week.begins_at.astimezone(UTC) == timedelta(days=7, hours=-1)
    assert week.due_at.astimezone(UTC) == datetime(2026, 3, 30, 6, tzinfo=UTC)
    assert (week.first_day, week.last_day) == (date(2026, 3, 23), date(2026, 3, 29))
