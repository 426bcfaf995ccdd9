"""Which providers a client prefers, and which parameters an offering has to declare."""

import pytest

from gateway.proxy.errors import InvalidRequest, Unavailable
from gateway.proxy.routing.preferences import ProviderPreferences, read_preferences
from providers.health import HealthStatus
from providers.operations.base import Requirements
from providers.operations.parameters import declares, used_in_chat
from tests.gateway.proxy.values import (
    a_model,
    a_provider,
    a_routing_context,
    an_offering,
    plan_for,
)

CHAT = Requirements("chat.completions")


def preferring(requested, preferences, *, offerings=None, used=None):
    """The providers of the plan for a model that two of them offer."""
    model = a_model(offerings=offerings or (an_offering(1, provider_id=1), an_offering(2, provider_id=2)))
    needs = CHAT.requiring(used) if used is not None else CHAT
    plan = plan_for(
        requested, needs, a_routing_context(model), read_preferences({"provider": preferences}, PROVIDERS)
    )
    return [candidate.offering.provider_id for candidate in plan.candidates]


PROVIDERS = {1: a_provider(1), 2: a_provider(2)}


SLUGS = tuple(provider.slug for provider in PROVIDERS.values())


@pytest.mark.parametrize(
    ("preferences", "planned"),
    [
        ({"only": ["provider-2"]}, [2]),
        ({"ignore": ["provider-1"]}, [2]),
        ({"order": ["provider-2"]}, [2, 1]),
        ({"order": ["provider-2"], "allow_fallbacks": False}, [2]),
        ({"order": ["provider-2", "provider-1"], "allow_fallbacks": False}, [2, 1]),
        ({"allow_fallbacks": False}, [1]),
        ({"only": None, "order": []}, [1, 2]),
    ],
)
def test_the_client_says_which_providers_may_be_asked(preferences, planned):
    assert preferring("acme/one", preferences) == planned


@pytest.mark.parametrize(
    ("preferences", "param"),
    [
        ({"only": []}, "provider.only"),
        ({"ignore": list(SLUGS)}, "provider.ignore"),
        ({"sort": "speed"}, "provider.sort"),
        ({"max_price": {"prompt": -1}}, "provider.max_price.prompt"),
        ({"zdr": True}, "provider.zdr"),
        ({"data_collection": "deny"}, "provider.data_collection"),
        ({"quantizations": []}, "provider.quantizations"),
        ({"oder": ["provider-1"]}, "provider.oder"),
        ({"ignore": ["provider-3"]}, "provider.ignore[0]"),
        ({"only": "provider-1"}, "provider.only"),
        ({"require_parameters": 1}, "provider.require_parameters"),
        ("provider-1", "provider"),
    ],
)
def test_a_preference_that_cannot_be_kept_is_named(preferences, param):
    with pytest.raises(InvalidRequest) as refusal:
        preferring("acme/one", preferences)
    assert refusal.value.param == param


def test_a_wished_provider_that_is_down_is_no_mistake_of_the_client():
    model = a_model(offerings=(an_offering(1, provider_id=1), an_offering(2, provider_id=2)))
    opened = HealthStatus(is_open=True, success_rate=0.1, latency_ms=None)
    with pytest.raises(Unavailable, match="healthy"):
        plan_for(
            "acme/one",
            CHAT,
            a_routing_context(model, healths={1: opened}),
            ProviderPreferences(only=("provider-1",)),
        )


def test_only_offerings_that_declare_every_required_parameter_stay():
    full = frozenset({"temperature", "max_completion_tokens"})
    offerings = (
        an_offering(1, provider_id=1, params=full - {"temperature"}),
        an_offering(2, provider_id=2, params=full),
    )
    used = used_in_chat({"temperature": 0, "max_tokens": 5, "user": "u", "stream": True, "seed": None})
    assert preferring("acme/one", {}, offerings=offerings, used=used) == [2]
    assert preferring("acme/one", {}, offerings=offerings) == [1, 2]


def test_an_offering_that_declares_nothing_does_not_do_where_all_is_required():
    with pytest.raises(InvalidRequest) as refusal:
        preferring("acme/one", {}, used={"temperature": "generationConfig.temperature"})
    assert (refusal.value.error_code, refusal.value.param) == (
        "unsupported_parameter",
        "generationConfig.temperature",
    )
    assert preferring("acme/one", {}, used={}) == [1, 2]


def test_the_parameter_that_nobody_has_is_the_one_that_is_named():
    offerings = (
        an_offering(1, provider_id=1, params=frozenset({"seed", "stop"})),
        an_offering(2, provider_id=2, params=frozenset({"logit_bias", "stop"})),
    )
    used = {name: name for name in ("seed", "logit_bias", "top_k", "stop")}
    with pytest.raises(InvalidRequest) as refusal:
        preferring("acme/one", {}, offerings=offerings, used=used)
    assert refusal.value.param == "top_k"
    del used["top_k"]
    with pytest.raises(InvalidRequest, match="'logit_bias' and 'seed' together"):
        preferring("acme/one", {}, offerings=offerings, used=used)


@pytest.mark.parametrize(
    ("declared", "quirks", "is_strict", "takes"),
    [
        ({"structured_outputs"}, (), True, True),
        ({"response_format"}, (), False, True),
        ({"response_format"}, (), True, False),
        ({"tools"}, ("schema_by_tool",), True, True),
        ({"tools"}, (), False, False),
    ],
)
def test_a_schema_is_taken_as_it_is_declared_or_by_a_tool(declared, quirks, is_strict, takes):
    assert declares(declared, set(quirks), "structured_outputs", is_strict=is_strict) is takes


def test_without_fallbacks_all_but_the_best_are_dropped():
    model = a_model(offerings=(an_offering(1), an_offering(2), an_offering(3)))
    plan = plan_for("acme/one", CHAT, a_routing_context(model), ProviderPreferences(allows_fallbacks=False))
    assert [each.offering.id for each in plan.candidates] == [1]
    excluded = [(drop.candidate.offering.id, drop.reason) for drop in plan.dropped]
    assert excluded == [(2, "excluded:allow_fallbacks"), (3, "excluded:allow_fallbacks")]
