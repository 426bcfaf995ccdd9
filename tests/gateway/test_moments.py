"""How instants are written for people."""

from datetime import timedelta

import pytest

from gateway.templatetags.moments import moment, relative
from tests.make import NOW


@pytest.mark.parametrize(
    ("passed", "text"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=5, minutes=40), "5 hours ago"),
        (timedelta(days=400), "1 year ago"),
        (-timedelta(seconds=30), "in less than a minute"),
        (-timedelta(days=1, hours=23), "in 1 day"),
        (-timedelta(days=2), "in 2 days"),
        (-timedelta(days=12), "in 12 days"),
        (timedelta(days=14, hours=23), "14 days ago"),
        (-timedelta(days=15), "in 2 weeks"),
        (-timedelta(days=46), "in 6 weeks"),
        (timedelta(days=62), "8 weeks ago"),
        (-timedelta(days=63), "in 2 months"),
    ],
)
def test_instant_is_told_relative_to_now(passed: timedelta, text: str) -> None:
    assert relative(NOW - passed, NOW).replace("\xa0", " ") == text


def test_exact_instant_stands_in_the_title() -> None:
    assert 'datetime="2026-06-01T12:00:00+00:00" title="2026-06-01 12:00:00 UTC"' in moment(NOW)


def test_missing_instant_is_a_word() -> None:
    assert moment(None) == "never"
