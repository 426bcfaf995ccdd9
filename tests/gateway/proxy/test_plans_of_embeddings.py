"""Where embeddings can be made as they are asked for."""

import pytest

from gateway.proxy.errors import InvalidRequest
from providers.operations.base import Requirements
from providers.operations.registry import operation_of
from providers.wire.call import Call
from tests.gateway.proxy.values import (
    a_model,
    a_provider,
    a_routing_context,
    an_offering,
    plan_for,
    plan_ids,
)


def test_auto_is_refused_for_embeddings():
    with pytest.raises(InvalidRequest) as refusal:
        plan_for("auto", Requirements("embeddings"), a_routing_context())
    assert refusal.value.param == "model"


def embedding(**body):
    call = Call("embeddings", {"model": "acme/one", "input": "hi", **body})
    return operation_of("embeddings").requirements(call)


def embedding_model(*offerings):
    made = (
        an_offering(id_, provider_id=id_, endpoints=frozenset({"embeddings"}), **facts)
        for id_, facts in enumerate(offerings, start=1)
    )
    return a_model(offerings=tuple(made))


TOKENS = {"input": [[1, 2], [3]]}


@pytest.mark.parametrize(
    ("body", "offering", "provider", "reason"),
    [
        ({}, {}, {"wire_format": "anthropic"}, "format_lacks_endpoint"),
        (TOKENS, {}, {"wire_format": "voyage"}, "cannot_embed:input"),
        (TOKENS, {}, {"wire_format": "cohere"}, "cannot_embed:input"),
        (TOKENS, {}, {"wire_format": "gemini"}, "cannot_embed:input"),
        (TOKENS, {}, {"quirks": frozenset({"embeds_texts_only"})}, "cannot_embed:input"),
        ({"input": ["x"] * 101}, {}, {"quirks": frozenset({"embeds_at_most_100"})}, "cannot_embed:input"),
        ({"input": ["x"] * 97}, {}, {"wire_format": "cohere"}, "cannot_embed:input"),
        ({"dimensions": 64}, {"params": frozenset({"user"})}, {}, "cannot_embed:dimensions"),
        ({"input_type": "similarity"}, {}, {"wire_format": "voyage"}, "cannot_embed:input_type"),
        ({"truncation": True}, {}, {"wire_format": "gemini"}, "cannot_embed:truncation"),
    ],
)
def test_embeddings_go_only_where_they_can_be_made_as_asked(body, offering, provider, reason):
    providers = (a_provider(1, **provider), a_provider(2))
    context = a_routing_context(embedding_model(offering, {}), providers=providers)
    plan = plan_for("acme/one", embedding(**body), context)
    assert [drop.reason for drop in plan.dropped] == [reason]
    assert [candidate.offering.id for candidate in plan.candidates] == [2]


@pytest.mark.parametrize("wire_format", ["openai", "responses", "voyage", "cohere", "gemini"])
def test_dimensions_are_taken_wherever_the_offering_declares_them(wire_format):
    own = frozenset({"dimensions", "output_dimension", "outputDimensionality"})
    context = a_routing_context(
        embedding_model({"params": own}), providers=(a_provider(1, wire_format=wire_format),)
    )
    assert plan_ids("acme/one", embedding(dimensions=64), context) == [1]


def test_what_no_offering_can_embed_is_told_in_the_formats_words():
    context = a_routing_context(embedding_model({}), providers=(a_provider(1, wire_format="voyage"),))
    with pytest.raises(InvalidRequest, match="texts, not token numbers") as refusal:
        plan_for("acme/one", embedding(**TOKENS), context)
    assert (refusal.value.error_code, refusal.value.param) == ("unsupported_parameter", "input")


def test_a_model_whose_formats_have_no_embeddings_is_not_offered_for_them():
    context = a_routing_context(embedding_model({}), providers=(a_provider(1, wire_format="anthropic"),))
    with pytest.raises(InvalidRequest, match="serves embeddings") as refusal:
        plan_for("acme/one", embedding(), context)
    assert refusal.value.error_code == "unsupported_endpoint"
