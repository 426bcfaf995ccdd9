"""The sets that `auto` looks through spare exactly those that would fall out, and give the others in their order.

What they would let through falls out later all the same: it only costs a look. Of hundreds there is no time for that.
"""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from accounts.floors import Floor
from accounts.restrictions import Restrictions
from gateway.proxy.errors import GatewayError
from gateway.proxy.routing import auto
from gateway.proxy.routing.auto import MOST, MOST_WEIGHED, field_of, is_ready
from gateway.proxy.routing.ordering import TIERS, is_sick, nearness, usual_cost_usd
from gateway.proxy.routing.places import places_for
from gateway.proxy.routing.plan import plan_route
from gateway.proxy.routing.preferences import NO_PREFERENCES, ProviderPreferences
from gateway.proxy.routing.request import LEVELS, RouteRequest
from gateway.proxy.routing.resolve import resolve_models
from providers.facts import CredentialFacts
from providers.health import HealthStatus
from providers.operations.base import Requirements
from providers.operations.registry import operation_of
from providers.wire.call import Call
from tests.gateway.proxy.test_auto import CHAT, a_world, may_serve
from tests.gateway.proxy.values import (
    AT,
    HEALTHY,
    a_key,
    a_model,
    a_price,
    a_provider,
    a_routing_context,
    an_offering,
    plan_for,
)

NEEDS = Requirements(CHAT)
SEEDS = range(120)


def able_for(request, context):
    """The ids of those in the set of a request."""
    [choice], _ = resolve_models(request.names, CHAT, context)
    found, wishes = field_of(CHAT, context), request.preferences.narrowed_by(context.key)
    able = found.able(choice, request, wishes, context.key)
    return {row.offering.id for number, row in enumerate(found.rows) if able >> number & 1}


def planned(context, needs=NEEDS, name="auto", **wishes):
    return [each.offering.id for each in plan_for(name, needs, context, **wishes).candidates]


def many(count, start=1, **facts):
    """As many models of one offering, of the ids from `start` on."""
    return [
        a_model(f"acme/{number}", offerings=(an_offering(number, **facts),))
        for number in range(start, start + count)
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_set_holds_exactly_what_the_catalogue_does_not_rule_out(seed):
    request, context = a_world(seed)
    context.health_of = lambda _: HEALTHY
    wanted = {
        offering.id
        for model in context.snapshot.models.values()
        for offering in model.offerings
        if may_serve(model, offering, request, context)
    }
    try:
        assert able_for(request, context) == wanted
    except GatewayError:
        assert not wanted


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_is_by_sickness_level_and_nearness(seed):
    _, context = a_world(seed)
    dice = random.Random(seed)
    room = {number: dice.choice((0.1, 0.6, 1.0)) for number in range(100)}
    if seed % 2:
        context.headroom_of = lambda offering: room[offering.id]
    found = field_of(CHAT, context)
    found.learn_order(context)
    able = dice.getrandbits(len(found.rows)) if found.rows else 0
    effort = dice.choice(("", *LEVELS))

    def key(numbered):
        row = numbered[1]
        health = context.health_of(row.offering.id)
        headroom = room[row.offering.id] if seed % 2 else 1.0
        place = nearness(row.candidate, health, headroom, usual_cost_usd(row.candidate.tariff))
        return is_sick(row.provider, health), TIERS[effort][row.model.reasoning_tier], place

    wanted = sorted(enumerate(found.rows), key=key)
    wanted = [(key((number, row))[0], row.offering.id) for number, row in wanted if able >> number & 1]
    given = [
        (sick, row.offering.id) for sick in (False, True) for row in found.in_order(able, effort, sick=sick)
    ]
    assert given == wanted


@pytest.mark.parametrize(("tokens", "able"), [(0, {1, 2}), (50, {1, 2}), (51, {2}), (90, {2}), (91, set())])
def test_where_every_window_is_known_what_is_too_long_is_for_nobody(tokens, able):
    models = [*many(1, context_length=50), *many(1, 2, context_length=90)]
    request = RouteRequest(("auto",), Requirements(CHAT, input_tokens=tokens))
    assert able_for(request, a_routing_context(*models)) == able


@pytest.mark.parametrize(
    ("preferences", "able"),
    [
        (ProviderPreferences(only=("nobody",)), set()),
        (ProviderPreferences(only=()), set()),
        (ProviderPreferences(only=("nobody", "provider-2")), {2}),
        (ProviderPreferences(ignore=("nobody",)), {1, 2}),
        (ProviderPreferences(ignore=("provider-1",)), {2}),
        (NO_PREFERENCES, {1, 2}),
    ],
)
def test_a_provider_that_serves_nothing_there_changes_nothing(preferences, able):
    models = [*many(1), *many(1, 2, provider_id=2)]
    assert able_for(RouteRequest(("auto",), NEEDS, preferences), a_routing_context(*models)) == able


def test_a_provider_that_is_pinned_and_serves_nothing_there_leaves_nobody():
    context = a_routing_context(*many(2), providers=(a_provider(1), a_provider(2)))
    assert able_for(RouteRequest(("provider-2:auto",), NEEDS), context) == set()


def test_a_level_that_no_model_has_is_had_by_nobody():
    context = a_routing_context(a_model(reasoning_tier="low"))
    for level, able in (("low", {1}), ("medium", set()), ("high", set())):
        assert able_for(RouteRequest(("auto",), NEEDS, min_reasoning_level=level), context) == able


@pytest.mark.parametrize(
    ("facts", "able"),
    [
        ({}, {1, 2}),
        ({"model_patterns": ("acme/2",)}, {2}),
        ({"restrictions": Restrictions(denied_models=("acme/2",))}, {1}),
        ({"restrictions": Restrictions(denied_models=("acme/*",))}, set()),
    ],
)
def test_a_set_of_a_key_is_made_once_and_anew_for_a_key_that_changed(facts, able):
    context = a_routing_context(*many(2), key=a_key(model_patterns=("acme/1",)))
    assert able_for(RouteRequest(("auto",), NEEDS), context) == {1}
    kept = field_of(CHAT, context).by_key
    made = kept[1]
    able_for(RouteRequest(("auto",), NEEDS), context)
    assert kept[1] is made
    context.key = a_key(**facts)
    assert able_for(RouteRequest(("auto",), NEEDS), context) == able
    assert (kept[1] is made) is (not facts)


@pytest.mark.parametrize(
    ("kept", "after"), [(auto._MOST_FLOORS - 1, auto._MOST_FLOORS), (auto._MOST_FLOORS, 1)]
)
def test_no_more_sets_are_kept_than_there_is_room_for(kept, after):
    context = a_routing_context(*many(2))
    found = field_of(CHAT, context)
    found.by_floor.update((Floor(regions=((str(number),),)), 0) for number in range(kept))
    able_for(RouteRequest(("auto",), NEEDS, ProviderPreferences(regions=("eu",))), context)
    assert len(found.by_floor) == after


@pytest.mark.parametrize(
    ("later_s", "is_kept"),
    [(-1.0, False), (-0.5, False), (0.0, True), (0.5, True), (0.999, True), (1.0, False), (1.001, False)],
)
def test_the_order_is_kept_for_a_second(later_s, is_kept):
    context = a_routing_context(*many(2))
    found = field_of(CHAT, context)
    found.learn_order(context)
    order = found.order
    found.learn_order(replace(context, at=AT + timedelta(seconds=later_s)))
    assert (found.order is order) is is_kept


def test_the_sets_hold_from_the_very_instant_for_which_they_were_made():
    soon = a_model("acme/soon", release_at=AT, offerings=(an_offering(1),))
    context = a_routing_context(soon)
    field_of(CHAT, context)
    assert field_of(CHAT, context).since == AT
    assert is_ready(CHAT, context)


def test_the_one_that_keeps_the_prompt_is_looked_at_first_wherever_it_stands():
    context = a_routing_context(*many(MOST + 6))
    context.affinity = {b"m": MOST + 6, b"low": 3}.get
    assert planned(context, prompt_mark=b"m") == [MOST + 6, *range(1, MOST)]
    assert planned(context, prompt_mark=b"low") == [3, 1, 2, *range(4, MOST + 1)]


def test_one_that_keeps_the_prompt_and_cannot_do_the_request_is_not_looked_at():
    context = a_routing_context(*many(2), *many(1, 3, streams=False), *many(1, 4))
    context.affinity = {b"m": 3, b"gone": 99}.get
    needs = Requirements(CHAT, is_streamed=True)
    plan = plan_for("auto", needs, context, prompt_mark=b"m")
    assert ([each.offering.id for each in plan.candidates], plan.dropped) == ([1, 2, 4], ())
    assert planned(context, needs, prompt_mark=b"gone") == [1, 2, 4]


@pytest.mark.parametrize(
    ("name", "found"), [("auto:cheap", range(30, 30 - MOST, -1)), ("auto:fast", range(1, MOST + 1))]
)
def test_what_is_wished_is_looked_for_among_all(name, found):
    """The last ones are the cheapest, and the first the fastest."""
    models = [
        model
        for number in range(1, 31)
        for model in many(1, number, prices=(a_price("output_text_tokens", str(100 - number)),))
    ]
    healths = {n: HealthStatus(False, 1.0, 100.0, tokens_per_s=100.0 - n) for n in range(1, 31)}
    assert planned(a_routing_context(*models, healths=healths), name=name) == [*found]


def test_the_cheapest_may_be_the_one_that_keeps_the_prompt():
    prices = (a_price("input_text_tokens", "10"), a_price("cached_read_text_tokens", "1"))
    context = a_routing_context(*many(MOST + 1, prices=prices))
    context.affinity = {b"m": MOST + 1}.get
    needs = Requirements(CHAT, input_tokens=5_000)
    assert planned(context, needs, "auto:cheap", prompt_mark=b"m")[0] == MOST + 1


@pytest.mark.parametrize("seed", [0, 1])
def test_what_is_full_comes_last_and_is_counted_where_it_is_too_many(seed):
    context = a_routing_context(*many(MOST + 6))
    context.headroom_of = lambda offering: 0.0 if seed else float(offering.id > 3)
    plan = plan_for("auto", NEEDS, context)
    ids = [each.offering.id for each in plan.candidates]
    assert ids == (list(range(1, MOST + 1)) if seed else list(range(4, MOST + 4)))
    assert plan.more == 6


def losing_and(count, *others):
    """So many offerings that lose a request's seed, then these that do not: in this order."""
    providers = (a_provider(1, wire_format="anthropic"), a_provider(2, wire_format="gemini"))
    models = [*many(count, provider_id=1), *(many(1, number, provider_id=2)[0] for number in others)]
    call = Call(CHAT, {"messages": [{"role": "user", "content": "x"}], "seed": 1})
    return a_routing_context(*models, providers=providers), operation_of(CHAT).requirements(call)


@pytest.mark.parametrize("losing", [1, MOST - 1, MOST, MOST_WEIGHED - 1])
def test_what_loses_nothing_is_found_behind_many_that_lose_something(losing):
    context, needs = losing_and(losing, losing + 1)
    assert planned(context, needs) == [losing + 1, *range(1, min(losing, MOST - 1) + 1)]


def test_what_loses_nothing_is_not_looked_for_behind_too_many():
    context, needs = losing_and(MOST_WEIGHED, MOST_WEIGHED + 1)
    assert planned(context, needs) == list(range(1, MOST + 1))


@pytest.mark.parametrize(("fit", "found"), [(MOST - 1, True), (MOST, False)])
def test_where_too_few_can_do_it_at_all_it_is_looked_for_further(fit, found):
    context, needs = losing_and(MOST_WEIGHED, MOST_WEIGHED + 1)
    broken = HealthStatus(is_open=True, success_rate=1.0, latency_ms=None, cause="credential")
    out = range(1, MOST_WEIGHED - fit + 1)
    context.health_of = lambda way: broken if way in out else HEALTHY
    assert (MOST_WEIGHED + 1 in planned(context, needs)) is found


def test_nobody_is_looked_at_once_there_are_enough():
    broken = HealthStatus(is_open=True, success_rate=1.0, latency_ms=None, cause="credential")
    context = a_routing_context(*many(MOST + 1), healths={MOST + 1: broken})
    plan = plan_for("auto", NEEDS, context)
    assert (len(plan.candidates), plan.dropped, plan.more) == (MOST, (), 1)


def test_where_a_credential_leads_to_a_region_its_offering_is_asked_one_by_one():
    models = [*many(1, regions=("us",)), *many(1, 2, regions=("us",), provider_id=2)]
    key = CredentialFacts(7, 0, "eu", "after", "s", region="eu")
    context = a_routing_context(*models)
    context.snapshot = type(context.snapshot).of(
        models, context.snapshot.providers, revision=2, credentials={0: {1: (key,)}}
    )
    request = RouteRequest(("auto",), NEEDS, ProviderPreferences(regions=("eu",)))
    assert places_for(request.preferences, context.snapshot, 1) is not None
    assert [each.way for each in plan_route(request, context).candidates] == ["1:7"]
