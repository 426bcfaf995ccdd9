"""What is told of a plan, to the last number."""

import pytest

from gateway.proxy.routing.plan import plan_route
from gateway.proxy.routing.request import RouteRequest
from gateway.proxy.routing.trace import trace_of
from providers.health import HealthStatus
from providers.operations.base import Requirements
from tests.gateway.proxy.values import a_model, a_routing_context, an_offering, plan_for

CHAT = Requirements("chat.completions")


def a_plan(count=2, out=0, **facts):
    """Of one model: so many candidates, and so many more that cannot stream."""
    offerings = [an_offering(number, streams=number <= count) for number in range(1, count + out + 1)]
    context = a_routing_context(a_model(offerings=tuple(offerings)), **facts)
    return plan_for("acme/one", Requirements("chat.completions", is_streamed=True), context)


@pytest.mark.parametrize(
    ("most", "shown", "more"),
    [(1, (1, 1), (2, 1)), (2, (2, 2), (1, 0)), (3, (3, 2), (0, 0)), (9, (3, 2), (0, 0))],
)
def test_what_is_not_shown_is_counted(most, shown, more):
    trace = trace_of(a_plan(3, 2), most)
    [stage] = trace["stages"]
    assert (len(trace["order"]), len(stage["dropped"])) == shown
    assert trace["more"] == {"order": more[0], "dropped": more[1]}


def test_what_auto_did_not_look_at_is_counted_too():
    models = [a_model(f"acme/{number}", offerings=(an_offering(number),)) for number in range(1, 31)]
    trace = trace_of(plan_for("auto", CHAT, a_routing_context(*models)), 20)
    assert (len(trace["order"]), trace["more"]) == (20, {"order": 10, "dropped": 0})
    assert trace["choices"] == [{"name": "auto", "model": None, "redirected_from": None}]


def test_a_candidate_is_told_with_what_it_was_ordered_by():
    healths = {1: HealthStatus(False, 0.98765, 123.456)}
    first, second = sorted(trace_of(a_plan(healths=healths))["order"], key=lambda told: told["way"])
    assert (first["success_rate"], first["latency_ms"]) == (0.988, 123.5)
    assert (second["success_rate"], second["latency_ms"]) == (1.0, None)


def test_a_candidate_of_which_nothing_is_known_is_told_without():
    plan = a_plan(1)
    plan.candidates[0].health = None
    [told] = trace_of(plan)["order"]
    assert (told["success_rate"], told["latency_ms"]) == (None, None)


@pytest.mark.parametrize(("kept_at", "told"), [(2, "2"), (None, None)])
def test_who_keeps_the_prompt_is_told(kept_at, told):
    context = a_routing_context(a_model(offerings=(an_offering(1), an_offering(2))))
    context.affinity = {b"m": kept_at}.get
    trace = trace_of(plan_route(RouteRequest(("acme/one",), CHAT, prompt_mark=b"m"), context))
    assert (trace["affinity"], trace["choices"][0]["model"]) == (told, "acme/one")
