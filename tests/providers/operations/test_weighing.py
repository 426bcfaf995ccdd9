"""What an offering would lose is told on a sketch of the request, and is what its writer then loses of the request."""

from dataclasses import replace

import orjson
import pytest

from providers.formats.base import TranslationError
from providers.formats.extras import refuse_choices
from providers.formats.losses import Kind
from providers.formats.registry import FORMATS
from providers.formats.translation import write_for
from providers.operations import weighing
from providers.operations.registry import operation_of
from providers.wire.call import Call
from providers.wire.upstream import Upstream
from tests.gateway.proxy.values import a_provider
from tests.providers.formats.conversations import Ability, make_conversation
from tests.providers.formats.test_edits import golden
from tests.providers.formats.test_losses import BODIES
from tests.providers.formats.test_searches import SEARCHES

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
    for quirks in (frozenset(), frozenset({"thinking_budget"}), frozenset({"version_2026_10_21"}))
    for searches in (False, True)
]


def weighed(client, bodies, upstreams, *, is_fresh):
    """What is told of each body and offering; `is_fresh`: by nobody who has seen another one."""
    endpoint = FORMATS[client].endpoint
    operation = operation_of(endpoint)
    for body in bodies:
        needs = operation.requirements(Call(endpoint, body, format=client))
        for own in FORMATS:
            for upstream in upstreams:
                if is_fresh:
                    weighing._kept_verdicts.cache_clear()
                    needs = operation.requirements(Call(endpoint, body, format=client))
                verdict = operation.verdict(needs, a_provider(wire_format=own), upstream)
                yield verdict.worst, verdict.lost, verdict.refusal and verdict.refusal.param


SETTINGS = {
    "openai": [
        {},
        {"temperature": 0.5},
        {"seed": 1, "top_p": 0.5},
        {"reasoning_effort": "high"},
        {"reasoning_effort": "xhigh"},
    ],
    "responses": [
        {},
        {"temperature": 0.5},
        {"top_p": 0.5},
        {"reasoning": {"effort": "high"}},
        {"reasoning": {"effort": "xhigh"}},
    ],
    "anthropic": [{}, {"temperature": 0.5}, {"top_k": 5}, {"thinking": {"type": "adaptive"}}],
    "gemini": [{}, {"generationConfig": {"temperature": 0.5}}, {"generationConfig": {"topK": 5, "seed": 1}}],
}


@pytest.mark.parametrize("client", FORMATS)
def test_what_is_weighed_once_for_many_is_what_each_would_be_told_alone(client):
    alike = [BODIES[client] | fields for fields in [*SETTINGS[client], SEARCHES[client]]]
    for asked, upstreams in (alike, UPSTREAMS[::13]), ([golden(client), *bodies(client)], UPSTREAMS[::151]):
        shared = list(weighed(client, asked, upstreams, is_fresh=False))
        assert shared == list(weighed(client, asked, upstreams, is_fresh=True))
        assert {worst for worst, _, _ in shared} >= {Kind.NOTHING, Kind.TUNING}


def test_models_that_nobody_knows_are_weighed_as_one():
    body = {"messages": [{"role": "user", "content": "hi"}], "temperature": 0.5}
    needs = operation_of("chat.completions").requirements(Call("chat.completions", body))
    for name in ("m", "n", "o"):
        upstream = Upstream(name, is_streamed=False, max_output_tokens=len(name) + ord(name))
        operation_of("chat.completions").verdict(needs, a_provider(wire_format="anthropic"), upstream)
        assert len(needs.sketch[1]) == 1


CHOICE = {
    "type": "allowed_tools",
    "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "chosen"}}]},
}


@pytest.mark.parametrize("order", [("absent", "there"), ("there", "absent")])
def test_choice_of_a_tool_is_weighed_by_the_tools_that_are_there(order):
    weighing._kept_verdicts.cache_clear()
    operation, told = operation_of("chat.completions"), {}
    upstream = Upstream(
        "m", is_streamed=False, params=frozenset(), max_output_tokens=None, quirks=frozenset()
    )
    for case in order:
        name = {"there": "chosen", "absent": "other"}[case]
        body = {
            "messages": [{"role": "user", "content": "hello"}],
            "tools": [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}],
            "max_tokens": 9,
            "tool_choice": CHOICE,
        }
        needs = operation.requirements(Call("chat.completions", body, format="openai"))
        told[case] = operation.verdict(needs, a_provider(wire_format="anthropic"), upstream).refusal
    assert told["there"] is None
    assert told["absent"].param == "tool_choice"
