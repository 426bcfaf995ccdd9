"""In which order candidates are tried, at the steps in which facts of theirs are compared."""

import math

import pytest

from catalogue.facts import ModelFacts, RouteMember
from gateway.proxy.routing.ordering import is_sick, nearness, usual_cost_usd
from gateway.proxy.routing.plan import plan_route
from gateway.proxy.routing.preferences import NO_PREFERENCES, ProviderPreferences
from gateway.proxy.routing.request import RouteRequest
from gateway.proxy.routing.tariffs import tariff_of
from gateway.proxy.routing.ways import Candidate
from providers.facts import CredentialFacts
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


def order_of_all(names, context, **wishes):
    """The ids for several names, the first first."""
    preferences = ProviderPreferences(**wishes) if wishes else NO_PREFERENCES
    plan = plan_route(RouteRequest(names, CHAT, preferences), context)
    return [candidate.offering.id for candidate in plan.candidates]


def one_of(number, usd="1", **facts):
    offering = an_offering(number, prices=(a_price("output_text_tokens", usd),), position=0)
    return a_model(f"acme/{number}", offerings=(offering,), **facts)


@pytest.mark.parametrize(
    ("usd", "planned"), [(("2", "1", "3", "9"), [2, 1, 3, 4]), (("1", "2", "9", "3"), [1, 2, 3, 4])]
)
def test_where_choices_are_compared_a_route_keeps_its_members_order_and_its_first_place_is_compared(
    usd, planned
):
    """The route of 1, 3 and 4 is named first, then 2: its first member's price counts beside that of 2."""
    models = [one_of(number, each) for number, each in zip((1, 2, 3, 4), usd, strict=True)]
    members = tuple(RouteMember(f"acme/{number}", tier=tier) for tier, number in enumerate((1, 3, 4)))
    route = ModelFacts("house/fast", "Fast", members=members)
    context = a_routing_context(route, *models)
    assert order_of_all(("house/fast", "acme/2"), context, sort="price", sorts_all=True) == planned


def test_of_two_choices_the_first_leads_whatever_speaks_for_the_second():
    context = a_routing_context(one_of(2), one_of(1), healths={2: health(0.5)})
    assert order_of_all(("acme/2", "acme/1"), context) == [2, 1]


def test_another_credentials_own_health_counts():
    model = a_model(offerings=(an_offering(1, position=0), an_offering(2, provider_id=2, position=1)))
    context = a_routing_context(model, healths={"1:7": health(0.4), 1: health(0.3)})
    key = CredentialFacts(7, 0, "second", "only", "s")
    context.snapshot = type(context.snapshot).of(
        context.snapshot.models.values(), context.snapshot.providers, revision=2, credentials={0: {1: (key,)}}
    )
    plan = plan_for("acme/one", CHAT, context)
    told = [(each.way, each.health and each.health.success_rate) for each in plan.candidates]
    assert told == [(2, 1.0), ("1:7", 0.4), (1, 0.3)]


@pytest.mark.parametrize("wishes", [{}, {"order": ("provider-1",)}])
def test_what_nobody_has_timed_is_tried_before_what_is_fast(wishes):
    model = a_model(offerings=(an_offering(1), an_offering(2)))
    context = a_routing_context(model, healths={1: health(latency_ms=0.5)})
    assert order_of_all(("acme/one",), context, **wishes) == [2, 1]


@pytest.mark.parametrize(("draw", "planned"), [(0.0, [1, 2, 3]), (0.99, [2, 1, 3])])
def test_what_auto_chose_shares_also_where_a_named_model_stands_behind_it(draw, planned):
    context = a_routing_context(one_of(1), one_of(2), one_of(3), healths={3: health(0.5)})
    context.draw = draw
    assert order_of_all(("auto", "acme/3"), context) == planned


def test_what_cannot_be_probed_comes_last_whatever_it_costs():
    offerings = tuple(
        an_offering(number, provider_id=number, prices=(a_price("output_text_tokens", usd),))
        for number, usd in ((1, "1"), (2, "9"))
    )
    providers = (a_provider(1, health="unhealthy"), a_provider(2))
    context = a_routing_context(a_model(offerings=offerings), providers=providers)
    assert order_of_all(("acme/one",), context, sort="price") == [2, 1]


def test_a_prompt_that_is_worth_keeping_needs_nobody_who_keeps_it():
    model = a_model(offerings=(an_offering(1), an_offering(2)))
    plan = plan_for("acme/one", CHAT, a_routing_context(model), prompt_mark=b"m")
    assert [each.offering.id for each in plan.candidates] == [1, 2]
