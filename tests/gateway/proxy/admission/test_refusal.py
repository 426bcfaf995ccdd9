"""What a call is told that is not let in: whose limit, which, and when there is room."""

import math

import pytest

from gateway.core.store.interface import Limit, Verdict, WindowLimit
from gateway.proxy.admission.refusal import refusal_by, usd
from gateway.proxy.errors import GatewayError
from tests.gateway.proxy.values import a_key

KEY = a_key(id=7, name="billing", team_slug="atlas")
MONTH = WindowLimit("month:Europe/Berlin:1793484000", 1_793_484_000, 100_000_000_000, ends_at=1_796_079_600)


def refused(limit: Limit | None = None, wait_s: float = 1.5, **facts: object) -> GatewayError:
    verdict = Verdict(is_admitted=False, refused_by=limit, reason="limit", retry_after_s=wait_s)
    for name, value in facts.items():
        setattr(verdict, name, value)
    return refusal_by(verdict, KEY, "search")


@pytest.mark.parametrize(
    ("subject", "who"),
    [
        ("key:7", "Key 'billing'"),
        ("member:3", "The owner of key 'billing'"),
        ("service_account:3", "The service account of key 'billing'"),
        ("project:4", "Project 'search'"),
        ("team:1", "Team 'atlas'"),
    ],
)
def test_a_full_limit_says_whose_it_is(subject: str, who: str) -> None:
    error = refused(Limit(subject, "requests", 60, 60))
    assert error.message == f"{who} is limited to 60 requests a minute. Wait, or have the limit raised."
    assert (error.http_status, error.error_code) == (429, "rate_limit_exceeded")
    assert error.headers == [(b"retry-after", b"2")]


@pytest.mark.parametrize(
    ("unit", "window_s", "words"),
    [
        ("requests", 86_400, "5 requests a day"),
        ("tokens", 60, "5 tokens a minute"),
        ("input_tokens", 60, "5 input tokens a minute"),
        ("output_tokens", 86_400, "5 output tokens a day"),
    ],
)
def test_a_full_limit_says_which_it_is(unit: str, window_s: int, words: str) -> None:
    assert f"is limited to {words}." in refused(Limit("key:7", unit, 5, window_s)).message


def test_calls_at_once_are_no_window() -> None:
    error = refused(Limit("team:1", "concurrency", 3), 1.0)
    assert error.message == "Team 'atlas' already has 3 calls running, its limit. Wait for one to end."
    assert error.headers == [(b"retry-after", b"1")]


def test_what_no_waiting_helps_is_not_to_be_tried_again() -> None:
    error = refused(Limit("key:7", "tokens", 1000, 60), math.inf)
    assert (error.http_status, error.error_code) == (429, "request_beyond_limit")
    assert error.headers == [(b"x-should-retry", b"false")]
    assert "this request alone would take more" in error.message


def test_providers_at_their_quotas_are_nobodys_limit() -> None:
    error = refused(None, 3.2, reason="candidates")
    assert (error.http_status, error.error_code) == (429, "providers_at_quota")
    assert error.headers == [(b"retry-after", b"4")]


def test_a_spent_budget_is_402_and_says_when_it_begins_anew() -> None:
    error = refused(None, reason="spent", budget=("team:1", MONTH))
    assert (error.http_status, error.error_code) == (402, "budget_exceeded")
    assert error.headers == [(b"x-should-retry", b"false")]
    assert error.message == (
        "Team 'atlas' has spent its budget of $10.00 this month. "
        "It begins anew at 2026-11-30T23:00:00Z; until then have it raised."
    )


def test_a_budget_for_life_does_not_begin_anew() -> None:
    window = WindowLimit("lifetime:0", 0, 15_000_000_000)
    error = refused(None, reason="spent", budget=("key:7", window))
    assert error.message == "Key 'billing' has spent its budget of $1.50 in all. Have it raised."


def test_a_budget_that_is_only_held_is_worth_waiting_for() -> None:
    error = refused(None, reason="held", budget=("key:7", MONTH))
    assert (error.http_status, error.error_code) == (429, "budget_held")
    assert error.headers == [(b"retry-after", b"1")]
    assert error.message.startswith(
        "What is left to key 'billing' of its budget of $10.00 this month is held"
    )


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        (0, "0.00"),
        (1, "0.0000000001"),
        (15_000_000_000, "1.50"),
        (12_345_678_900_000_000_000, "1,234,567,890.00"),
        (10_250_000_000, "1.025"),
    ],
)
def test_amounts_have_two_places_or_as_many_as_they_need(amount: int, told: str) -> None:
    assert usd(amount) == told
