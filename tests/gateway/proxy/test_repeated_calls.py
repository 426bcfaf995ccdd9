"""A provider that begins anew with the same ids of calls in every answer breaks no client, also of its own format."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

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
from tests.gateway.proxy.tool_turns import CLIENTS, ask, first_turn, next_turn
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.upstream.speaking import USAGE, Speaker, speaking

IDS = {"openai": "id", "responses": "call_id", "anthropic": "id", "gemini": "id"}
# What a model writes is its own, whatever it looks like.
ARGUMENTS = json.dumps({"type": "tool_use", "id": "call_0", "call_id": "call_0"})


def said_by(*ids: str) -> list[Event]:
    calls = [
        each
        for number, call_id in enumerate(ids)
        for each in (ToolCallStarted(number, call_id, "look_up"), ToolArguments(number, ARGUMENTS))
    ]
    return [Started(id="upstream-1"), *calls, Finished(FinishReason.TOOL_CALLS, ""), UsageSeen(USAGE)]


@pytest.fixture(scope="module", params=CLIENTS)
def served(request) -> Iterator[tuple[str, Speaker, RunningEdge]]:
    name = request.param
    with speaking(name) as speaker:
        provider = a_provider(1, base_url=speaker.base_url, wire_format=name)
        offering = an_offering(1, provider_id=1, upstream_name="gemini-3-pro", max_output_tokens=8000)
        with running_edge([a_model(offerings=(offering,))], [provider]) as edge:
            yield name, speaker, edge


def calls_of(client: str, turn: Any) -> list[dict[str, Any]]:
    match client:
        case "openai":
            return turn["tool_calls"]
        case "responses":
            return [item for item in turn if item["type"] == "function_call"]
        case "anthropic":
            return [block for block in turn if block["type"] == "tool_use"]
        case _:
            return [part["functionCall"] for part in turn if "functionCall" in part]


def written_by(call: dict[str, Any]) -> Any:
    said = call.get("function", call)
    written = said.get("arguments", said.get("args", said.get("input")))
    return json.loads(written) if isinstance(written, str) else written


@pytest.mark.parametrize("lane", ["direct", "worker"])
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_ids_that_come_again_are_told_apart_and_all_others_stay(served, lane, streamed):
    client, speaker, edge = served
    body, ids = first_turn(client), []
    for answered in (["call_0"], ["call_0", "call_1"], ["call_0", "call_1", "call_2"]):
        speaker.events = said_by(*answered)
        turn = ask(edge, client, body, lane=lane, streamed=streamed)
        told = calls_of(client, turn)
        assert [written_by(call) for call in told] == [json.loads(ARGUMENTS)] * len(answered)
        ids.append([call[IDS[client]] for call in told])
        body = next_turn(client, body, turn)
    assert ids[0] == ["call_0"]
    assert (ids[1][1], ids[2][2]) == ("call_1", "call_2")
    assert len({each for turn in ids for each in turn}) == 6
    assert all(len(each) <= 40 for turn in ids for each in turn)


def test_every_event_of_a_stream_tells_the_same_id(served):
    client, speaker, edge = served
    speaker.events = said_by("call_0")
    body = first_turn(client)
    body = next_turn(client, body, ask(edge, client, body, lane="direct", streamed=False))
    again = next_turn(client, body, ask(edge, client, body, lane="direct", streamed=True))
    ask(edge, client, again, lane="direct", streamed=False)
    told = (
        json.dumps(speaker.seen[-1][2])
        .replace(json.dumps(json.loads(ARGUMENTS)), "")
        .replace(json.dumps(ARGUMENTS), "")
    )
    # Once where it was called, once where its result is.
    assert told.count('"call_0"') == (1 if client == "gemini" else 2)
