"""An ejection for failures never refuses a call that its offering could serve; whatever else keeps one out does."""

import time

import pytest

from gateway.proxy.errors import Unavailable
from providers.breaker import CAUSES, SPARING
from providers.facts import CredentialFacts
from providers.health import HealthStatus
from providers.operations.base import Requirements
from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.values import a_model, a_provider, a_routing_context, an_offering, plan_for
from tests.upstream import ScriptedProvider

CHAT = Requirements("chat.completions")
TWO = a_model(offerings=(an_offering(1), an_offering(2)))


def out(cause, success_rate=0.1):
    return HealthStatus(True, success_rate, None, cause)


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("name", ["acme/one", "auto", "provider-1:acme/one"])
def test_the_last_candidate_is_spared_by_ejections_for_failures_alone(name, cause):
    context = a_routing_context(healths={1: out(cause)})
    if cause in SPARING:
        plan = plan_for(name, CHAT, context)
        assert ([each.offering.id for each in plan.candidates], plan.dropped) == ([1], ())
    else:
        with pytest.raises(Unavailable, match="healthy at the moment") as refusal:
            plan_for(name, CHAT, context)
        assert refusal.value.error_code == "no_healthy_provider"


@pytest.mark.parametrize(
    ("healths", "planned", "dropped"),
    [
        ({1: out("failures")}, [2], [1]),
        ({1: out("failures", 0.1), 2: out("rate", 0.4)}, [2], [1]),
        ({1: out("failures", 0.4), 2: out("rate", 0.1)}, [1], [2]),
        ({1: out("failures"), 2: out("staff")}, [1], [2]),
        ({1: out("retry_after"), 2: out("failures")}, [2], [1]),
    ],
)
def test_the_best_of_those_that_may_be_comes_back(healths, planned, dropped):
    plan = plan_for("acme/one", CHAT, a_routing_context(TWO, healths=healths))
    assert [each.offering.id for each in plan.candidates] == planned
    assert [drop.candidate.offering.id for drop in plan.dropped] == dropped


def test_what_cannot_do_the_request_does_not_come_back():
    model = a_model(offerings=(an_offering(1, streams=False), an_offering(2)))
    context = a_routing_context(model, healths={1: out("failures"), 2: out("staff")})
    with pytest.raises(Unavailable):
        plan_for("acme/one", Requirements("chat.completions", True), context)


def test_by_a_further_credential_too():
    key = CredentialFacts(7, 0, "second", "after", "s")
    context = a_routing_context(healths={1: out("staff"), "1:7": out("failures")})
    context.snapshot = type(context.snapshot).of(
        context.snapshot.models.values(), context.snapshot.providers, revision=2, credentials={0: {1: (key,)}}
    )
    plan = plan_for("acme/one", CHAT, context)
    assert [each.way for each in plan.candidates] == ["1:7"]


def test_a_spared_plan_is_not_kept_against_a_breaker_that_closes():
    healths = {1: out("failures")}
    context = a_routing_context()
    context.health_of = lambda way: healths.get(way, HealthStatus(False, 1.0, None))
    assert plan_for("acme/one", CHAT, context).candidates[0].health.is_open
    healths.clear()
    assert plan_for("acme/one", CHAT, context).candidates[0].offering.id == 1
    healths[1] = out("staff")
    with pytest.raises(Unavailable):
        plan_for("acme/one", CHAT, context)


@pytest.mark.parametrize("count", [1, 2])
def test_calls_still_go_to_the_only_ones_that_there_are_and_find_them_well_again(count):
    with ScriptedProvider() as provider:
        made = tuple(an_offering(number, provider_id=number) for number in range(1, count + 1))
        providers = [a_provider(number, base_url=provider.base_url) for number in range(1, count + 1)]
        with running_edge([a_model(offerings=made)], providers) as edge:
            while not all(_is_open(edge, number) for number in range(1, count + 1)):
                provider.script("503")
                edge.chat()
            asked = len(provider.calls)
            answer = edge.chat()
            assert (answer.status_code, len(provider.calls)) == (200, asked + 1), answer.text


def _is_open(edge, way):
    return edge.process.services.health.status(way, time.monotonic()).is_open


def test_refusal_tells_when_the_first_of_those_kept_out_may_be_asked_again():
    healths = {1: HealthStatus(True, 1.0, None, "credential", pause_s=90.0)}
    healths[2] = HealthStatus(True, 1.0, None, "retry_after", pause_s=25.5)
    with pytest.raises(Unavailable) as refusal:
        plan_for("acme/one", CHAT, a_routing_context(TWO, healths=healths))
    assert refusal.value.retry_after_s == 25.5
