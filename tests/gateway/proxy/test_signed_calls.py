"""What Gemini proves a call of a tool with: it goes back to its issuer on that very call, and to nobody else."""

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from providers.formats.gemini.signatures import UNSIGNED
from providers.wire.events import (
    Event,
    Finished,
    FinishReason,
    Started,
    ToolArguments,
    ToolCallStarted,
    UsageSeen,
)
from tests.gateway.proxy.edge import RunningEdge, running_edge
from tests.gateway.proxy.test_proofs import PROOFS, QUIRKS
from tests.gateway.proxy.test_proofs import events as proved_thoughts
from tests.gateway.proxy.tool_turns import CLIENTS, ask, first_turn, next_turn
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.upstream.speaking import USAGE, Speaker, speaking

PROOF = base64.b64encode(b"why it was called, for Google's eyes only").decode()
CALLED: list[Event] = [
    Started(id="upstream-1"),
    ToolCallStarted(0, "call_1", "look_up", PROOF, "gemini"),
    ToolArguments(0, '{"city":"Graz"}'),
    # Of calls made at once the first alone is signed.
    ToolCallStarted(1, "call_2", "look_up"),
    ToolArguments(1, '{"city":"Linz"}'),
    Finished(FinishReason.TOOL_CALLS, "STOP"),
    UsageSeen(USAGE),
]
UNPROVED = [
    replace(each, signature=None, origin="") if isinstance(each, ToolCallStarted) else each for each in CALLED
]
OTHERS = ("openai", "responses", "anthropic")
LANES = ("direct", "worker")


@pytest.fixture(scope="module", params=["gemini", *OTHERS])
def servers(request) -> Iterator[tuple[str, Speaker, Speaker, RunningEdge]]:
    """One model at Gemini, and at a second provider of the same format or of another."""
    name = request.param
    with ExitStack() as stack:
        first, second = stack.enter_context(speaking("gemini")), stack.enter_context(speaking(name))
        providers = [
            a_provider(1, base_url=first.base_url, wire_format="gemini"),
            a_provider(2, base_url=second.base_url, wire_format=name, quirks=QUIRKS.get(name, frozenset())),
        ]
        offerings = tuple(
            an_offering(
                id_, provider_id=id_, position=id_, upstream_name="gemini-3-pro", max_output_tokens=8000
            )
            for id_ in (1, 2)
        )
        models = [a_model(offerings=offerings)]
        yield name, first, second, stack.enter_context(running_edge(models, providers))


@pytest.fixture(autouse=True)
def _fresh(servers):
    name, first, second, edge = servers
    edge.forget()
    first.events, second.events = CALLED, CALLED if name == "gemini" else UNPROVED
    for speaker in (first, second):
        speaker.refusal = None
        speaker.seen.clear()


def calls_in(speaker: Speaker) -> list[dict[str, Any]]:
    """The parts with calls that Gemini was given back."""
    parts = [part for turn in speaker.seen[-1][2]["contents"] for part in turn["parts"]]
    return [part for part in parts if "functionCall" in part]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_proof_of_a_call_goes_back_on_that_call_alone_and_survives_a_turn_at_another(
    servers, client, lane, streamed
):
    name, first, second, edge = servers
    how = {"lane": lane, "streamed": streamed}
    asked = next_turn(client, body := first_turn(client), ask(edge, client, body, **how))
    assert PROOF not in json.dumps(asked)
    again = ask(edge, client, asked, **how)
    assert [call.get("thoughtSignature") for call in calls_in(first)] == [PROOF, None]

    first.refusal = (503, {}, b"{}")
    at_other = ask(edge, client, asked, **how)
    told = json.dumps(second.seen[-1][2])
    assert not [word for word in (PROOF, "gh2.", "aXNzdWVkO", "provider-1") if word in told]
    assert told.count("Graz") == told.count("Linz") == 1
    if name == "gemini":
        assert [call.get("thoughtSignature") for call in calls_in(second)] == [UNSIGNED, None]

    first.refusal = None
    edge.forget()
    for turn in (again, at_other):
        ask(edge, client, next_turn(client, asked, turn), **how)
        signed = [call.get("thoughtSignature") for call in calls_in(first)]
        # What another one proves the second turn with, Gemini would refuse: a stand-in takes its place.
        assert signed == [PROOF, None, PROOF if turn is again else UNSIGNED, None]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("lane", LANES)
def test_proof_of_anothers_thoughts_is_not_told_to_gemini_and_goes_back_afterwards(servers, client, lane):
    name, first, second, edge = servers
    second.events = proved_thoughts(name)
    first.refusal = (503, {}, b"{}")
    how = {"lane": lane, "streamed": False}
    asked = next_turn(client, body := first_turn(client), ask(edge, client, body, **how))
    first.refusal, second.refusal = None, (503, {}, b"{}")
    edge.forget()
    again = next_turn(client, asked, ask(edge, client, asked, **how))
    assert PROOFS[name] not in json.dumps(first.seen[-1][2])
    assert "Fine." in json.dumps(first.seen[-1][2])
    first.refusal, second.refusal = second.refusal, None
    edge.forget()
    ask(edge, client, again, **how)
    assert PROOFS[name] in json.dumps(second.seen[-1][2])
    assert PROOF not in json.dumps(second.seen[-1][2])
