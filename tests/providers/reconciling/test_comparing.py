"""Differences of what is billed and what is booked, each with its likely cause."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from providers.reconciling.comparing import Billed, Booked, Cause, add_up, compare
from providers.reconciling.reading import Line

FIRST = date(2026, 6, 1)
CENT = Decimal("0.01")


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def billed(*usd: str | None, model: str = "m", tokens: int | None = None) -> dict:
    """A sum a day; None: nothing on that day."""
    return {
        (day(n), model): Billed(Decimal(each), tokens, tokens)
        for n, each in enumerate(usd)
        if each is not None
    }


def booked(*usd: str | None, model: str = "m", **facts: object) -> dict:
    return {
        (day(n), model): Booked(Decimal(each), **facts)  # type: ignore[arg-type]
        for n, each in enumerate(usd)
        if each is not None
    }


def causes(there: dict, here: dict) -> list[tuple[int, Cause]]:
    return [((each.day - FIRST).days, each.cause) for each in compare(there, here, CENT)]


TABLE = [
    # billed, booked, (day, cause)
    (billed("1"), booked("1"), []),
    (billed("1.01"), booked("1"), []),
    (billed("1"), booked("1.01"), []),
    (billed("1.0100000001"), booked("1"), [(0, Cause.UNKNOWN)]),
    (billed("0.99"), booked("1.0000000001"), [(0, Cause.UNKNOWN)]),
    (billed("0.01"), {}, []),
    (
        billed("1", "2"),
        booked("1", "2", model="n"),
        [
            (0, Cause.MODEL_NOT_HERE),
            (0, Cause.MODEL_NOT_THERE),
            (1, Cause.MODEL_NOT_HERE),
            (1, Cause.MODEL_NOT_THERE),
        ],
    ),
    (billed("1", "2", "3"), booked("1", None, "3"), [(1, Cause.DAY_NOT_HERE)]),
    (billed("1", None, "3"), booked("1", "2", "3"), [(1, Cause.DAY_NOT_THERE)]),
    # One factor on all days; a single day tells only with its tokens.
    (billed("2", "4", "6"), booked("1", "2", "3"), [(n, Cause.PRICE) for n in range(3)]),
    (billed("1.1", "2.2"), booked("1", "2"), [(0, Cause.PRICE), (1, Cause.PRICE)]),
    (billed("2.00", "4.01"), booked("1", "2"), [(0, Cause.PRICE), (1, Cause.PRICE)]),
    (billed("2.00", "4.03"), booked("1", "2"), [(0, Cause.UNKNOWN), (1, Cause.UNKNOWN)]),
    (billed("2"), booked("1"), [(0, Cause.UNKNOWN)]),
    (billed("2", tokens=1000), booked("1", input_tokens=1000, output_tokens=1000), [(0, Cause.PRICE)]),
    (billed("2", tokens=1005), booked("1", input_tokens=1000, output_tokens=1000), [(0, Cause.PRICE)]),
    (billed("2", tokens=1006), booked("1", input_tokens=1000, output_tokens=1000), [(0, Cause.TOKENS)]),
    (billed("2", tokens=994), booked("1", input_tokens=1000, output_tokens=1000), [(0, Cause.TOKENS)]),
    # The same amounts on other days.
    (billed(None, "1", "2", "3"), booked("1", "2", "3"), [(n, Cause.DAYS_SHIFTED) for n in range(4)]),
    (billed("1", "2", "3"), booked(None, "1", "2", "3"), [(n, Cause.DAYS_SHIFTED) for n in range(4)]),
    (
        billed("2", "3", "1"),
        booked("1", "3", "2"),
        [(0, Cause.DAYS_CUT_ELSEWHERE), (2, Cause.DAYS_CUT_ELSEWHERE)],
    ),
    (billed("2", "2"), booked("1", "2"), [(0, Cause.UNKNOWN)]),
    (billed(None, "1", "2"), booked("1", "2"), [(n, Cause.DAYS_SHIFTED) for n in range(3)]),
    (billed("1", "2"), booked("2", "1"), [(0, Cause.DAYS_CUT_ELSEWHERE), (1, Cause.DAYS_CUT_ELSEWHERE)]),
    # One amount, or the same each day, tells of no shift.
    (billed(None, "1", "0"), booked("1", "0", "0"), [(n, Cause.DAYS_CUT_ELSEWHERE) for n in (0, 1)]),
    (billed(None, "2", "2"), booked("2", "2", None), [(n, Cause.DAYS_CUT_ELSEWHERE) for n in (0, 2)]),
    (billed(None, "0.01", "3"), booked("0.01", "3"), [(n, Cause.DAYS_CUT_ELSEWHERE) for n in (1, 2)]),
    # Factors below 1, at the edge of what is alike, and none.
    (billed("0.5", "1"), booked("1", "2"), [(0, Cause.PRICE), (1, Cause.PRICE)]),
    (billed("2", "3.98"), booked("1", "2"), [(0, Cause.PRICE), (1, Cause.PRICE)]),
    (billed("0", "0"), booked("1", "2"), [(0, Cause.UNKNOWN), (1, Cause.UNKNOWN)]),
    (billed("-1", "-2"), booked("2", "4"), [(0, Cause.UNKNOWN), (1, Cause.UNKNOWN)]),
    (billed("2", tokens=200), booked("1", input_tokens=199, output_tokens=199), [(0, Cause.PRICE)]),
    # What failed.
    (billed("1.5"), booked("1", unpriced_failures=3), [(0, Cause.FAILED_ATTEMPTS)]),
    (billed("0.5"), booked("1", unpriced_failures=3), [(0, Cause.UNKNOWN)]),
    (billed("0.5"), booked("1", failed_usd=Decimal("0.5")), [(0, Cause.FAILED_ATTEMPTS)]),
    (billed("0.5"), booked("1", failed_usd=Decimal("0.3")), [(0, Cause.UNKNOWN)]),
    # A credit, and nothing at all.
    (billed("-1"), booked("1"), [(0, Cause.UNKNOWN)]),
    (billed("1"), booked("0"), [(0, Cause.UNKNOWN)]),
    ({}, {}, []),
]


@pytest.mark.parametrize(("there", "here", "found"), TABLE)
def test_each_difference_has_its_likely_cause(
    there: dict, here: dict, found: list[tuple[int, Cause]]
) -> None:
    assert causes(there, here) == found


def test_difference_says_both_sides_and_how_much_more_is_billed() -> None:
    (found,) = compare(billed("1.5"), booked("1"), CENT)
    assert (found.day, found.model, found.usd) == (FIRST, "m", Decimal("0.5"))
    (found,) = compare({}, booked("1"), CENT)
    assert (found.billed, found.usd) == (None, Decimal(-1))


def test_whole_day_without_calls_is_told_from_one_of_a_model() -> None:
    other = booked("1", "1", "1", model="n")
    same = billed("1", "1", "1", model="n")
    (of_model,) = compare(billed("1", "2", "3") | same, booked("1", None, "3") | other, CENT)
    (of_all,) = compare(billed("1", "2", "3"), booked("1", None, "3"), CENT)
    assert "no call of this model" in of_model.hint
    assert "no call of this provider" in of_all.hint


def test_name_that_another_one_begins_with_is_pointed_out() -> None:
    found = compare(billed("1", model="gpt-5-2025-08-07"), booked("1", model="gpt-5"), CENT)
    assert "Is it gpt-5 here?" in found[1].hint


def test_hints_say_factor_and_tokens() -> None:
    (found,) = compare(billed("2", tokens=1000), booked("1", input_tokens=1000, output_tokens=1000), CENT)
    assert "2.0000 times" in found.hint
    found, _ = compare(billed("3", "6"), booked("1", "2"), CENT)
    assert "3.0000 times" in found.hint
    (found,) = compare(billed("2", tokens=2000), booked("1", input_tokens=1000, output_tokens=2000), CENT)
    assert (
        found.hint == "Tokens differ: 2,000 in are billed, 1,000 booked, 2,000 out are billed, 2,000 booked."
    )


def test_differences_are_in_order_of_day_and_model() -> None:
    found = compare(billed("1", "1", model="b") | billed("1", "1", model="a"), {}, CENT)
    assert [(each.day, each.model) for each in found] == [
        (day(0), "a"),
        (day(0), "b"),
        (day(1), "a"),
        (day(1), "b"),
    ]


def test_lines_of_a_day_and_model_are_one_sum_by_the_name_that_we_use() -> None:
    lines = [
        Line(FIRST, "gpt-5-2025-08-07", Decimal("0.1"), 5),
        Line(FIRST, "gpt-5-2025-08-07", Decimal("0.2"), None, 7),
        Line(FIRST, "gpt-5", Decimal("-0.05"), 1),
        Line(FIRST, "other", Decimal(1)),
    ]
    assert add_up(lines, {"gpt-5-2025-08-07": "gpt-5"}) == {
        (FIRST, "gpt-5"): Billed(Decimal("0.25"), 6, 7),
        (FIRST, "other"): Billed(Decimal(1)),
    }
