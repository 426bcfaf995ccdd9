"""What a client wishes of the offerings that may answer, and what its key keeps to, at each bound."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from accounts.floors import Floor
from accounts.restrictions import Restrictions
from gateway.proxy.errors import Forbidden, GatewayError, InvalidRequest
from gateway.proxy.routing.preferences import read_preferences
from gateway.proxy.routing.trace import trace_of
from providers.facts import CredentialFacts
from providers.operations.base import Requirements
from providers.tallies import Tally
from tests.gateway.proxy.values import (
    AT,
    a_key,
    a_model,
    a_price,
    a_provider,
    a_routing_context,
    an_offering,
    plan_for,
)

CHAT = Requirements("chat.completions", input_tokens=100)
PROVIDERS = {1: a_provider(1), 2: a_provider(2)}
PRICED = (a_price("input_text_tokens", "2.50"), a_price("output_text_tokens", "10"))
IMAGES_OUT = a_price("output_images", "0.02", unit_size=1)


def planned(wishes, *offerings, required=CHAT, key=None, **more):
    """The ids of the offerings that may answer, the first first."""
    context = a_routing_context(a_model(offerings=offerings), key=key)
    body = {"provider": wishes, **more} if wishes is not None else more
    plan = plan_for("acme/one", required, context, read_preferences(body, PROVIDERS))
    return [candidate.offering.id for candidate in plan.candidates]


def refused(wishes, *offerings, **more) -> GatewayError:
    with pytest.raises(GatewayError) as refusal:
        planned(wishes, *offerings, **more)
    return refusal.value


def fits(wishes, required=CHAT, body=None, **facts) -> bool:
    """Whether an offering with such facts fulfils the one wish."""
    preferences = read_preferences({"provider": wishes, **(body or {})}, PROVIDERS)
    reason = preferences.reason_against("provider-1", an_offering(1, **facts), required, AT)
    (name,) = wishes
    assert reason in {"", f"excluded:{name}"}
    return not reason


@pytest.mark.parametrize(
    ("most", "prices", "expected"),
    [
        ({"prompt": 2.49}, PRICED, False),
        ({"prompt": 2.5}, PRICED, True),
        ({"prompt": "2.50"}, PRICED, True),
        ({"prompt": 2.51}, PRICED, True),
        ({"completion": 9.99}, PRICED, False),
        ({"completion": 10}, PRICED, True),
        ({"prompt": 2.5, "completion": 9.99}, PRICED, False),
        ({"prompt": 0, "completion": 0}, PRICED, False),
        ({"prompt": 0}, (a_price("input_text_tokens", "0"),), True),
        # Per unit, whatever number of them the price is for.
        ({"prompt": 2.5}, (a_price("input_text_tokens", "0.0025", unit_size=1_000),), True),
        ({"prompt": 2.5}, (a_price("input_text_tokens", "0.0026", unit_size=1_000),), False),
        ({"prompt": 3}, (a_price("input_tokens", "2.50"),), True),
        # What nobody knows is too much.
        ({"prompt": 100}, (), False),
        ({"completion": 100}, PRICED[:1], False),
        ({"prompt": 100}, (a_price("input_text_tokens", "1", currency="EUR"),), False),
        ({"prompt": 100}, (a_price("input_text_tokens", "1", valid_to=AT),), False),
        ({"prompt": 100}, (a_price("input_text_tokens", "1", valid_from=AT + timedelta(seconds=1)),), False),
        ({"request": 0.01}, PRICED, True),
        ({"request": 0.01}, (*PRICED, a_price("requests", "0.01", unit_size=1)), True),
        ({"request": 0.009}, (*PRICED, a_price("requests", "0.01", unit_size=1)), False),
        ({"image": 0.04}, (*PRICED, a_price("output_images", "0.04", unit_size=1)), True),
        ({"image": 0.03}, (*PRICED, a_price("output_images", "0.04", unit_size=1)), False),
        ({"image": 1}, (), False),
        # Of images all prices are borne, of tokens the first of theirs.
        ({"image": 0.03}, (a_price("input_images", "0.04", unit_size=1), IMAGES_OUT), False),
        ({"image": 0.04}, (a_price("input_images", "0.04", unit_size=1), IMAGES_OUT), True),
        ({"image": 0.01}, (a_price("input_images", "0.001", unit_size=1), IMAGES_OUT), False),
        ({"prompt": 2.5}, (*PRICED, a_price("input_tokens", "9")), True),
        ({"prompt": 1_000_000_000}, PRICED, True),
        ({}, (), True),
    ],
)
def test_a_price_may_be_as_high_as_the_client_says_and_no_higher(most, prices, expected):
    assert fits({"max_price": most}, prices=prices) is expected


@pytest.mark.parametrize(
    ("tokens", "most", "expected"),
    [(200_000, 2.5, True), (200_001, 2.5, False), (200_001, 5, True)],
)
def test_the_price_of_a_long_prompt_counts_for_a_long_prompt(tokens, most, expected):
    long = {"path": "input_tokens", "op": "gt", "value": 200_000}
    prices = (*PRICED, a_price("input_text_tokens", "5", conditions=(long,)))
    needs = Requirements("chat.completions", input_tokens=tokens)
    assert fits({"max_price": {"prompt": most}}, needs, prices=prices) is expected


@pytest.mark.parametrize(("tier", "expected"), [("default", True), ("priority", False), (None, True)])
def test_the_price_of_the_service_tier_counts_that_the_request_asks_for(tier, expected):
    prices = (*PRICED, a_price("input_text_tokens", "5", plan="priority"))
    body = {"service_tier": tier}
    assert fits({"max_price": {"prompt": 2.5}}, body=body, prices=prices) is expected


def test_text_that_is_not_made_costs_nothing():
    needs = Requirements("embeddings")
    facts = {"endpoints": frozenset({"embeddings"}), "prices": PRICED[:1]}
    assert fits({"max_price": {"prompt": 2.5, "completion": 0}}, needs, **facts)


@pytest.mark.parametrize(
    ("wishes", "facts", "expected"),
    [
        ({"zdr": True}, {}, False),
        ({"zdr": True}, {"zero_retention": False}, False),
        ({"zdr": True}, {"zero_retention": True}, True),
        ({"zdr": False}, {"zero_retention": False}, True),
        ({"data_collection": "deny"}, {}, False),
        ({"data_collection": "deny"}, {"collects_data": True}, False),
        ({"data_collection": "deny"}, {"collects_data": False}, True),
        ({"data_collection": "allow"}, {"collects_data": True}, True),
        ({"quantizations": ["fp8"]}, {}, False),
        ({"quantizations": ["fp8"]}, {"quantization": "fp4"}, False),
        ({"quantizations": ["bf16", "fp8"]}, {"quantization": "fp8"}, True),
        ({"quantizations": ["unknown"]}, {}, True),
        ({"quantizations": ["unknown"]}, {"quantization": "fp8"}, False),
        ({"regions": ["eu"]}, {}, False),
        ({"regions": ["eu"]}, {"regions": ("global",)}, False),
        ({"regions": ["eu"]}, {"regions": ("eu", "us")}, False),
        ({"regions": ["eu"]}, {"regions": ("eu-west-1", "europe-west4")}, True),
        ({"regions": ["eu", "us"]}, {"regions": ("eu", "us-east-1")}, True),
    ],
)
def test_what_is_unknown_of_an_offering_does_not_fulfil_a_wish(wishes, facts, expected):
    assert fits(wishes, **facts) is expected


@pytest.mark.parametrize(
    ("wishes", "param", "allowed"),
    [
        ({"zdr": "yes"}, "provider.zdr", "true or false"),
        ({"zdr": 1}, "provider.zdr", "true or false"),
        ({"data_collection": "never"}, "provider.data_collection", "one of allow, deny"),
        ({"data_collection": True}, "provider.data_collection", "one of allow, deny"),
        ({"sort": "speed"}, "provider.sort", "one of price, latency, throughput"),
        ({"sort": {"by": "speed"}}, "provider.sort.by", "one of price, latency, throughput"),
        ({"sort": {"by": "price", "partition": "all"}}, "provider.sort.partition", "one of model, none"),
        ({"sort": {"order": "price"}}, "provider.sort.order", "takes only by, partition"),
        ({"sort": ["price"]}, "provider.sort", "or an object of by and partition"),
        ({"max_price": 3}, "provider.max_price", "an object"),
        ({"max_price": {"prompt": -0.01}}, "provider.max_price.prompt", "from 0 to"),
        ({"max_price": {"prompt": "NaN"}}, "provider.max_price.prompt", "from 0 to"),
        ({"max_price": {"prompt": "one"}}, "provider.max_price.prompt", "from 0 to"),
        ({"max_price": {"prompt": True}}, "provider.max_price.prompt", "from 0 to"),
        ({"max_price": {"prompt": [1]}}, "provider.max_price.prompt", "from 0 to"),
        ({"max_price": {"prompt": "Infinity"}}, "provider.max_price.prompt", "from 0 to"),
        ({"max_price": {"prompt": 1_000_000_000.01}}, "provider.max_price.prompt", "from 0 to 1000000000"),
        (
            {"max_price": {"audio": 1}},
            "provider.max_price.audio",
            "takes only prompt, completion, request, image",
        ),
        ({"quantizations": "fp8"}, "provider.quantizations", "a list"),
        ({"quantizations": []}, "provider.quantizations", "1 to 64 items"),
        ({"quantizations": ["FP8"]}, "provider.quantizations[0]", "lower-case"),
        ({"regions": []}, "provider.regions", "1 to 64 items"),
        ({"regions": ["EU"]}, "provider.regions[0]", "lower case"),
        ({"regions": ["eu", 7]}, "provider.regions[1]", "lower case"),
        ({"preferred_min_throughput": -1}, "provider.preferred_min_throughput", "a number from 0"),
        (
            {"preferred_min_throughput": {"p95": 1}},
            "provider.preferred_min_throughput.p95",
            "p50, p75, p90, p99",
        ),
        ({"preferred_max_latency": {"p50": "1"}}, "provider.preferred_max_latency.p50", "a number from 0"),
        ({"preferred_max_latency": "1"}, "provider.preferred_max_latency", "an object of p50, p75, p90, p99"),
        (
            {"enforce_distillable_text": True},
            "provider.enforce_distillable_text",
            "takes only require_parameters",
        ),
    ],
)
def test_a_bad_wish_is_refused_by_its_name_with_what_is_allowed(wishes, param, allowed):
    with pytest.raises(InvalidRequest) as refusal:
        read_preferences({"provider": wishes}, PROVIDERS)
    assert (refusal.value.error_code, refusal.value.param) == ("invalid_value", param)
    assert allowed in refusal.value.message


@pytest.mark.parametrize(
    ("wish", "least", "most"),
    [("preferred_min_throughput", 0, 1_000_000), ("preferred_max_latency", 0, 86_400)],
)
def test_a_preferred_speed_is_taken_at_its_bounds_and_not_beyond(wish, least, most):
    for value in (least, least + 0.5, most, {"p99": least}, {"p99": most}):
        read_preferences({"provider": {wish: value}}, PROVIDERS)
    for value in (least - 0.5, most + 1, {"p99": least - 0.5}, {"p99": most + 1}):
        with pytest.raises(InvalidRequest, match=f"from {least} to "):
            read_preferences({"provider": {wish: value}}, PROVIDERS)


@pytest.mark.parametrize(
    ("sort", "read"),
    [
        ("price", ("price", False)),
        ({"by": "price"}, ("price", False)),
        ({"by": "latency", "partition": "model"}, ("latency", False)),
        ({"by": "latency", "partition": "none"}, ("latency", True)),
        ({"partition": "none"}, ("", True)),
    ],
)
def test_an_order_is_over_all_models_only_where_the_client_says_so(sort, read):
    preferences = read_preferences({"provider": {"sort": sort}}, PROVIDERS)
    assert (preferences.sort, preferences.sorts_all) == read


@pytest.mark.parametrize("wish", [{"regions": ["eu"]}, {"quantizations": ["fp8"]}, {"zdr": True}])
def test_each_wish_of_how_a_call_is_handled_says_where_alone(wish):
    assert read_preferences({"provider": wish}, PROVIDERS).says_where
    assert read_preferences({"provider": {"data_collection": "deny"}}, PROVIDERS).says_where
    assert not read_preferences({"provider": {"sort": "price"}}, PROVIDERS).says_where


FACTS: list[dict[str, Any]] = [
    {
        "regions": regions,
        "zero_retention": retention,
        "collects_data": collection,
        "quantization": quantization,
    }
    for regions, retention, collection, quantization in itertools.product(
        [(), ("eu",), ("eu-west-2",), ("eu", "us"), ("us-east-1",)],
        [None, False, True],
        [None, False, True],
        [None, "fp8", "bf16"],
    )
]
WISHES: list[dict[str, Any] | None] = [
    None,
    {},
    {"zdr": False, "data_collection": "allow"},
    {"regions": ["us", "global", "eu"], "quantizations": ["unknown", "fp8", "bf16"]},
    {"only": ["provider-1", "provider-2"], "order": ["provider-2"], "allow_fallbacks": False},
    {"ignore": [], "sort": "price", "max_price": {"prompt": 100}},
    {"sort": {"by": "latency", "partition": "none"}, "preferred_max_latency": 1},
    {"zdr": True, "regions": ["eu"]},
    {"require_parameters": True, "preferred_min_throughput": {"p90": 1}},
]
FLOORS = [
    Floor(regions=(("eu",),)),
    Floor(regions=(("eu",), ("eu", "us"))),
    Floor(zero_retention=True),
    Floor(no_data_collection=True),
    Floor(quantizations=("bf16",)),
    Floor(regions=(("us",),), zero_retention=True, no_data_collection=True, quantizations=("fp8", "unknown")),
]


@pytest.mark.parametrize("floor", FLOORS, ids=lambda floor: "; ".join(floor.in_words()))
@pytest.mark.parametrize("wishes", WISHES, ids=str)
@pytest.mark.parametrize("name", ["acme/one", "auto"])
def test_no_wish_talks_a_key_out_of_its_floor(floor, wishes, name):
    """And whatever fulfils both may answer: a floor takes out no more than it says. `auto` has the best of them."""
    offerings = [
        an_offering(number, provider_id=1 + number % 2, prices=PRICED, **facts)
        for number, facts in enumerate(FACTS, start=1)
    ]
    model = a_model(offerings=tuple(offerings))
    wished = read_preferences({"provider": wishes}, PROVIDERS)

    def ids(key, named=name):
        plan = plan_for(named, CHAT, a_routing_context(model, key=key), wished)
        return {candidate.offering.id for candidate in plan.candidates}

    within = {offering.id for offering in offerings if not floor.reason_against(offering)}
    assert 0 < len(within) < len(offerings)
    if expected := ids(a_key(), "acme/one") & within:
        found = ids(a_key(floor=floor))
        assert found == expected if name == "acme/one" else found and found <= expected
    else:
        with pytest.raises(InvalidRequest, match="keeps to what calls of this key keep to"):
            ids(a_key(floor=floor))


def test_a_floor_that_nobody_fulfils_is_told_with_what_there_is():
    offerings = (an_offering(1, regions=("us-east-1",)), an_offering(2, provider_id=2))
    refusal = refused(None, *offerings, key=a_key(floor=Floor(regions=(("eu",),), zero_retention=True)))
    assert isinstance(refusal, Forbidden)
    assert (refusal.error_code, refusal.param) == ("floor_not_met", "model")
    assert refusal.message == (
        "No provider of model 'acme/one' keeps to what calls of this key keep to (regions eu; zero data retention). "
        "It runs in us-east-1. The region of 1 offering is unknown."
    )


def test_where_the_floor_left_some_and_the_request_none_of_them_both_are_told():
    offerings = (
        an_offering(1, regions=("us",), provider_slug="provider-1"),
        an_offering(2, provider_id=2, regions=("eu",), provider_slug="provider-2"),
    )
    refusal = refused({"only": ["provider-1"]}, *offerings, key=a_key(floor=Floor(regions=(("eu",),))))
    assert isinstance(refusal, InvalidRequest)
    assert (refusal.error_code, refusal.param) == ("no_wished_provider", "provider.only")
    assert refusal.message == (
        "No provider of model 'acme/one' keeps to what calls of this key keep to (regions eu) and is left by "
        "'provider.only' of the request. It is served by provider-2."
    )


@pytest.mark.parametrize(
    ("wishes", "told"),
    [
        ({"regions": ["eu"]}, "It runs in us. The region of 1 offering is unknown."),
        ({"quantizations": ["bf16"]}, "It is offered in fp8. The quantization of 1 offering is unknown."),
        ({"zdr": True}, "Not known to keep nothing: provider-1, provider-2."),
        ({"data_collection": "deny"}, "Not known to collect nothing: provider-1, provider-2."),
        (
            {"max_price": {"prompt": 1, "completion": 1}},
            "In USD it costs at least 2.5 for a million prompt tokens, 10 for a million completion tokens.",
        ),
        ({"only": []}, "It is served by provider-1, provider-2."),
    ],
)
def test_the_wish_that_left_nobody_is_named_with_the_way_out(wishes, told):
    offerings = (
        an_offering(1, regions=("us",), quantization="fp8", prices=PRICED, provider_slug="provider-1"),
        an_offering(2, provider_id=2, provider_slug="provider-2"),
    )
    (name,) = wishes
    refusal = refused(wishes, *offerings)
    assert refusal.param == f"provider.{name}"
    assert refusal.message == (
        f"No provider of model 'acme/one' is left by 'provider.{name}' of the request. {told}"
    )


@pytest.mark.parametrize(("count", "more"), [(7, ""), (8, ""), (9, " and 1 more"), (10, " and 2 more")])
def test_eight_at_most_are_listed_and_the_others_counted(count, more):
    offerings = [an_offering(number, regions=(f"r{number:02}",)) for number in range(count)]
    listed = ", ".join(f"r{number:02}" for number in range(min(count, 8)))
    assert refused({"regions": ["eu"]}, *offerings).message.endswith(f" It runs in {listed}{more}.")


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (1, "The region of 1 offering is unknown."),
        (2, "The region of 2 offerings is unknown."),
    ],
)
def test_of_how_many_nothing_is_known_is_told(count, told):
    offerings = [an_offering(number) for number in range(count)]
    assert refused({"regions": ["eu"]}, *offerings).message.endswith(f" of the request. {told}")


def test_the_lowest_of_the_prices_is_told_and_that_none_is_known():
    cheap, dear, unknown = (
        an_offering(number, prices=prices, provider_slug=f"provider-{number}")
        for number, prices in enumerate(((a_price("input_text_tokens", "2"),), PRICED, ()), start=1)
    )
    wishes = {"max_price": {"prompt": 1, "image": 0}}
    assert refused(wishes, dear, cheap, unknown).message.endswith(
        "In USD it costs at least 2 for a million prompt tokens, 0 for an image."
    )
    assert refused(wishes, unknown).message.endswith("What it costs in USD is unknown.")


def test_several_wishes_that_left_nobody_together_are_all_named():
    offerings = (an_offering(1, zero_retention=True), an_offering(2, provider_id=2, regions=("eu",)))
    refusal = refused({"zdr": True, "regions": ["eu"]}, *offerings)
    assert "'provider.regions' and 'provider.zdr' of the request" in refusal.message


def test_the_stage_of_each_that_fell_out_is_told():
    offerings = (
        an_offering(1, regions=("us",)),
        an_offering(2, provider_id=2, regions=("eu",)),
        an_offering(3, provider_id=2, upstream_name="zdr", regions=("eu",), zero_retention=True),
    )
    context = a_routing_context(a_model(offerings=offerings), key=a_key(floor=Floor(regions=(("eu",),))))
    plan = plan_for("acme/one", CHAT, context, read_preferences({"provider": {"zdr": True}}, PROVIDERS))
    stages = {
        stage["stage"]: [drop["reason"] for drop in stage["dropped"]] for stage in trace_of(plan)["stages"]
    }
    assert stages == {"floor": ["floor:regions"], "preferences": ["excluded:zdr"]}


def test_providers_that_a_key_may_not_use_and_its_floor_hold_together():
    offerings = (
        an_offering(1, regions=("eu",)),
        an_offering(2, provider_id=2, regions=("us",)),
        an_offering(3, provider_id=2, upstream_name="eu", regions=("eu",)),
    )
    rules = Restrictions(denied_providers=("provider-1",))
    assert planned(None, *offerings, key=a_key(restrictions=rules, floor=Floor(regions=(("eu",),)))) == [3]


@pytest.mark.parametrize("place", ["before", "after", "only"])
def test_calls_on_a_teams_own_credentials_keep_to_its_floor_too(place):
    offerings = (an_offering(1, regions=("us",)), an_offering(2, provider_id=2, regions=("eu",)))
    own = {1: {id_: (CredentialFacts(id_, 1, "own", place, "secret"),) for id_ in PROVIDERS}}
    context = a_routing_context(a_model(offerings=offerings), key=a_key(floor=Floor(regions=(("eu",),))))
    context.snapshot = replace(context.snapshot, credentials=own)
    candidates = plan_for("acme/one", CHAT, context).candidates
    assert {candidate.offering.id for candidate in candidates} == {2}
    assert any(candidate.is_own for candidate in candidates)


def served(first_token_ms: list[float], tokens_per_s: list[float]) -> Tally:
    tally = Tally()
    for latency, speed in zip(first_token_ms, tokens_per_s, strict=True):
        tally.serve(latency, latency, speed)
    return tally


TALLIES = {
    # Nine of ten calls are fast, one is slow.
    1: served([100.0] * 9 + [5_000.0], [100.0] * 9 + [5.0]),
    # All are the same.
    2: served([1_000.0] * 10, [50.0] * 10),
    # Of the third nothing is known.
}


@pytest.mark.parametrize(
    ("wishes", "first"),
    [
        ({}, 3),
        ({"preferred_max_latency": 0.5}, 1),
        ({"preferred_max_latency": {"p50": 0.5}}, 1),
        ({"preferred_max_latency": {"p99": 2}}, 2),
        ({"preferred_max_latency": {"p50": 2, "p99": 2}}, 2),
        ({"preferred_max_latency": 0.01}, 3),
        ({"preferred_min_throughput": 80}, 1),
        ({"preferred_min_throughput": {"p99": 20}}, 2),
        ({"preferred_min_throughput": 500}, 3),
        ({"preferred_min_throughput": 80, "preferred_max_latency": {"p99": 2}}, 3),
    ],
)
def test_those_that_are_as_fast_as_preferred_come_first_and_nobody_is_left_out(wishes, first):
    offerings = (
        an_offering(1, position=1),
        an_offering(2, provider_id=2, position=2),
        an_offering(3, provider_id=2, upstream_name="third"),
    )
    context = a_routing_context(a_model(offerings=offerings))
    context.tally_of = lambda way: TALLIES.get(way, Tally())
    plan = plan_for("acme/one", CHAT, context, read_preferences({"provider": wishes}, PROVIDERS))
    ids = [candidate.offering.id for candidate in plan.candidates]
    assert (ids[0], sorted(ids)) == (first, [1, 2, 3])
