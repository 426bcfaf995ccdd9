"""In which order candidates are tried, at the steps in which facts of theirs are compared."""

import math

import pytest

from gateway.proxy.routing.ordering import is_sick, nearness, usual_cost_usd
from gateway.proxy.routing.preferences import ProviderPreferences
from gateway.proxy.routing.tariffs import tariff_of
from gateway.proxy.routing.ways import Candidate
from providers.health import HealthStatus
from providers.operations.base import Requirements
from providers.wire.call import Call
from tests.gateway.proxy.values import (
    AT,
    a_model,
    a_price,
    a_provider,
    a_routing_context,
    an_offering,
    plan_for,
)

CHAT = Requirements("chat.completions")


def health(success_rate=1.0, latency_ms=None, **facts):
    return HealthStatus(is_open=False, success_rate=success_rate, latency_ms=latency_ms, **facts)


def near(*, success_rate=1.0, latency_ms=None, headroom=1.0, cost_usd=1.0):
    candidate = Candidate(a_model(), an_offering(9, position=5), 9)
    return nearness(candidate, health(success_rate, latency_ms), headroom, cost_usd)


@pytest.mark.parametrize(
    ("cost_usd", "step"),
    [
        # What costs nothing is before all that costs something, and what nobody knows after it.
        (0.0, -math.inf),
        (0.5, -2),
        (0.66, -2),
        (0.67, -1),
        (0.99, -1),
        (1.0, 0),
        (1.49, 0),
        (1.51, 1),
        (2.24, 1),
        (2.26, 2),
        (math.inf, math.inf),
    ],
)
def test_what_is_within_half_as_much_again_is_nearly_equal(cost_usd, step):
    assert near(cost_usd=cost_usd)[3] == step
    if math.isfinite(cost_usd) and cost_usd:
        assert near(latency_ms=cost_usd)[2] == step


@pytest.mark.parametrize(
    ("headroom", "step"), [(0.0, 0), (0.01, -1), (0.25, -1), (0.26, -2), (0.75, -3), (0.76, -4), (1.0, -4)]
)
def test_headroom_is_compared_by_quarters(headroom, step):
    assert near(headroom=headroom)[1] == step


@pytest.mark.parametrize(("success_rate", "step"), [(1.0, -10), (0.95, -10), (0.949, -9), (0.0, 0)])
def test_success_is_compared_by_tenths(success_rate, step):
    assert near(success_rate=success_rate)[0] == step


def test_what_nobody_has_timed_is_taken_for_one_and_a_half_seconds():
    assert near() == near(latency_ms=1_500.0)
    assert near()[4:] == (1_500.0, 5, 9)


@pytest.mark.parametrize(
    ("success_rate", "told", "expected"),
    [
        (0.74, "healthy", True),
        (0.75, "healthy", False),
        (0.76, "healthy", False),
        (1.0, "unhealthy", True),
        (1.0, "unknown", False),
        (0.74, None, True),
        (1.0, None, False),
    ],
)
def test_sick_is_what_fails_each_fourth_time_or_whose_probes_fail(success_rate, told, expected):
    provider = a_provider(health=told) if told else None
    assert is_sick(provider, health(success_rate)) is expected


def test_prices_are_compared_by_three_parts_read_to_one_written():
    prices = (a_price("input_text_tokens", "1000"), a_price("output_text_tokens", "1"))
    assert usual_cost_usd(tariff_of(an_offering(prices=prices), AT)) == pytest.approx(3.072 + 0.001024)
    assert usual_cost_usd(None) == math.inf


def order(healths, **wishes):
    """The ids of as many offerings, the first first."""
    model = a_model(offerings=tuple(an_offering(number) for number in healths))
    context = a_routing_context(model, healths=healths)
    plan = plan_for("acme/one", CHAT, context, ProviderPreferences(**wishes))
    return [candidate.offering.id for candidate in plan.candidates]


def test_by_latency_the_first_token_counts_then_the_whole_answer_and_the_unknown_comes_last():
    healths = {
        1: health(),
        2: health(latency_ms=900.0, first_token_ms=300.0),
        3: health(latency_ms=200.0),
        4: health(latency_ms=100.0, first_token_ms=400.0),
    }
    assert order(healths, sort="latency") == [3, 2, 4, 1]


def test_by_throughput_the_measured_come_first_and_of_the_others_the_sooner():
    healths = {
        1: health(latency_ms=2_000.0),
        2: health(),
        3: health(latency_ms=1_000.0),
        4: health(tokens_per_s=0.5),
        5: health(tokens_per_s=50.0, latency_ms=9_000.0),
    }
    assert order(healths, sort="throughput") == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(("success_rate", "first"), [(0.74, 1), (0.75, 2), (0.76, 2)])
def test_a_kept_prompt_leads_unless_its_offering_fails_each_fourth_time(success_rate, first):
    model = a_model(offerings=(an_offering(1, position=1), an_offering(2, position=2)))
    context = a_routing_context(model, healths={2: health(success_rate)})
    context.affinity = {b"m": 2}.get
    assert plan_for("acme/one", CHAT, context, prompt_mark=b"m").candidates[0].offering.id == first


@pytest.mark.parametrize(("most", "first"), [(None, 1), (2_000, 1), (1_024, 1), (100, 2)])
def test_by_price_an_answer_is_taken_for_a_thousand_tokens_or_what_the_client_allows(most, first):
    """The first is cheaper to write, the second cheaper to read: they cost the same at 512 tokens."""
    prices = (("3", "1"), ("1", "4.90625"))
    offerings = tuple(
        an_offering(
            number,
            prices=(a_price("input_text_tokens", read), a_price("output_text_tokens", written)),
        )
        for number, (read, written) in enumerate(prices, start=1)
    )
    body = {"messages": [], **({"max_tokens": most} if most else {})}
    needs = Requirements("chat.completions", input_tokens=1_000, call=Call("chat.completions", body))
    plan = plan_for("acme/one:cheap", needs, a_routing_context(a_model(offerings=offerings)))
    assert plan.candidates[0].offering.id == first
