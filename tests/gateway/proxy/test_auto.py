"""Whatever is chosen by sets is what looking at each offering would choose; and no filter ever falls open.

Random catalogues, healths, keys and requests, the same in every run, against a plain description of the rules.
"""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from accounts.floors import Floor
from accounts.restrictions import Restrictions
from catalogue.published.snapshot import Snapshot
from gateway.proxy.errors import GatewayError
from gateway.proxy.routing.auto import MOST, is_ready
from gateway.proxy.routing.ordering import TIERS
from gateway.proxy.routing.plan import plan_route, survey_route
from gateway.proxy.routing.preferences import NO_PREFERENCES, ProviderPreferences
from gateway.proxy.routing.request import LEVELS, RouteRequest
from providers.facts import CredentialFacts
from providers.health import HealthStatus
from providers.operations.base import Requirements
from providers.operations.parameters import declares
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

CHAT = "chat.completions"
PARAMS = ("tools", "response_format", "structured_outputs", "logprobs", "temperature")
SEEDS = range(150)


def a_world(seed):
    """A context with a catalogue, a key and healths, and a request; all at random, small and full of odd things."""
    dice = random.Random(seed)
    providers = tuple(
        a_provider(
            number,
            is_enabled=dice.random() > 0.1,
            is_usable=dice.random() > 0.1,
            health=dice.choice(("unknown", "healthy", "unhealthy")),
            wire_format=dice.choice((*["openai", "anthropic"] * 5, "voyage")),
        )
        for number in range(1, 6)
    )
    models, healths, number = [], {}, 0
    for index in range(dice.randint(3, 14)):
        offerings = []
        for _ in range(dice.randint(0, 6)):
            number += 1
            offerings.append(_an_offering(dice, number))
            if dice.random() < 0.4:
                healths[number] = HealthStatus(
                    dice.random() < 0.3,
                    dice.choice((1.0, 0.96, 0.8, 0.4)),
                    dice.choice((None, 90.0, 2_000.0)),
                )
        models.append(
            a_model(
                f"acme/{index}",
                aliases=(f"m{index}",) if dice.random() < 0.3 else (),
                input_types=dice.choice((frozenset(), frozenset({"text"}), frozenset({"text", "image"}))),
                context_length=dice.choice((None, 100, 1_000)),
                reasoning_tier=dice.choice((None, *LEVELS)),
                release_at=AT + timedelta(days=1) if dice.random() < 0.1 else None,
                deprecation_at=AT if dice.random() < 0.2 else None,
                retirement_at=AT if dice.random() < 0.1 else None,
                offerings=tuple(offerings),
            )
        )
    key = a_key(
        model_patterns=dice.choice((*[()] * 4, ("acme/1*", "m2"), ("*",))),
        lifecycle_policy=dice.choice(("advise", "block")),
        restrictions=dice.choice((*[None] * 3, Restrictions(denied_providers=("provider-1",)))),
        floor=dice.choice((*[None] * 6, Floor(regions=(("eu",),)), Floor(zero_retention=True))),
    )
    context = a_routing_context(*models, providers=providers, key=key, healths=healths)
    context.draw = dice.random()
    required = Requirements(
        CHAT,
        dice.random() < 0.5,
        frozenset(dice.sample(PARAMS, dice.choice((0, 0, 0, 0, 1, 2)))),
        dice.choice((*[frozenset()] * 6, frozenset({"image"}), frozenset({"audio"}))),
        input_tokens=dice.choice((0, 0, 50, 51, 100, 101, 999)),
    )
    request = RouteRequest(
        (dice.choice((*["auto"] * 8, "provider-2:auto", "auto:free", "auto:cheap", "auto:fast")),),
        required,
        dice.choice(
            (
                *[NO_PREFERENCES] * 8,
                ProviderPreferences(only=("provider-2", "provider-3")),
                ProviderPreferences(ignore=("provider-2",)),
                ProviderPreferences(no_data_collection=True),
                ProviderPreferences(quantizations=("fp8",)),
                ProviderPreferences(regions=("eu",)),
                ProviderPreferences(order=("provider-3",)),
            )
        ),
        min_reasoning_level=dice.choice((*[""] * 9, *LEVELS)),
        reasoning_effort=dice.choice((*[""] * 6, *LEVELS)),
    )
    return request, context


def _an_offering(dice, number):
    return an_offering(
        number,
        provider_id=dice.randint(1, 6),
        position=dice.randint(0, 2),
        is_enabled=dice.random() > 0.1,
        streams=dice.random() > 0.2,
        params=frozenset(dice.sample(PARAMS, dice.choice((0, 0, 0, 3, 5, 5)))),
        context_length=dice.choice((*[None] * 4, 50, 2_000)),
        endpoints=dice.choice((*[an_offering().endpoints] * 9, frozenset({"embeddings"}))),
        effective_from=AT + timedelta(days=1) if dice.random() < 0.1 else None,
        effective_to=AT if dice.random() < 0.1 else None,
        prices=dice.choice(
            (
                (),
                (a_price("input_text_tokens", "0"),),
                (a_price("input_text_tokens", "3"), a_price("output_text_tokens", "9")),
            )
        ),
        regions=dice.choice(((), ("eu",), ("us",))),
        zero_retention=dice.choice((None, True, False)),
        collects_data=dice.choice((None, True, False)),
        quantization=dice.choice((None, "fp8")),
    )


def may_serve(model, offering, request, context):
    """The rules as the documents have them, one after the other, for an offering of a model that nobody named."""
    return (
        _is_open(model, context)
        and _is_offered(offering, request, context)
        and _can(model, offering, request)
        and not context.health_of(offering.id).is_open
    )


def _is_open(model, context):
    key = context.key
    is_listed = model.is_listed(AT) and not (key.blocks_deprecated and model.deprecation_at)
    return is_listed and key.may_call(model.id, model.aliases)


def _is_offered(offering, request, context):
    provider = context.snapshot.providers.get(offering.provider_id)
    if provider is None or not context.snapshot.serves(offering, AT) or CHAT not in offering.endpoints:
        return False
    if provider.wire_format == "voyage":
        return False
    name, wishes, key = request.names[0], request.preferences, context.key
    if name.startswith("provider-2:") and provider.slug != "provider-2":
        return False
    if name.endswith(":free") and [price.amount for price in offering.prices] != [0]:
        return False
    if key.restrictions and provider.slug in key.restrictions.denied_providers:
        return False
    if (wishes.only is not None and provider.slug not in wishes.only) or provider.slug in wishes.ignore:
        return False
    is_eu = offering.regions == ("eu",)
    floor = key.floor or Floor()
    return (
        (is_eu or not (wishes.regions or floor.regions))
        and (offering.zero_retention is True or not floor.zero_retention)
        and (offering.collects_data is False or not wishes.no_data_collection)
        and (offering.quantization == "fp8" or not wishes.quantizations)
    )


def _can(model, offering, request):
    required = request.required
    window = offering.context_length or model.context_length
    least = request.min_reasoning_level or request.reasoning_effort
    level = LEVELS.index(model.reasoning_tier) if model.reasoning_tier else -1
    return (
        (offering.streams or not required.is_streamed)
        and (not model.input_types or required.input_types <= model.input_types)
        and (not window or required.input_tokens <= window)
        and (not least or level >= LEVELS.index(least))
        and (
            not offering.params
            or all(declares(offering.params, (), name, is_strict=False) for name in required.params)
        )
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_all_that_may_serve_are_candidates_and_nobody_else(seed):
    request, context = a_world(seed)
    able = {
        offering.id
        for model in context.snapshot.models.values()
        for offering in model.offerings
        if may_serve(model, offering, request, context)
    }
    try:
        plan = plan_route(request, context)
    except GatewayError:
        assert able == set()
        return
    assert {candidate.offering.id for candidate in plan.candidates} == able
    assert len(plan.candidates) == len(able)


@pytest.mark.parametrize("seed", range(60))
def test_a_whole_survey_tells_of_every_offering_that_auto_may_choose_from(seed):
    request, context = a_world(seed)
    plan = survey_route(request, context, True)
    told = [each.offering.id for each in plan.candidates]
    told += [drop.candidate.offering.id for drop in plan.dropped]
    asked = [
        offering.id
        for model in context.snapshot.models.values()
        for offering in model.offerings
        if _is_open(model, context)
    ]
    assert sorted(told) == sorted(asked)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_sick_come_last_and_levels_in_their_order(seed):
    request, context = a_world(seed)
    request = replace(request, preferences=NO_PREFERENCES, names=("auto",))
    context.key = a_key()
    try:
        plan = plan_route(request, context)
    except GatewayError:
        return
    places = [
        (
            context.health_of(each.way).success_rate < 0.75
            or context.snapshot.providers[each.offering.provider_id].health == "unhealthy",
            TIERS[request.reasoning_effort][each.model.reasoning_tier],
        )
        for each in plan.candidates
    ]
    assert places == sorted(places)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_model_that_is_named_is_never_refused_while_one_of_its_offerings_can_serve(seed):
    request, context = a_world(seed)
    for model in context.snapshot.models.values():
        named = replace(request, names=(model.id,), reasoning_effort="")
        able = {each.id for each in model.offerings if may_serve(model, each, named, context)}
        try:
            found = {each.offering.id for each in plan_route(named, context).candidates}
        except GatewayError:
            found = set()
        if _is_open(model, context):
            assert found == able


@pytest.mark.parametrize("seed", range(40))
def test_a_list_of_all_models_serves_what_any_of_them_can(seed):
    request, context = a_world(seed)
    context.key = replace(context.key, lifecycle_policy="advise", model_patterns=())
    models = context.snapshot.models
    everybody = replace(request, names=tuple(models), reasoning_effort="")
    able = [
        offering.id
        for model in models.values()
        for offering in model.offerings
        if may_serve(model, offering, everybody, context)
    ]
    try:
        plan = plan_route(everybody, context)
    except GatewayError:
        assert not able
    else:
        assert {each.offering.id for each in plan.candidates} == set(able)
        ranks = [each.rank for each in plan.candidates]
        assert ranks == sorted(ranks)


@pytest.mark.parametrize(
    ("draw", "leads"),
    # Of three, the better of two draws: five ninths, three ninths, one ninth.
    [(0.0, 1), (0.32, 1), (0.34, 1), (0.5, 2), (0.65, 2), (0.67, 1), (0.8, 2), (0.9, 3), (0.999, 3)],
)
def test_what_is_nearly_equal_shares_by_the_better_of_two_draws(draw, leads):
    offerings = [an_offering(number) for number in (1, 2, 3)]
    models = [a_model(f"acme/{each.id}", offerings=(each,)) for each in offerings]
    near = {n: HealthStatus(is_open=False, success_rate=1.0, latency_ms=100.0 + n) for n in (1, 2, 3)}
    context = a_routing_context(*models, healths=near)
    context.draw = draw
    plan = plan_for("auto", Requirements(CHAT), context)
    order = [candidate.offering.id for candidate in plan.candidates]
    assert order == [leads, *(number for number in (1, 2, 3) if number != leads)]
    assert plan.draw == draw


def test_every_one_that_is_nearly_equal_takes_part():
    models = [a_model(f"acme/{number}", offerings=(an_offering(number),)) for number in range(1, 11)]
    context, leads = a_routing_context(*models), []
    for step in range(1_000):
        context.draw = (step + 0.5) / 1_000
        leads.append(plan_for("auto", Requirements(CHAT), context).candidates[0].offering.id)
    assert set(leads) == set(range(1, 11))
    assert leads.count(1) == 190
    assert leads.count(10) == 10


@pytest.mark.parametrize("draw", [0.0, 0.5, 0.999])
def test_what_is_clearly_worse_takes_no_part(draw):
    slow = HealthStatus(is_open=False, success_rate=1.0, latency_ms=900.0)
    fast = HealthStatus(is_open=False, success_rate=1.0, latency_ms=90.0)
    models = [a_model(f"acme/{number}", offerings=(an_offering(number),)) for number in (1, 2)]
    context = a_routing_context(*models, healths={1: slow, 2: fast})
    context.draw = draw
    assert plan_for("auto", Requirements(CHAT), context).model.id == "acme/2"


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"health": {1: (1.0, 5_000.0)}}, {"health": {2: (0.8, 50.0)}}),
        ({"room": {1: 0.5}}, {"room": {2: 0.1}}),
        ({"room": {1: 0.1}}, {"room": {2: 0.0}}),
        ({"health": {1: (1.0, 100.0)}}, {"health": {2: (1.0, 400.0)}, "prices": {1: "9", 2: "1"}}),
        ({}, {"prices": {1: "1", 2: "9"}}),
        ({"prices": {1: "9"}}, {}),
    ],
)
def test_health_goes_before_headroom_latency_and_price(better, worse):
    told = {name: better.get(name, {}) | worse.get(name, {}) for name in ("health", "room", "prices")}
    models = [
        a_model(
            f"acme/{number}",
            offerings=(
                an_offering(
                    number,
                    prices=(a_price("input_text_tokens", told["prices"][number]),)
                    if number in told["prices"]
                    else (),
                ),
            ),
        )
        for number in (2, 1)
    ]
    healths = {number: HealthStatus(False, *facts) for number, facts in told["health"].items()}
    context = a_routing_context(*models, healths=healths)
    if told["room"]:
        context.headroom_of = lambda offering: told["room"].get(offering.id, 1.0)
    needs = Requirements(CHAT, input_tokens=1_000)
    assert [each.model.id for each in plan_for("auto", needs, context).candidates] == ["acme/1", "acme/2"]


def test_of_thousands_a_few_are_planned_and_the_others_counted():
    models = [a_model(f"acme/{number}", offerings=(an_offering(number),)) for number in range(1, 101)]
    plan = plan_for("auto", Requirements(CHAT), a_routing_context(*models))
    assert (len(plan.candidates), plan.more) == (MOST, 100 - MOST)


@pytest.mark.parametrize("is_whole", [False, True])
def test_those_that_fell_out_are_not_counted_again_among_the_others(is_whole):
    """Whoever explains looks at all of them; a call stops where it has enough."""
    models = [a_model(f"acme/{number}", offerings=(an_offering(number),)) for number in range(1, 101)]
    broken = HealthStatus(is_open=True, success_rate=0.0, latency_ms=None, cause="credential")
    context = a_routing_context(*models, healths=dict.fromkeys(range(1, 11), broken))
    plan = survey_route(RouteRequest(("auto",), Requirements(CHAT)), context, is_whole)
    assert len(plan.candidates) == MOST
    assert plan.more == 100 - MOST - len(plan.dropped)


def test_only_where_some_team_has_a_credential_what_none_opens_is_looked_at():
    """One team's key at one provider is no reason to look at all that nobody can call."""
    providers = {id_: a_provider(id_, is_usable=id_ == 1) for id_ in (1, 2, 3)}
    models = [
        a_model(f"acme/{number}", offerings=(an_offering(number, provider_id=number % 3 + 1),))
        for number in range(1, 31)
    ]
    own = CredentialFacts(7, team_id=1, label="own", place="before", secret="s3cret")
    snapshot = Snapshot.of(models, providers, revision=1, credentials={1: {2: (own,)}})
    context = replace(a_routing_context(), snapshot=snapshot)
    plan = plan_for("auto", Requirements(CHAT), context)
    assert {each.offering.provider_id for each in plan.candidates} == {1, 2}
    assert (plan.dropped, plan.more) == ((), 0)


def test_breakers_are_looked_at_for_each_call_whatever_the_order_knows():
    models = [a_model(f"acme/{number}", offerings=(an_offering(number),)) for number in range(1, 101)]
    healths: dict[int, HealthStatus] = {}
    context = a_routing_context(*models, healths=healths)
    context.health_of = lambda way: healths.get(way, HEALTHY)
    assert plan_for("auto", Requirements(CHAT), context).model.id == "acme/1"
    healths |= {n: HealthStatus(is_open=True, success_rate=0.0, latency_ms=None) for n in range(1, 100)}
    assert [each.offering.id for each in plan_for("auto", Requirements(CHAT), context).candidates] == [100]


def test_the_sets_are_made_once_a_snapshot_and_anew_at_each_boundary():
    soon = a_model("acme/soon", release_at=AT + timedelta(hours=1), offerings=(an_offering(1),))
    context = a_routing_context(soon, a_model("acme/now", offerings=(an_offering(2),)))
    assert not is_ready(CHAT, context)
    assert plan_for("auto", Requirements(CHAT), context).model.id == "acme/now"
    assert is_ready(CHAT, context)
    context.at += timedelta(hours=1)
    assert not is_ready(CHAT, context)
    plan = plan_for("auto", Requirements(CHAT), context)
    assert {each.model.id for each in plan.candidates} == {"acme/now", "acme/soon"}


def test_what_no_model_can_do_is_told_as_of_a_model_that_is_named():
    context = a_routing_context(a_model(input_types=frozenset({"text"})))
    with pytest.raises(GatewayError, match="No model reads image input"):
        plan_for("auto", Requirements(CHAT, input_types=frozenset({"image"})), context)
    with pytest.raises(GatewayError, match="No model takes so long an input: at most 9 tokens"):
        plan_for(
            "auto",
            Requirements(CHAT, input_tokens=10),
            a_routing_context(a_model(offerings=(an_offering(context_length=9),))),
        )
