"""Numbers, money and days, as they are written where somebody lives."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from gateway.core.locales import (
    HOUSE,
    LOCALES,
    locale_named,
    write_day,
    write_month,
    write_number,
    write_percent,
    write_tokens,
    write_usd,
    write_usd_exactly,
)
from gateway.core.reader import Reader, zone_named

AMOUNT = Decimal("1234567.891")


@pytest.mark.parametrize(
    ("tag", "money", "share", "day"),
    [
        ("", "$1,234,567.89", "12.5\xa0%", "30 Nov 2026"),
        ("en-US", "$1,234,567.89", "12.5%", "11/30/2026"),
        ("de", "1.234.567,89\xa0$", "12,5\xa0%", "30.11.2026"),
        ("fr", "1\xa0234\xa0567,89\xa0$", "12,5\u202f%", "30/11/2026"),
        ("de-CH", "$1\xa0234\xa0567,89", "12,5%", "30.11.2026"),
        ("ar-EG", "١٬٢٣٤٬٥٦٧٫٨٩\xa0$", "١٢٫٥٪", "٣٠\u200f/١١\u200f/٢٠٢٦"),  # noqa: RUF001
        ("tr", "$1.234.567,89", "%12,5", "30 Nov 2026"),
    ],
)
def test_numbers_are_written_as_where_somebody_lives(tag: str, money: str, share: str, day: str) -> None:
    locale = locale_named(tag)
    assert write_usd(AMOUNT, locale) == money
    assert write_percent(Decimal("12.5"), locale) == share
    assert write_day(date(2026, 11, 30), locale) == day


@pytest.mark.parametrize(
    ("tag", "month"),
    [
        ("", "Dec 2025"),
        ("de", "Dec 2025"),
        ("es", "Dec 2025"),
        ("ja", "2025年12月"),
        ("ar-EG", "Dec ٢٠٢٥"),
    ],
)
def test_months_have_their_english_names_or_the_numbers_of_where_somebody_lives(tag: str, month: str) -> None:
    assert write_month(date(2025, 12, 31), locale_named(tag)) == month


@pytest.mark.parametrize(
    ("amount", "text", "exact"),
    [
        ("0", "$0.00", "$0.00"),
        ("0.0099", "< $0.01", "$0.0099"),
        ("0.01", "$0.01", "$0.01"),
        ("0.0000000001", "< $0.01", "$0.0000000001"),
        ("-0.004", "> -$0.01", "-$0.004"),
        ("-12.345", "-$12.35", "-$12.345"),
        ("1E+3", "$1,000.00", "$1,000.00"),
    ],
)
def test_money_that_is_little_is_never_nothing(amount: str, text: str, exact: str) -> None:
    assert write_usd(Decimal(amount), HOUSE) == text
    assert write_usd_exactly(Decimal(amount), HOUSE) == exact


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1K"),
        (1_234, "1.23K"),
        (99_950, "100K"),
        (128_000, "128K"),
        (999_499, "999K"),
        (999_500, "1M"),
        (1_048_576, "1.05M"),
        (2_500_000_000, "2.5B"),
    ],
)
def test_tokens_have_three_digits_that_count(count: int, text: str) -> None:
    assert write_tokens(count, HOUSE) == text


@pytest.mark.parametrize(
    ("share", "text"), [("100", "100\xa0%"), ("99.99", "99.9\xa0%"), ("0.01", "0.1\xa0%"), ("0", "0\xa0%")]
)
def test_only_the_whole_is_all_and_only_nothing_is_none(share: str, text: str) -> None:
    assert write_percent(Decimal(share), HOUSE) == text


@pytest.mark.parametrize("tag", LOCALES)
def test_every_locale_writes_all_that_there_is(tag: str) -> None:
    locale = LOCALES[tag]
    reader = Reader(ZoneInfo("Asia/Kolkata"), locale)
    for text in (
        write_number(-1234567, locale),
        write_usd(AMOUNT, locale),
        reader.write_instant(datetime(2026, 11, 30, 18, 5, tzinfo=UTC), seconds=True),
    ):
        assert text.strip()
        assert "{" not in text


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), "29 Mar 2026, 01:59 CET"),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "29 Mar 2026, 03:00 CEST"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "25 Oct 2026, 02:30 CEST"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "25 Oct 2026, 02:30 CET"),
    ],
)
def test_summer_time_is_told_by_its_zone(at: datetime, text: str) -> None:
    assert Reader(zone_named("Europe/Berlin")).write_instant(at) == text


@pytest.mark.parametrize("name", ["", "UTC", "Mars/Olympus", "../etc/passwd", "a\0b"])
def test_what_is_no_zone_is_utc(name: str) -> None:
    assert zone_named(name) is UTC
