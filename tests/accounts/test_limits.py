"""The terms of a key, and limits, at their bounds."""

from datetime import timedelta

import pytest

from accounts.limits import (
    LIMIT_MAX,
    TIMEOUT_MAX_MS,
    WINDOWS_S,
    check_amount,
    check_choice,
    check_expiry,
    check_limit,
    check_line,
    check_measure,
    check_name,
    check_project,
    check_timeout,
)
from gateway.core.refusals import InvalidField, whole_seconds
from tests.make import NOW


@pytest.mark.parametrize("value", [None, 1, 2, LIMIT_MAX - 1, LIMIT_MAX])
def test_limit_within_its_bounds_is_taken(value: int | None) -> None:
    check_limit("concurrency", value)


@pytest.mark.parametrize("value", [-1, 0, LIMIT_MAX + 1])
def test_limit_beyond_its_bounds_is_refused_by_its_name(value: int) -> None:
    with pytest.raises(InvalidField, match="concurrency") as refusal:
        check_limit("concurrency", value)
    assert refusal.value.field == "concurrency"


@pytest.mark.parametrize("value", [None, 1, 2, TIMEOUT_MAX_MS - 1, TIMEOUT_MAX_MS])
def test_deadline_within_its_bounds_is_taken(value: int | None) -> None:
    check_timeout(value)


@pytest.mark.parametrize("value", [-1, 0, TIMEOUT_MAX_MS + 1])
def test_deadline_beyond_its_bounds_is_refused_by_its_name(value: int) -> None:
    with pytest.raises(InvalidField, match=f"is {value}; it must be 1 to 86400000") as refusal:
        check_timeout(value)
    assert refusal.value.field == "timeout_ms"


@pytest.mark.parametrize(("after_s", "is_taken"), [(-1, False), (0, False), (1, True)])
def test_expiry_is_later_than_now(after_s: int, is_taken: bool) -> None:
    expires_at = NOW + timedelta(seconds=after_s)
    if is_taken:
        check_expiry(expires_at, NOW)
    else:
        with pytest.raises(InvalidField, match="future"):
            check_expiry(expires_at, NOW)


@pytest.mark.parametrize(("length", "is_taken"), [(0, False), (1, True), (100, True), (101, False)])
def test_name_has_a_length(length: int, is_taken: bool) -> None:
    if is_taken:
        check_name("x" * length)
    else:
        with pytest.raises(InvalidField):
            check_name("x" * length)


@pytest.mark.parametrize(("wait_s", "told_s"), [(0.0, 1), (0.1, 1), (1.0, 1), (1.1, 2), (2.0, 2)])
def test_a_wait_is_told_in_whole_seconds_rounded_up_and_never_none(wait_s: float, told_s: int) -> None:
    assert whole_seconds(wait_s) == told_s


def test_a_choice_is_one_of_those_allowed() -> None:
    check_choice("lane", "worker", ["auto", "worker"])
    with pytest.raises(InvalidField, match="use one of auto, worker") as refusal:
        check_choice("lane", "other", ["auto", "worker"])
    assert refusal.value.field == "lane"


@pytest.mark.parametrize("slug", ["x", "x" * 64, "Team-1:a.b_c"])
def test_project_within_its_bounds_is_taken(slug: str) -> None:
    check_project(slug)


@pytest.mark.parametrize("slug", ["", "x" * 65, "a b", "a/b", "ä"])
def test_project_beyond_its_bounds_is_refused_with_its_beginning(slug: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        check_project(slug)
    assert refusal.value.field == "slug"
    assert str(refusal.value).startswith(f"slug is {slug[:64]!r}; use 1 to 64 letters")


@pytest.mark.parametrize("unit", ["requests", "tokens", "input_tokens", "output_tokens"])
@pytest.mark.parametrize("window", ["minute", "day"])
def test_what_calls_take_is_counted_in_a_window(unit: str, window: str) -> None:
    check_measure(unit, window)
    with pytest.raises(InvalidField) as refusal:
        check_measure(unit, "none")
    assert (refusal.value.field, refusal.value.message) == (
        "window",
        f"window is needed for {unit}; use one of minute, day.",
    )


def test_calls_at_once_are_counted_at_any_time() -> None:
    check_measure("concurrency", "none")
    for window in ("minute", "day"):
        with pytest.raises(InvalidField, match="concurrency has no window"):
            check_measure("concurrency", window)


def test_unknown_unit_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InvalidField, match="use one of requests, tokens, input_tokens, output_tokens, conc"):
        check_measure("words", "minute")


@pytest.mark.parametrize(
    ("unit", "window", "most"),
    [
        ("requests", "minute", 1_000_000),
        ("concurrency", "none", 1_000_000),
        ("requests", "day", 1_000_000_000_000),
        ("tokens", "minute", 1_000_000_000_000),
    ],
)
def test_amount_is_at_least_one_and_not_without_end(unit: str, window: str, most: int) -> None:
    for amount in (1, most):
        check_amount(unit, window, amount)
    for amount in (0, -1, most + 1):
        with pytest.raises(InvalidField) as refusal:
            check_amount(unit, window, amount)
        assert (refusal.value.field, str(most) in refusal.value.message) == ("amount", True)


def test_windows_are_as_long_as_they_are_called() -> None:
    assert WINDOWS_S == {"minute": 60, "day": 86_400, "none": 0}


@pytest.mark.parametrize("text", ["", "4711", "x" * 100])
def test_line_may_be_empty_and_of_a_hundred_characters(text: str) -> None:
    check_line("cost_centre", text)


@pytest.mark.parametrize("text", ["x" * 101, "a\nb", "\0"])
def test_longer_line_and_one_that_cannot_be_printed_are_refused(text: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        check_line("cost_centre", text)
    assert refusal.value.field == "cost_centre"
