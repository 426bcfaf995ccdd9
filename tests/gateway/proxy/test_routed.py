"""Named routes as a call's choices, and what an answer's headers say of how its model was chosen."""

from datetime import timedelta

import pytest

from catalogue.facts import MemberConditions, ModelFacts, RouteMember
from gateway.proxy.errors import InvalidRequest, NotFound
from gateway.proxy.routing.plan import plan_route
from gateway.proxy.routing.request import RouteRequest
from gateway.proxy.routing.telling import headers_by_answerer
from providers.operations.base import Requirements
from tests.gateway.proxy.values import AT, a_key, a_model, a_price, a_routing_context, an_offering

CHAT = Requirements("chat.completions")
ONE = a_model("acme/one", offerings=(an_offering(1), an_offering(2, provider_id=2)))
TWO = a_model("acme/two", offerings=(an_offering(3),))
OLD = a_model("acme/old", retirement_at=AT, successor_id="acme/two", offerings=())
LEAVING = a_model("acme/leaving", deprecation_at=AT - timedelta(days=1), offerings=(an_offering(4),))


def a_route(*members, **facts):
    return ModelFacts("house/fast", "Fast", members=tuple(members), aliases=("fast",), **facts)


def decide(*names, route, key=None, needs=CHAT, draw=0.0):
    context = a_routing_context(route, ONE, TWO, OLD, LEAVING, key=key)
    context.draw = draw
    return plan_route(RouteRequest(names, needs), context), context


def ways(plan):
    return [(candidate.offering.id, candidate.rank) for candidate in plan.candidates]


TIERS = a_route(RouteMember("acme/one", "provider-2"), RouteMember("acme/two", tier=1))


@pytest.mark.parametrize(
    ("name", "planned"),
    [
        ("house/fast", [(2, 0), (3, 1)]),
        ("fast", [(2, 0), (3, 1)]),
        ("provider-1:house/fast", [(3, 0)]),
    ],
)
def test_a_routes_members_are_tried_in_their_order_at_their_providers(name, planned):
    route = a_route(*TIERS.members, offerings=(*ONE.offerings, *TWO.offerings))
    plan, _ = decide(name, route=route)
    assert ways(plan) == planned


def test_the_draw_decides_between_members_of_one_tier():
    route = a_route(RouteMember("acme/one", "provider-1", weight=3), RouteMember("acme/two"))
    assert [decide("fast", route=route, draw=draw)[0].model.id for draw in (0.0, 0.7, 0.8)] == [
        "acme/one",
        "acme/one",
        "acme/two",
    ]


def test_a_route_may_stand_among_other_choices():
    plan, context = decide("acme/leaving", "fast", "acme/one", route=TIERS)
    assert ways(plan) == [(4, 0), (2, 1), (3, 2), (1, 3)]
    told = headers_by_answerer(plan, context)
    assert [name for name, _ in told["provider-1", "acme/leaving"]] == [b"deprecation"]
    assert told["provider-2", "acme/one"] == [
        (b"x-gateway-route", b"house/fast"),
        (b"x-gateway-fallback-from", b"acme/leaving"),
    ]
    assert told["provider-1", "acme/one"] == [(b"x-gateway-fallback-from", b"acme/leaving")]


def test_a_route_alone_is_no_fallback():
    plan, context = decide("fast", route=TIERS)
    assert headers_by_answerer(plan, context)["provider-1", "acme/two"] == [
        (b"x-gateway-route", b"house/fast")
    ]


def test_a_member_at_the_end_of_its_life_is_passed_over_or_redirected():
    route = a_route(RouteMember("acme/old"), RouteMember("acme/one", "provider-1", tier=1))
    plan, _ = decide("fast", route=route)
    assert ways(plan) == [(1, 0)]
    assert [each.name for each in plan.passed_over] == ["acme/old"]
    plan, context = decide("fast", route=route, key=a_key(lifecycle_policy="redirect"))
    assert ways(plan) == [(3, 0), (1, 1)]
    assert (b"x-gateway-redirected-from", b"acme/old") in headers_by_answerer(plan, context)[
        "provider-1", "acme/two"
    ]


def test_members_that_a_key_may_not_call_are_no_choice_of_its():
    plan, _ = decide("fast", route=TIERS, key=a_key(model_patterns=("house/*", "acme/two")))
    assert ways(plan) == [(3, 0)]
    with pytest.raises(InvalidRequest, match="No member of the route 'fast'") as refusal:
        decide("fast", route=TIERS, key=a_key(model_patterns=("house/*",)))
    assert (refusal.value.error_code, refusal.value.param) == ("no_route_member", "model")
    with pytest.raises(NotFound):
        decide("fast", route=TIERS, key=a_key(model_patterns=("acme/*",)))


def test_a_plan_of_a_route_is_drawn_anew_for_each_call():
    """One with a single candidate, too: its conditions and its draw may say otherwise of the next request."""
    streamed = RouteMember("acme/two", conditions=MemberConditions(is_streamed=True))
    route = a_route(streamed, RouteMember("acme/leaving", conditions=MemberConditions(is_streamed=False)))
    context = a_routing_context(route, ONE, TWO, OLD, LEAVING)
    for is_streamed, planned in ((True, "acme/two"), (False, "acme/leaving"), (True, "acme/two")):
        needs = Requirements("chat.completions", is_streamed)
        assert plan_route(RouteRequest(("fast",), needs), context).model.id == planned


def test_a_route_of_several_models_embeds_nothing():
    needs = Requirements("embeddings")
    with pytest.raises(InvalidRequest, match="it has several") as refusal:
        decide("fast", route=TIERS, needs=needs)
    assert refusal.value.error_code == "model_required"


def test_a_route_of_one_model_at_several_providers_embeds():
    embeds = {"endpoints": frozenset({"embeddings"})}
    model = a_model("acme/e", offerings=(an_offering(1, **embeds), an_offering(2, provider_id=2, **embeds)))
    route = a_route(RouteMember("acme/e", "provider-2"), RouteMember("acme/e", "provider-1", tier=1))
    plan = plan_route(RouteRequest(("fast",), Requirements("embeddings")), a_routing_context(model, route))
    assert ways(plan) == [(2, 0), (1, 1)]


def test_of_routes_that_are_all_closed_the_first_is_named():
    routes = [ModelFacts(f"house/{name}", name, members=(RouteMember("acme/two"),)) for name in ("a", "b")]
    context = a_routing_context(*routes, TWO, key=a_key(model_patterns=("house/*",)))
    with pytest.raises(InvalidRequest, match="No member of the route 'house/a' is for this request"):
        plan_route(RouteRequest(("house/a", "house/b"), CHAT), context)


def test_a_route_may_stand_in_for_a_retired_model():
    old = a_model("acme/older", retirement_at=AT, successor_id="house/fast", offerings=())
    context = a_routing_context(old, TIERS, ONE, TWO, key=a_key(lifecycle_policy="redirect"))
    plan = plan_route(RouteRequest(("acme/older",), CHAT), context)
    assert (ways(plan), plan.retired.id) == ([(2, 0), (3, 1)], "acme/older")


def test_a_suffix_holds_for_every_member():
    free = a_model("acme/free", offerings=(an_offering(7, prices=(a_price("input_text_tokens", "0"),)),))
    route = a_route(RouteMember("acme/one"), RouteMember("acme/free", tier=1))
    plan = plan_route(RouteRequest(("fast:free",), CHAT), a_routing_context(route, ONE, free))
    assert ways(plan) == [(7, 1)]


def test_auto_chooses_no_route():
    route = a_route(*TIERS.members, offerings=(*ONE.offerings, *TWO.offerings))
    plan, _ = decide("auto", route=route)
    assert sorted((each.offering.id, each.model.id) for each in plan.candidates) == [
        (1, "acme/one"),
        (2, "acme/one"),
        (3, "acme/two"),
        (4, "acme/leaving"),
    ]
