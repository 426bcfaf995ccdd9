"""What an offering would lose of a request: in which order they are asked then, and which are not."""

import pytest

from gateway.proxy.errors import InvalidRequest
from providers.operations.registry import operation_of
from providers.wire.call import Call
from tests.gateway.proxy.values import (
    a_model,
    a_price,
    a_provider,
    a_routing_context,
    an_offering,
    plan_for,
    plan_ids,
)

HELLO = {"role": "user", "content": "hello"}


def weighed(endpoint, call_format, body, *formats, **offering):
    """Ids of one offering for each format, in the order in which they would be asked."""
    offerings = tuple(
        an_offering(number, provider_id=number, position=number, max_output_tokens=4000, **offering)
        for number in range(1, len(formats) + 1)
    )
    providers = tuple(a_provider(number, wire_format=name) for number, name in enumerate(formats, start=1))
    call = Call(endpoint, body, format=call_format)
    needs = operation_of(endpoint).requirements(call)
    context = a_routing_context(a_model(offerings=offerings), providers=providers)
    return plan_for("acme/one", needs, context)


CHAT_BODY = {"messages": [HELLO]}


MARKED = [
    {"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]}
]


@pytest.mark.parametrize(
    ("client", "body", "formats", "order"),
    [
        # Nothing is lost anywhere: the curator's order.
        ("openai", CHAT_BODY, ("gemini", "anthropic", "openai"), [1, 2, 3]),
        # A hint is lost by all but the client's own format.
        ("openai", CHAT_BODY | {"session_id": "s"}, ("gemini", "anthropic", "openai"), [3, 1, 2]),
        ("anthropic", {"max_tokens": 9, "messages": MARKED}, ("openai", "responses", "anthropic"), [3, 1, 2]),
        # Tuning: Gemini has a seed, Anthropic has none.
        ("openai", CHAT_BODY | {"seed": 1}, ("anthropic", "gemini"), [2, 1]),
        ("openai", CHAT_BODY | {"logit_bias": {"1": 1}}, ("anthropic", "openai"), [2, 1]),
        # A hint and tuning: what loses the hint alone is in between.
        ("openai", CHAT_BODY | {"seed": 1, "session_id": "s"}, ("anthropic", "gemini", "openai"), [3, 2, 1]),
    ],
)
def test_what_loses_least_is_asked_first(client, body, formats, order):
    endpoint = {"openai": "chat.completions", "anthropic": "messages"}[client]
    plan = weighed(endpoint, client, body, *formats)
    assert [candidate.offering.id for candidate in plan.candidates] == order


@pytest.mark.parametrize(
    ("client", "body", "dropped"),
    [
        ("openai", {"moderation": {"model": "m"}}, "cannot_generate:moderation"),
        ("openai", {"n": 2}, "cannot_generate:n"),
        ("openai", {"logprobs": True}, "cannot_generate:logprobs"),
    ],
)
def test_what_is_relied_on_or_promised_takes_an_offering_out(client, body, dropped):
    plan = weighed("chat.completions", client, CHAT_BODY | body, "anthropic", "openai")
    assert [candidate.offering.id for candidate in plan.candidates] == [2]
    assert [drop.reason for drop in plan.dropped] == [dropped]


@pytest.mark.parametrize(
    ("endpoint", "client", "body", "provider"),
    [
        ("chat.completions", "openai", CHAT_BODY | {"n": 2}, "anthropic"),
        ("messages", "anthropic", CHAT_BODY | {"max_tokens": 9, "container": "x"}, "openai"),
    ],
)
def test_the_only_offering_is_asked_without_being_weighed(endpoint, client, body, provider):
    """It says itself what it cannot do; and the many calls that it can do are not weighed in vain."""
    for each in (provider, client):
        plan = weighed(endpoint, client, body, each)
        assert [candidate.offering.id for candidate in plan.candidates] == [1]
    assert [
        drop.candidate.offering.id for drop in weighed(endpoint, client, body, provider, client).dropped
    ] == [1]


def test_the_first_tuning_that_the_only_offering_lacks_is_named_where_all_is_required():
    declared = frozenset({"temperature", "presence_penalty"})
    call = Call("chat.completions", CHAT_BODY | {"temperature": 1.5, "presence_penalty": 1})
    operation = operation_of("chat.completions")
    needs = operation.requirements(call)
    needs = needs.requiring(operation.parameters(call, needs))
    offering = an_offering(max_output_tokens=9, params=declared)
    context = a_routing_context(
        a_model(offerings=(offering,)), providers=(a_provider(wire_format="anthropic"),)
    )
    with pytest.raises(InvalidRequest) as refusal:
        plan_for("acme/one", needs, context)
    assert refusal.value.message == "The chosen provider has no 'presence_penalty'."
    assert refusal.value.param == "presence_penalty"


def test_a_price_alone_lets_nobody_search_elsewhere():
    body = CHAT_BODY | {"max_tokens": 9, "tools": [{"type": "web_search_20250305", "name": "web_search"}]}
    priced = {"prices": (a_price("web_searches", "10", unit_size=1000),)}
    with pytest.raises(InvalidRequest) as refusal:
        weighed("messages", "anthropic", body, "gemini", "gemini", **priced)
    assert refusal.value.param == "tools[0].type"


def test_what_no_offering_can_keep_is_named():
    with pytest.raises(InvalidRequest) as refusal:
        weighed(
            "chat.completions", "openai", CHAT_BODY | {"moderation": {"model": "m"}}, "anthropic", "gemini"
        )
    assert refusal.value.param == "moderation"


@pytest.mark.parametrize(("asked", "planned"), [({"session_id": "s"}, [2, 1]), ({"temperature": 1.5}, [2])])
def test_required_parameters_may_lose_hints_and_no_tuning(asked, planned):
    call = Call("chat.completions", CHAT_BODY | asked)
    operation = operation_of("chat.completions")
    needs = operation.requirements(call)
    needs = needs.requiring(operation.parameters(call, needs))
    declared = frozenset({"temperature"})
    offerings = tuple(an_offering(n, provider_id=n, max_output_tokens=9, params=declared) for n in (1, 2))
    providers = (a_provider(1, wire_format="anthropic"), a_provider(2))
    context = a_routing_context(a_model(offerings=offerings), providers=providers)
    assert plan_ids("acme/one", needs, context) == planned
