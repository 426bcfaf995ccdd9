"""Figures: how a period compares with the one before, in words, and its course as a small line."""

from decimal import Decimal

import pytest

from gateway.core.locales import LOCALES
from gateway.core.reader import Reader, reading
from gateway.portal.overview.figures import compare, spark
from gateway.portal.overview.measures import MEASURES, Value

WHEN = "the 7 days before"


@pytest.mark.parametrize(
    ("value", "before", "said"),
    [
        (112, 100, "+12 % against the 7 days before"),
        (88, 100, "\N{MINUS SIGN}12 % against the 7 days before"),
        (0, 100, "\N{MINUS SIGN}100 % against the 7 days before"),
        (1004, 1000, "as in the 7 days before"),
        (1006, 1000, "+1 % against the 7 days before"),
        (999, 100, "+899 % against the 7 days before"),
        (1000, 100, "10 times that of the 7 days before"),
        (5, 0, "none in the 7 days before"),
        (0, 0, "none in the 7 days before either"),
        (None, 5.0, ""),
        (5.0, None, "not measured in the 7 days before"),
        (Decimal("0.0000000002"), Decimal("0.0000000001"), "+100 % against the 7 days before"),
        (Decimal(5), Decimal(-5), "+200 % against the 7 days before"),
    ],
)
def test_change_is_said_in_words(value: Value, before: Value, said: str) -> None:
    assert compare(MEASURES["calls"], value, before, WHEN).replace("\N{NO-BREAK SPACE}", " ") == said


@pytest.mark.parametrize(
    ("value", "before", "said"),
    [
        (0.5, 0.25, "+25 points against the 7 days before"),
        (0.26, 0.25, "+1 point against the 7 days before"),
        (0.25, 0.254, "as in the 7 days before"),
    ],
)
def test_shares_change_by_points(value: float, before: float, said: str) -> None:
    assert compare(MEASURES["cached"], value, before, WHEN) == said


def test_line_goes_from_zero_to_the_highest_and_on_to_what_runs() -> None:
    assert spark([0, 10, 5]) == ("M0.0 27.0h0L60.0 1.0", "M60.0 1.0L120.0 14.0")


def test_gaps_are_left_and_what_stands_alone_is_a_dot() -> None:
    assert spark([1, None, 1, None, 1]) == ("M0.0 1.0h0M60.0 1.0h0", "M120.0 1.0h0")
    assert spark([0, 10, 5], is_over=True) == ("M0.0 27.0h0L60.0 1.0L120.0 14.0", "")
    assert spark([1, 1, None]) == ("M0.0 1.0h0L60.0 1.0", "")


@pytest.mark.parametrize("values", [[], [0], [None], [0, 0], [None, None], [-5, 3]])
def test_little_is_drawn_without_a_fault(values: list[Value]) -> None:
    for path in spark(values):
        assert "nan" not in path


@pytest.mark.parametrize("name", MEASURES)
def test_nothing_is_told_as_nothing_and_not_as_a_gap_but_for_averages(name: str) -> None:
    measure = MEASURES[name]
    sums = dict.fromkeys((measure.of, measure.told or measure.of), 0)
    assert (measure.value(sums) is None) == measure.is_average


def test_money_is_never_rounded_to_nothing() -> None:
    written = MEASURES["spend"].write(Decimal("0.0000000001"))
    assert (written.text, written.exact) == ("< $0.01", "$0.0000000001")


def test_numbers_are_written_as_their_reader_writes_them() -> None:
    with reading(Reader(locale=LOCALES["de"])):
        assert MEASURES["spend"].write(Decimal("1234.5")).text == "1.234,50\N{NO-BREAK SPACE}$"
        assert MEASURES["latency"].write(2140.5).text == "2,14 s"
        assert MEASURES["calls"].write(12_345).text == "12.345"
        assert compare(MEASURES["calls"], 50_000, 1, WHEN) == f"50.000 times that of {WHEN}"
