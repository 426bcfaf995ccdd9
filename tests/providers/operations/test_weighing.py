"""What an offering would lose is told on a sketch of the request, and is what its writer then loses of the request."""

from dataclasses import replace

import orjson
import pytest

from providers.formats.base import TranslationError
from providers.formats.extras import refuse_choices
from providers.formats.registry import FORMATS
from providers.formats.translation import write_for
from providers.operations.registry import operation_of
from providers.wire.call import Call
from providers.wire.upstream import Upstream
from tests.gateway.proxy.values import a_provider
from tests.providers.formats.conversations import Ability, make_conversation
from tests.providers.formats.test_edits import golden

SEEDS = range(60)


def lost_in_truth(own, client, body, upstream):
    """None where it is refused."""
    conversation = client.read_request(body)
    try:
        if own is not client:
            refuse_choices(conversation)
        known = replace(upstream, user_id=conversation.user_id and "x")
        return set(write_for(own, client, conversation, known).lost)
    except TranslationError:
        return None


def bodies(client):
    yield golden(client)
    for seed in SEEDS:
        conversation = replace(make_conversation(seed, Ability(client)), source=client)
        try:
            upstream = Upstream("m", is_streamed=False, max_output_tokens=4000)
            written = FORMATS[client].write_request(conversation, upstream)
            body = orjson.loads(orjson.dumps(written.body))
            FORMATS[client].read_request(body)
        except TranslationError:
            continue
        yield body


@pytest.mark.parametrize("client", FORMATS)
def test_sketch_loses_what_the_request_loses(client):
    endpoint = FORMATS[client].endpoint
    operation, compared = operation_of(endpoint), 0
    for body in bodies(client):
        needs = operation.requirements(Call(endpoint, body, format=client))
        for own in FORMATS:
            upstream = Upstream("m", is_streamed=False, max_output_tokens=4000)
            verdict = operation.verdict(needs, a_provider(wire_format=own), upstream)
            truth = lost_in_truth(FORMATS[own], FORMATS[client], body, upstream)
            if own == client == "openai":
                continue
            if verdict.refusal is not None:
                assert truth is None, (own, body, verdict)
            elif truth is not None:
                assert set(verdict.lost) == truth, (own, body)
                compared += 1
    assert compared > 20


UPSTREAMS = [
    Upstream(name, is_streamed=False, params=params, max_output_tokens=most, quirks=quirks, searches=searches)
    for name in ("m", "claude-opus-4-8", "claude-opus-4-5", "gpt-5.2", "gpt-5")
    for params in (
        frozenset(),
        frozenset({"tools", "temperature", "max_tokens"}),
        frozenset({"stop", "temperature"}),
        frozenset({"reasoning", "seed", "top_k"}),
    )
    for most in (None, 2000, 64_000)
    for quirks in (frozenset(), frozenset({"thinking_budget"}), frozenset({"cache_control"}))
    for searches in (False, True)
]


@pytest.mark.parametrize("client", FORMATS)
def test_offerings_of_one_kind_are_weighed_once_and_as_each_would_be_alone(client):
    endpoint = FORMATS[client].endpoint
    operation = operation_of(endpoint)
    for number, body in enumerate(bodies(client)):
        together = operation.requirements(Call(endpoint, body, format=client))
        upstreams = UPSTREAMS[number % 23 :: 23]
        for own in FORMATS:
            provider = a_provider(wire_format=own)
            for upstream in upstreams:
                alone = operation.requirements(Call(endpoint, body, format=client))
                told = [
                    (verdict.worst, verdict.lost, verdict.refusal and verdict.refusal.param)
                    for verdict in (
                        operation.verdict(needs, provider, upstream) for needs in (together, alone)
                    )
                ]
                assert told[0] == told[1], (own, body, upstream)


def test_models_that_nobody_knows_are_weighed_as_one():
    body = {"messages": [{"role": "user", "content": "hi"}], "temperature": 0.5}
    needs = operation_of("chat.completions").requirements(Call("chat.completions", body))
    for name in ("m", "n", "o"):
        upstream = Upstream(name, is_streamed=False, max_output_tokens=len(needs.verdicts) + 1)
        operation_of("chat.completions").verdict(needs, a_provider(wire_format="anthropic"), upstream)
    assert len(needs.verdicts) == 1
