"""What was weighed for one request is kept for others: each hears what it would hear if nobody had asked before it."""

from dataclasses import replace
from itertools import pairwise

import pytest

from providers.formats.base import TranslationError
from providers.formats.registry import FORMATS
from providers.operations import weighing
from providers.operations.registry import operation_of
from providers.wire.call import Call
from providers.wire.upstream import Upstream
from tests.gateway.proxy.values import a_provider
from tests.providers.formats.test_losses import BODIES
from tests.providers.operations.settings import Maker
from tests.providers.operations.test_weighing import lost_in_truth

PAIRS = 400
STOPS = {
    "openai": lambda texts: {"stop": texts},
    "anthropic": lambda texts: {"stop_sequences": texts},
    "gemini": lambda texts: {"generationConfig": {"stopSequences": texts}},
}


def told(client, own, body, upstream):
    endpoint = FORMATS[client].endpoint
    call = Call(endpoint, body, format=client, is_streamed=upstream.is_streamed)
    operation = operation_of(endpoint)
    provider = replace(a_provider(wire_format=own), quirks=upstream.quirks)
    verdict = operation.verdict(operation.requirements(call), provider, upstream)
    refusal = verdict.refusal
    return verdict.worst, verdict.lost, refusal and (refusal.param, refusal.message, refusal.code)


def is_readable(client, body):
    try:
        FORMATS[client].read_request(body)
    except TranslationError:
        return False
    return True


def chain(client):
    """Requests and offerings, each but a little different from the one before it."""
    maker = Maker(7)
    body, upstream = maker.body(client), maker.upstream()
    for number in range(PAIRS):
        if not number % 20:
            body, upstream = maker.body(client), maker.upstream()
        elif number % 2:
            body = maker.like(body, maker.body(client))
        else:
            upstream = maker.like_upstream(upstream)
        if is_readable(client, body):
            yield body, upstream


@pytest.mark.parametrize("client", FORMATS)
def test_request_hears_the_same_after_one_that_is_much_alike_as_it_hears_alone(client):
    for number, ((body, upstream), (next_body, next_upstream)) in enumerate(pairwise(chain(client))):
        own = sorted(FORMATS)[number % len(FORMATS)]
        weighing._kept_verdicts.cache_clear()
        alone = told(client, own, next_body, next_upstream)
        weighing._kept_verdicts.cache_clear()
        told(client, own, body, upstream)
        assert told(client, own, next_body, next_upstream) == alone, (own, body, next_body, next_upstream)


def of(client, **fields):
    return client, BODIES[client] | fields


def tool(name):
    return {"tools": [{"type": "function", "name": name, "parameters": {}}], "temperature": 0.5}


MARKED = {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}
UPSTREAM = Upstream("m", is_streamed=False, max_output_tokens=4_000)
BY_TOOL = replace(UPSTREAM, quirks=frozenset({"schema_by_tool"}))
BY_BUDGET = replace(UPSTREAM, quirks=frozenset({"thinking_budget"}))
# A wire format, and two requests with their offerings, of which one loses something else than the other.
UNLIKE = {
    "tool that stands for the answer": (
        "responses",
        (of("responses", **tool("_json_answer")), BY_TOOL),
        (of("responses", **tool("f")), BY_TOOL),
    ),
    "client's words": (
        "anthropic",
        (of("openai", reasoning_effort="minimal", temperature=2, max_tokens=9), BY_BUDGET),
        (of("responses", reasoning={"effort": "minimal"}, temperature=2, max_output_tokens=9), BY_BUDGET),
    ),
    "mark": (
        "gemini",
        (of("anthropic", messages=[{"role": "user", "content": [MARKED]}], service_tier="auto"), UPSTREAM),
        (of("anthropic", service_tier="auto"), UPSTREAM),
    ),
    "quirk": (
        "anthropic",
        (of("openai", temperature=0.5), replace(UPSTREAM, quirks=frozenset({"version_2026_10_21"}))),
        (of("openai", temperature=0.5), UPSTREAM),
    ),
    "most tokens of an answer": (
        "anthropic",
        (of("openai", reasoning_effort="high"), replace(BY_BUDGET, max_output_tokens=1_024)),
        (of("openai", reasoning_effort="high"), replace(BY_BUDGET, max_output_tokens=1_025)),
    ),
    "whether the most tokens are known": (
        "anthropic",
        (of("openai", temperature=0.5), replace(UPSTREAM, max_output_tokens=None)),
        (of("openai", temperature=0.5), UPSTREAM),
    ),
    "parameter that says who asks": (
        "openai",
        (of("anthropic", metadata={"user_id": "ann"}), replace(UPSTREAM, params=frozenset({"stop"}))),
        (of("anthropic", metadata={"user_id": "ann"}), replace(UPSTREAM, params=frozenset({"stop", "user"}))),
    ),
}


@pytest.mark.parametrize("is_turned", [False, True])
@pytest.mark.parametrize("case", UNLIKE)
def test_what_a_writer_looks_at_tells_requests_apart(case, is_turned):
    own, *pair = UNLIKE[case]
    alone = []
    for (client, body), upstream in pair:
        weighing._kept_verdicts.cache_clear()
        alone.append(told(client, own, body, upstream))
    assert alone[0] != alone[1]
    weighing._kept_verdicts.cache_clear()
    order = [1, 0] if is_turned else [0, 1]
    for number in order:
        (client, body), upstream = pair[number]
        assert told(client, own, body, upstream) == alone[number]


@pytest.mark.parametrize("client", FORMATS)
def test_what_is_told_of_settings_is_what_becomes_of_them(client):
    weighing._kept_verdicts.cache_clear()
    compared = 0
    for number, (body, upstream) in enumerate(chain(client)):
        own = sorted(FORMATS)[number % len(FORMATS)]
        # Whoever knows no limit of an answer finds out when it is asked; a chat for chat is relayed.
        known = replace(upstream, max_output_tokens=upstream.max_output_tokens or 9_000)
        if (
            weighing.spoken_format(client, replace(a_provider(wire_format=own), quirks=upstream.quirks))
            == client
        ):
            continue
        _, lost, refusal = told(client, own, body, known)
        truth = lost_in_truth(FORMATS[own], FORMATS[client], body, known)
        assert truth == (None if refusal else set(lost)), (own, body, known)
        compared += 1
    assert compared > PAIRS / 3


@pytest.mark.parametrize("client", STOPS)
@pytest.mark.parametrize(("length", "is_kept"), [(1_024, True), (1_025, False)])
def test_settings_that_a_client_made_long_are_not_held_for_others(client, length, is_kept):
    weighing._kept_verdicts.cache_clear()
    body = BODIES[client] | STOPS[client](["x" * (length - 1), "y"])
    own = "gemini" if client != "gemini" else "anthropic"
    told(client, own, body, UPSTREAM)
    assert weighing._kept_verdicts.cache_info().currsize == is_kept


def test_an_empty_bias_is_weighed_as_one_that_moves_nothing():
    plain = BODIES["openai"]
    biased = plain | {"logit_bias": {}}
    assert told("openai", "anthropic", biased, UPSTREAM) == told("openai", "anthropic", plain, UPSTREAM)
