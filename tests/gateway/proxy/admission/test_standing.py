"""What headers say of limits, in OpenAI's and Anthropic's forms."""

import pytest

from gateway.core.store.interface import Limit, Standing
from gateway.proxy.admission.standing import go_duration, standing_headers

AT = 1_790_000_000.25
REQUESTS = Standing(Limit("key:1", "requests", 60, 60), 59, 1.0)
DAILY = Standing(Limit("team:1", "requests", 1000, 86_400), 12, 86_000.2)
TOKENS = Standing(Limit("key:1", "tokens", 10_000, 60), 9_000, 6.0)
INPUT = Standing(Limit("key:1", "input_tokens", 8_000, 60), 500, 56.25)
OUTPUT = Standing(Limit("team:1", "output_tokens", 4_000, 60), 0, 360.0)


@pytest.mark.parametrize(
    ("wait_s", "told"),
    [
        (-1, "0s"),
        (0, "0s"),
        (0.0001, "1ms"),
        (0.012, "12ms"),
        (0.9985, "999ms"),
        (0.9995, "1s"),
        (1, "1s"),
        (1.01, "2s"),
        (59.1, "1m0s"),
        (360, "6m0s"),
        (3_599.5, "1h0m0s"),
        (3_723, "1h2m3s"),
        (86_400, "24h0m0s"),
    ],
)
def test_durations_are_written_as_go_writes_them_and_rounded_up(wait_s: float, told: str) -> None:
    assert go_duration(wait_s).decode() == told


def told(*standings: Standing, form: str = "openai") -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in standing_headers(standings, form, AT)}


def test_what_is_not_limited_is_not_told() -> None:
    assert told() == told(form="anthropic") == {}
    assert set(told(REQUESTS)) == {f"x-ratelimit-{part}-requests" for part in ("limit", "remaining", "reset")}


@pytest.mark.parametrize("form", ["openai", "responses", "gemini", "anthropic"])
def test_openais_six_tell_the_tightest_of_each_kind_on_every_surface(form: str) -> None:
    found = told(REQUESTS, DAILY, TOKENS, INPUT, form=form)
    assert {name: value for name, value in found.items() if name.startswith("x-ratelimit")} == {
        "x-ratelimit-limit-requests": "1000",
        "x-ratelimit-remaining-requests": "12",
        "x-ratelimit-reset-requests": "23h53m21s",
        "x-ratelimit-limit-tokens": "8000",
        "x-ratelimit-remaining-tokens": "500",
        "x-ratelimit-reset-tokens": "57s",
    }


def test_anthropics_names_are_told_on_messages_with_instants() -> None:
    found = told(REQUESTS, TOKENS, INPUT, OUTPUT, form="anthropic")
    assert {name: value for name, value in found.items() if name.startswith("anthropic")} == {
        "anthropic-ratelimit-requests-limit": "60",
        "anthropic-ratelimit-requests-remaining": "59",
        "anthropic-ratelimit-requests-reset": "2026-09-21T14:13:22Z",
        "anthropic-ratelimit-tokens-limit": "4000",
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-tokens-reset": "2026-09-21T14:19:21Z",
        "anthropic-ratelimit-input-tokens-limit": "8000",
        "anthropic-ratelimit-input-tokens-remaining": "500",
        "anthropic-ratelimit-input-tokens-reset": "2026-09-21T14:14:17Z",
        "anthropic-ratelimit-output-tokens-limit": "4000",
        "anthropic-ratelimit-output-tokens-remaining": "0",
        "anthropic-ratelimit-output-tokens-reset": "2026-09-21T14:19:21Z",
    }


def test_a_debt_is_told_as_nothing_left() -> None:
    assert told(Standing(Limit("key:1", "tokens", 100, 60), -40, 84.0))["x-ratelimit-remaining-tokens"] == "0"
