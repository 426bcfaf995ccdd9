"""Which plans are kept for the calls that follow, and what makes a call find its way anew."""

from dataclasses import replace
from datetime import timedelta

import pytest

from catalogue.facts import ModelFacts, RouteMember
from gateway.proxy.errors import GatewayError, InvalidRequest, ModelRetired, NotFound, Unavailable
from gateway.proxy.routing import plan as plans
from gateway.proxy.routing.plan import plan_route
from gateway.proxy.routing.preferences import ProviderPreferences
from gateway.proxy.routing.prospects import prospects_of
from gateway.proxy.routing.request import RouteRequest
from providers.facts import CredentialFacts
from providers.health import HealthStatus
from providers.operations.base import Requirements
from providers.operations.registry import operation_of
from providers.wire.call import Call
from tests.gateway.proxy.values import (
    AT,
    HEALTHY,
    a_key,
    a_model,
    a_provider,
    a_routing_context,
    an_offering,
    plan_for,
)

CHAT = Requirements("chat.completions")
HOUR = timedelta(hours=1)
OPEN = HealthStatus(is_open=True, success_rate=0.1, latency_ms=None, cause="staff")
OLD = a_model("acme/old", retirement_at=AT, successor_id="acme/one", offerings=())


def plan(context, *names, **wishes):
    return plan_route(RouteRequest(names or ("acme/one",), CHAT, **wishes), context)


def test_calls_for_a_model_with_one_offering_share_a_plan():
    context = a_routing_context()
    assert plan(context) is plan(context)


def test_a_plan_is_shared_from_the_instant_at_which_it_begins_to_hold_until_the_next():
    context = a_routing_context(a_model(offerings=(an_offering(effective_from=AT, effective_to=AT + HOUR),)))
    first = plan(context)
    assert plan(context) is first
    context.at = AT + HOUR - timedelta(microseconds=1)
    assert plan(context) is first
    context.at = AT + HOUR
    with pytest.raises(Unavailable):
        plan(context)
    context.at = AT - timedelta(microseconds=1)
    with pytest.raises(Unavailable):
        plan(context)


def test_a_shared_plan_holds_for_its_key_as_it_was():
    context = a_routing_context()
    plan(context)
    context.key = replace(context.key, model_patterns=("acme/two",))
    with pytest.raises(NotFound):
        plan(context)


def test_a_shared_plan_holds_for_calls_that_wish_nothing():
    context = a_routing_context()
    plan(context)
    with pytest.raises(InvalidRequest, match=r"left by 'provider\.only'"):
        plan(context, preferences=ProviderPreferences(only=("provider-2",)))


def test_a_call_that_wishes_something_leaves_no_plan_to_others():
    context = a_routing_context()
    wished = plan(context, preferences=ProviderPreferences(only=("provider-1",)))
    assert plan(context) is not wished


def test_a_breaker_that_opens_ends_a_shared_plan():
    healths = {}
    context = a_routing_context()
    context.health_of = lambda way: healths.get(way, HEALTHY)
    plan(context)
    healths[1] = OPEN
    with pytest.raises(Unavailable):
        plan(context)


def test_what_stands_against_the_only_offering_is_asked_for_each_call():
    context = a_routing_context(a_model(offerings=(an_offering(1, context_length=9),)))
    short, long = (Requirements("chat.completions", input_tokens=tokens) for tokens in (9, 10))
    assert plan_for("acme/one", short, context)
    with pytest.raises(InvalidRequest, match="so long an input"):
        plan_for("acme/one", long, context)


PLAIN = Requirements("chat.completions", call=Call("chat.completions", {}))


@pytest.mark.parametrize(
    ("offering", "asked", "wishes"),
    [
        ({"context_length": 9}, {"input_tokens": 10}, {}),
        ({"params": frozenset({"tools"})}, {"params": frozenset({"logprobs"})}, {}),
        ({}, {"input_types": frozenset({"image"})}, {}),
        ({}, {}, {"min_reasoning_level": "low"}),
        ({"streams": False}, {"is_streamed": True}, {}),
    ],
)
def test_a_shared_plan_is_for_what_its_offering_can_do(offering, asked, wishes):
    context = a_routing_context(
        a_model(input_types=frozenset({"text"}), offerings=(an_offering(**offering),))
    )
    assert plan_for("acme/one", PLAIN, context) is plan_for("acme/one", PLAIN, context)
    with pytest.raises(InvalidRequest):
        plan_for("acme/one", replace(PLAIN, **asked), context, **wishes)


def test_a_shared_plan_is_for_calls_whose_cost_is_known_where_a_budget_asks():
    context = a_routing_context()
    shared = plan_for("acme/one", PLAIN, context)
    context.is_priced = lambda offering: True
    assert plan_for("acme/one", PLAIN, context) is shared
    context.is_priced = lambda offering: False
    with pytest.raises(GatewayError, match="price"):
        plan_for("acme/one", PLAIN, context)


def test_a_shared_plan_is_not_for_calls_of_an_open_breaker():
    context = a_routing_context()
    plan_for("acme/one", PLAIN, context)
    context.health_of = lambda way: OPEN
    with pytest.raises(Unavailable):
        plan_for("acme/one", PLAIN, context)


def test_a_shared_plan_of_embeddings_is_for_those_that_can_be_made():
    offering = an_offering(endpoints=frozenset({"embeddings"}))
    context = a_routing_context(a_model(offerings=(offering,)), providers=(a_provider(wire_format="voyage"),))
    texts, numbers = (
        operation_of("embeddings").requirements(Call("embeddings", {"model": "acme/one", "input": given}))
        for given in ("hi", [[1, 2], [3]])
    )
    assert plan_for("acme/one", texts, context)
    with pytest.raises(InvalidRequest):
        plan_for("acme/one", numbers, context)


def test_a_plan_had_a_choice_where_another_offering_stood_beside_its_first():
    alone = plan(a_routing_context())
    two = a_routing_context(a_model(offerings=(an_offering(1), an_offering(2, position=1))))
    both = plan(two)
    two.health_of = {1: OPEN, 2: HEALTHY}.__getitem__
    assert [alone.has_choice, both.has_choice, plan(two).has_choice] == [False, True, True]


def test_nothing_more_could_have_been_chosen_where_a_model_is_named():
    found = plans.survey_route(RouteRequest(("acme/one",), CHAT), a_routing_context(), is_whole=True)
    assert found.more == 0


@pytest.mark.parametrize("second", [{}, {"provider_id": 2}])
def test_where_there_are_several_each_call_looks_at_their_health(second):
    healths = {}
    context = a_routing_context(a_model(offerings=(an_offering(1), an_offering(2, position=1, **second))))
    context.health_of = lambda way: healths.get(way, HEALTHY)
    assert [each.offering.id for each in plan(context).candidates] == [1, 2]
    healths[1] = OPEN
    assert [each.offering.id for each in plan(context).candidates] == [2]
    healths.clear()
    assert [each.offering.id for each in plan(context).candidates] == [1, 2]


def test_a_successor_gives_way_to_the_one_that_is_released_before_it():
    """A kept plan holds by the instants of the model that answers: it knows of no other one's release."""
    between = a_model("acme/two", release_at=AT + HOUR, successor_id="acme/one", offerings=(an_offering(2),))
    old = replace(OLD, successor_id="acme/two")
    context = a_routing_context(a_model(), between, old, key=a_key(lifecycle_policy="redirect"))
    assert plan(context, "acme/old").model.id == "acme/one"
    context.at = AT + HOUR
    assert plan(context, "acme/old").model.id == "acme/two"


def test_where_the_team_has_a_credential_each_call_looks_at_its_breaker():
    healths = {}
    own = CredentialFacts(7, 1, "own", "only", "secret")
    context = a_routing_context()
    context.snapshot = replace(context.snapshot, credentials={1: {1: (own,)}})
    context.health_of = lambda way: healths.get(way, HEALTHY)
    assert [each.way for each in plan(context).candidates] == ["1:7"]
    healths["1:7"] = OPEN
    with pytest.raises(Unavailable):
        plan(context)


def test_no_more_plans_are_kept_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(plans, "_MOST_PREPARED", 3)
    models = [a_model(f"acme/{number}", offerings=(an_offering(number),)) for number in range(3)]
    context = a_routing_context(*models)
    kept = []
    for model in models:
        plan(context, model.id)
        kept.append(len(context.snapshot.prepared))
    # Each time what is known of the model, and its plan; with the third all others make room.
    assert kept == [2, 4, 1]


ROUTE = ModelFacts("house/fast", "Fast", members=(RouteMember("acme/one"),))


@pytest.mark.parametrize(
    ("names", "varies", "is_told", "retired"),
    [
        (("acme/one",), False, False, None),
        (("acme/one", "acme/two"), True, True, None),
        (("acme/gone", "acme/one"), True, True, None),
        (("auto",), True, True, None),
        (("house/fast",), True, True, None),
        (("acme/old",), False, True, "acme/old"),
        (("acme/old", "acme/two"), True, True, "acme/old"),
        (("acme/two", "acme/old"), True, True, None),
        (("acme/ageing",), False, True, None),
    ],
)
def test_what_is_told_of_an_answer_depends_on_who_answers_or_on_what_the_model_came_to(
    names, varies, is_told, retired
):
    context = a_routing_context(
        a_model(),
        a_model("acme/two", offerings=(an_offering(2),)),
        a_model("acme/gone", release_at=AT + HOUR, offerings=(an_offering(3),)),
        a_model("acme/ageing", deprecation_at=AT, offerings=(an_offering(4),)),
        OLD,
        ROUTE,
        key=a_key(lifecycle_policy="redirect"),
    )
    found = plan(context, *names)
    assert (found.varies, found.is_told, found.asked) == (varies, is_told, names[0])
    assert (found.retired and found.retired.id) == retired


def test_what_a_redirect_could_not_do_is_told_of_the_successor():
    new = a_model(offerings=(an_offering(streams=False),))
    context = a_routing_context(new, OLD, key=a_key(lifecycle_policy="redirect"))
    with pytest.raises(ModelRetired, match="No provider of model 'acme/one'"):
        plan_for("acme/old", Requirements("chat.completions", True), context)


def test_what_is_true_of_a_models_offerings_is_kept_from_the_very_instant_on():
    model = a_model(release_at=AT)
    snapshot = a_routing_context(model).snapshot
    made = prospects_of(model, "chat.completions", snapshot, AT)
    assert (made.since, prospects_of(model, "chat.completions", snapshot, AT) is made) == (AT, True)
