"""Which offerings a request may go to, in which order, and what is said when there is none."""

from datetime import timedelta

import pytest

from accounts.restrictions import Restrictions
from catalogue.pricing.rate_card import rate_card_of
from gateway.proxy.errors import InvalidRequest, ModelRetired, NotFound, Unavailable
from providers.health import HealthStatus
from providers.operations.base import Requirements
from providers.operations.registry import operation_of
from providers.wire.call import Call
from tests.gateway.proxy.values import (
    AT,
    a_key,
    a_model,
    a_price,
    a_provider,
    a_routing_context,
    an_offering,
    plan_for,
    plan_ids,
)

CHAT = Requirements("chat.completions")


def test_an_alias_is_answered_by_its_model():
    context = a_routing_context(a_model(aliases=("one", "@cf/acme/one")))
    assert plan_for("@cf/acme/one", CHAT, context).model.id == "acme/one"


def test_offerings_come_in_the_curators_order():
    model = a_model(offerings=(an_offering(1, position=2), an_offering(2, position=1)))
    assert plan_ids("acme/one", CHAT, a_routing_context(model)) == [2, 1]


def test_recent_success_beats_the_curators_order():
    model = a_model(offerings=(an_offering(1), an_offering(2, position=5)))
    poor = HealthStatus(is_open=False, success_rate=0.4, latency_ms=10)
    assert plan_ids("acme/one", CHAT, a_routing_context(model, healths={1: poor})) == [2, 1]


@pytest.mark.parametrize(("rate", "order"), [(1.0, [1, 2]), (0.951, [1, 2]), (0.949, [2, 1])])
def test_success_rates_are_compared_by_tenths(rate, order):
    model = a_model(offerings=(an_offering(1), an_offering(2, position=5)))
    slightly = HealthStatus(is_open=False, success_rate=rate, latency_ms=10)
    assert plan_ids("acme/one", CHAT, a_routing_context(model, healths={1: slightly})) == order


@pytest.mark.parametrize(("latency_ms", "order"), [(99.0, [1, 2]), (100.0, [1, 2]), (101.0, [2, 1])])
def test_of_equal_offerings_the_faster_comes_first_and_then_the_older(latency_ms, order):
    model = a_model(offerings=(an_offering(1), an_offering(2)))
    healths = {
        id_: HealthStatus(is_open=False, success_rate=1.0, latency_ms=ms)
        for id_, ms in ((1, latency_ms), (2, 100.0))
    }
    assert plan_ids("acme/one", CHAT, a_routing_context(model, healths=healths)) == order


def test_the_curators_order_goes_before_speed():
    model = a_model(offerings=(an_offering(1, position=1), an_offering(2, position=2)))
    slow = HealthStatus(is_open=False, success_rate=1.0, latency_ms=9_000)
    fast = HealthStatus(is_open=False, success_rate=1.0, latency_ms=10)
    assert plan_ids("acme/one", CHAT, a_routing_context(model, healths={1: slow, 2: fast})) == [1, 2]


@pytest.mark.parametrize(("tokens", "fits"), [(999, True), (1_000, True), (1_001, False)])
def test_a_prompt_may_fill_the_window_and_no_more(tokens, fits):
    model = a_model(offerings=(an_offering(1, context_length=1_000), an_offering(2)))
    plan = plan_for(
        "acme/one", Requirements("chat.completions", input_tokens=tokens), a_routing_context(model)
    )
    assert [drop.reason for drop in plan.dropped] == ([] if fits else ["context_too_small"])


def test_a_provider_that_probes_found_unhealthy_comes_last():
    model = a_model(offerings=(an_offering(1), an_offering(2, provider_id=2, position=5)))
    providers = (a_provider(1, health="unhealthy"), a_provider(2))
    assert plan_ids("acme/one", CHAT, a_routing_context(model, providers=providers)) == [2, 1]


def test_an_open_breaker_takes_an_offering_out_and_says_so():
    model = a_model(offerings=(an_offering(1), an_offering(2)))
    opened = HealthStatus(is_open=True, success_rate=0.1, latency_ms=None)
    plan = plan_for("acme/one", CHAT, a_routing_context(model, healths={1: opened}))
    assert [(drop.candidate.offering.id, drop.reason) for drop in plan.dropped] == [(1, "breaker_open")]


@pytest.mark.parametrize(
    ("offering", "provider", "reason"),
    [
        ({"is_enabled": False}, {}, "offering_disabled"),
        ({"effective_from": AT + timedelta(days=1)}, {}, "not_effective_yet"),
        ({"effective_to": AT}, {}, "no_longer_effective"),
        ({}, {"is_enabled": False}, "provider_disabled"),
        ({}, {"is_usable": False}, "credential_missing"),
        ({"endpoints": frozenset({"embeddings"})}, {}, "endpoint_not_offered"),
        ({}, {"wire_format": "voyage"}, "format_lacks_endpoint"),
        ({}, {"wire_format": "cohere"}, "format_lacks_endpoint"),
    ],
)
def test_every_dropped_offering_has_its_reason(offering, provider, reason):
    model = a_model(offerings=(an_offering(1, provider_id=1, **offering), an_offering(2, provider_id=2)))
    context = a_routing_context(model, providers=(a_provider(1, **provider), a_provider(2)))
    assert [drop.reason for drop in plan_for("acme/one", CHAT, context).dropped] == [reason]


def test_a_model_switched_off_everywhere_is_unavailable():
    with pytest.raises(Unavailable, match="switched on"):
        plan_for("acme/one", CHAT, a_routing_context(a_model(offerings=(an_offering(is_enabled=False),))))


def test_auto_takes_an_offering_that_can_do_what_is_needed():
    plain = a_model("acme/plain", offerings=(an_offering(1, params=frozenset({"temperature"})),))
    able = a_model("acme/able", offerings=(an_offering(2, params=frozenset({"tools"}), position=9),))
    needs = Requirements("chat.completions", params=frozenset({"tools"}))
    assert plan_for("auto", needs, a_routing_context(plain, able)).model.id == "acme/able"


def test_auto_passes_by_models_that_are_not_out_yet_or_retired():
    early = a_model("acme/early", offerings=(an_offering(1),), release_at=AT + timedelta(days=1))
    late = a_model("acme/late", offerings=(an_offering(2),), retirement_at=AT)
    now = a_model("acme/now", offerings=(an_offering(3),))
    assert plan_ids("auto", CHAT, a_routing_context(early, late, now)) == [3]


def test_auto_takes_deprecated_models_unless_the_policy_blocks_them():
    ageing = a_model(offerings=(an_offering(1),), deprecation_at=AT)
    assert plan_ids("auto", CHAT, a_routing_context(ageing)) == [1]
    with pytest.raises(Unavailable):
        plan_ids("auto", CHAT, a_routing_context(ageing, key=a_key(lifecycle_policy="block")))


def test_auto_without_any_model_is_unavailable():
    with pytest.raises(Unavailable, match="switched on"):
        plan_for("auto", CHAT, a_routing_context(key=a_key(model_patterns=("other/*",))))


def read(endpoint, body):
    return operation_of(endpoint).requirements(Call(endpoint, body, is_streamed=bool(body.get("stream"))))


def test_a_parameter_that_no_offering_takes_is_named():
    model = a_model(offerings=(an_offering(params=frozenset({"temperature"})),))
    with pytest.raises(InvalidRequest) as refusal:
        plan_for(
            "acme/one",
            Requirements("chat.completions", params=frozenset({"tools"})),
            a_routing_context(model),
        )
    assert (refusal.value.error_code, refusal.value.param) == ("unsupported_parameter", "tools")


def test_an_offering_that_declares_nothing_is_given_the_benefit():
    needs = Requirements("chat.completions", params=frozenset({"tools"}))
    assert plan_ids("acme/one", needs, a_routing_context()) == [1]


def test_a_request_longer_than_every_context_window_is_the_callers():
    model = a_model(offerings=(an_offering(context_length=100),))
    with pytest.raises(InvalidRequest) as refusal:
        plan_for("acme/one", Requirements("chat.completions", input_tokens=101), a_routing_context(model))
    assert refusal.value.error_code == "context_length_exceeded"


HELLO = {"role": "user", "content": "hello"}


PDF = {"type": "file", "file": {"file_data": "A" * 256_000}}


TOOL = {"type": "function", "function": {"name": "t", "description": "x" * 4_000}}


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [HELLO], "tools": [TOOL]},
        {"messages": [{"role": "user", "content": [PDF]}]},
        {"messages": [HELLO], "response_format": {"type": "json_schema", "json_schema": {"schema": TOOL}}},
    ],
)
@pytest.mark.parametrize(("spare", "planned"), [(1, [1, 2]), (0, [1, 2]), (-1, [2])])
def test_tools_documents_and_schemas_have_to_fit_the_window_too(body, spare, planned):
    needs = operation_of("chat.completions").requirements(Call("chat.completions", body))
    assert needs.input_tokens >= 1_000
    small = an_offering(1, context_length=needs.input_tokens + spare, params=needs.params)
    model = a_model(offerings=(small, an_offering(2, params=needs.params)))
    assert plan_ids("acme/one", needs, a_routing_context(model)) == planned


def test_images_go_only_to_models_that_read_them():
    model = a_model(input_types=frozenset({"text"}))
    with pytest.raises(InvalidRequest, match="image"):
        plan_for(
            "acme/one",
            Requirements("chat.completions", input_types=frozenset({"image"})),
            a_routing_context(model),
        )


def test_an_unknown_model_is_answered_with_near_ids():
    with pytest.raises(NotFound, match="acme/one"):
        plan_for("acme/ome", CHAT, a_routing_context())


def test_a_model_that_the_key_may_not_call_looks_unknown_and_is_not_suggested():
    with pytest.raises(NotFound) as refusal:
        plan_for("acme/one", CHAT, a_routing_context(key=a_key(model_patterns=("other/*",))))
    assert "Did you mean" not in refusal.value.message


def test_a_retired_model_names_its_successor():
    model = a_model(retirement_at=AT, successor_id="acme/two")
    with pytest.raises(ModelRetired, match=r"retired on 2026-11-22; use 'acme/two'"):
        plan_for("acme/one", CHAT, a_routing_context(model, a_model("acme/two")))


def test_an_announced_model_cannot_be_called_before_its_release():
    with pytest.raises(NotFound, match="announced"):
        plan_for("acme/one", CHAT, a_routing_context(a_model(release_at=AT + timedelta(seconds=1))))


def test_needs_are_read_from_the_request():
    body = {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "x" * 40}, {"type": "image_url"}]}
        ],
        "tools": [{}],
        "response_format": {"type": "json_object"},
        "stream": True,
    }
    needs = read("chat.completions", body)
    assert needs == Requirements(
        "chat.completions",
        True,
        frozenset({"tools", "response_format"}),
        frozenset({"image"}),
        input_tokens=1_049,
    )


def test_plain_text_output_needs_nothing_special():
    assert not read("chat.completions", {"messages": [], "response_format": {"type": "text"}}).params


@pytest.mark.parametrize(("since", "planned"), [(-1, [1]), (0, [1]), (1, [])])
def test_an_offering_is_effective_from_its_instant_on(since, planned):
    early = an_offering(1, effective_from=AT + timedelta(seconds=since))
    context = a_routing_context(a_model(offerings=(early, an_offering(2, position=9))))
    assert plan_ids("acme/one", CHAT, context) == [*planned, 2]


@pytest.mark.parametrize(
    ("is_streamed", "streams", "reasons"),
    [(True, True, []), (True, False, ["lacks:stream"]), (False, True, []), (False, False, [])],
)
def test_only_streams_need_an_offering_that_streams(is_streamed, streams, reasons):
    model = a_model(offerings=(an_offering(1, streams=streams), an_offering(2)))
    plan = plan_for("acme/one", Requirements("chat.completions", is_streamed), a_routing_context(model))
    assert [drop.reason for drop in plan.dropped] == reasons


def test_of_what_a_model_cannot_read_the_first_is_named():
    model = a_model(input_types=frozenset({"text"}))
    needs = Requirements("chat.completions", input_types=frozenset({"image", "audio", "text"}))
    with pytest.raises(InvalidRequest, match="reads audio input") as refusal:
        plan_for("acme/one", needs, a_routing_context(model))
    assert (refusal.value.error_code, refusal.value.param) == ("unsupported_content", "messages")


def test_auto_is_the_model_of_the_best_offering():
    worse = a_model("acme/worse", offerings=(an_offering(1, position=2),))
    better = a_model("acme/better", offerings=(an_offering(2, position=1),))
    assert plan_for("auto", CHAT, a_routing_context(worse, better)).model.id == "acme/better"


def test_of_equal_offerings_one_that_nobody_has_timed_yet_comes_first():
    model = a_model(offerings=(an_offering(1), an_offering(2)))
    quick = HealthStatus(is_open=False, success_rate=1.0, latency_ms=0.5)
    assert plan_ids("acme/one", CHAT, a_routing_context(model, healths={1: quick})) == [2, 1]


@pytest.mark.parametrize(("window", "told"), [(5, 7), (8, 8)])
def test_the_largest_window_is_told_also_where_only_the_model_has_one(window, told):
    offerings = (an_offering(1, provider_id=1), an_offering(2, provider_id=2, context_length=window))
    needs = Requirements("chat.completions", input_tokens=9)
    with pytest.raises(InvalidRequest, match=f"at most {told} tokens"):
        plan_for("acme/one", needs, a_routing_context(a_model(offerings=offerings, context_length=7)))


def test_a_provider_that_is_closed_to_the_key_is_passed_over():
    model = a_model(offerings=(an_offering(1, provider_id=1), an_offering(2, provider_id=2)))
    key = a_key(restrictions=Restrictions(denied_providers=("provider-1",)))
    assert plan_ids("acme/one", CHAT, a_routing_context(model, key=key)) == [2]


FREE = a_price("input_text_tokens", "0")


EUROS = a_price("input_text_tokens", "1", currency="EUR")


LATER = a_price("input_text_tokens", "1", valid_from=AT + timedelta(seconds=1))


def is_priced(offering):
    return rate_card_of(offering, AT.timestamp()).has_prices


@pytest.mark.parametrize(
    ("prices", "has_price"), [((), False), ((EUROS,), False), ((LATER,), False), ((FREE,), True)]
)
def test_on_a_budget_only_what_has_a_price_is_called(prices, has_price):
    model = a_model(offerings=(an_offering(1, prices=prices), an_offering(2, prices=(FREE,))))
    context = a_routing_context(model)
    assert plan_ids("acme/one", CHAT, context) == [1, 2]
    context.is_priced = is_priced
    assert plan_ids("acme/one", CHAT, context) == ([1, 2] if has_price else [2])


def test_a_model_without_a_price_is_refused_by_name_on_a_budget():
    context = a_routing_context()
    context.is_priced = is_priced
    with pytest.raises(InvalidRequest, match="has a price in USD") as refused:
        plan_for("acme/one", CHAT, context)
    assert (refused.value.error_code, refused.value.param) == ("unpriced_model", "model")
