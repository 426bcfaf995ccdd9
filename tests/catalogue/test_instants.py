"""Instants as they stand in addresses and files."""

from datetime import UTC, datetime, timedelta

import pytest

from catalogue.instants import date_text, instant_text, parse_instant

DAY = datetime(2026, 3, 1, tzinfo=UTC)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-01", DAY),
        ("2026-03-01T12:00:00Z", NOON),
        ("2026-03-01T12:00:00", NOON),
        ("2026-03-01 12:00:00", NOON),
        ("2026-03-01T14:00:00+02:00", NOON),
        ("2026-03-01T14:00:00 02:00", NOON),
        ("2026-03-01T10:00:00-02:00", NOON),
    ],
)
def test_an_instant_is_read_into_utc(text, instant):
    read = parse_instant(text)
    assert (read, read.utcoffset()) == (instant, timedelta(0))


@pytest.mark.parametrize(
    "text", ["", "2026-03-1", "2026-0301", "20260301", "2026-03-01T1 :00 00", "2026-13-01", "yesterday!"]
)
def test_what_is_no_instant_is_refused(text):
    with pytest.raises(ValueError, match=r"instant|isoformat|month"):
        parse_instant(text)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (None, None),
        (DAY, "2026-03-01"),
        (DAY + timedelta(microseconds=1), "2026-03-01T00:00:00.000001Z"),
        (NOON, "2026-03-01T12:00:00Z"),
    ],
)
def test_a_days_first_moment_is_told_as_the_day(moment, text):
    assert date_text(moment) == text


def test_an_instant_is_told_with_its_time():
    assert instant_text(DAY) == "2026-03-01T00:00:00Z"
