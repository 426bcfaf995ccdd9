"""Responses that can be gone on from, through the edge in both lanes, at providers of every format."""

import json

import openai
import pytest

from gateway.proxy.stored import input_items
from providers.formats.registry import FORMATS
from providers.wire.events import (
    Finished,
    FinishReason,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
    UsageSeen,
)
from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.values import a_model, a_provider
from tests.upstream.speaking import USAGE, speaking

LANES = pytest.mark.parametrize("lane", ["direct", "worker"])
WAYS = pytest.mark.parametrize("is_streamed", [False, True])
HELLO = (Started("up-1"), TextDelta("Ahoy."), Finished(FinishReason.STOP, "stop"), UsageSeen(USAGE))
CALLING = (
    Started("up-2"),
    ToolCallStarted(0, "call_7", "look"),
    ToolArguments(0, '{"at":"sea"}'),
    Finished(FinishReason.TOOL_CALLS, "tool_calls"),
    UsageSeen(USAGE),
)
LOOK = {"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": False}


@pytest.fixture(scope="module", params=list(FORMATS))
def speaker(request):
    with speaking(request.param) as speaker:
        yield speaker


@pytest.fixture(scope="module")
def edge(speaker):
    provider = a_provider(1, base_url=speaker.base_url, wire_format=speaker.wire_format.name)
    with running_edge([a_model(max_output_tokens=1000)], [provider]) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(edge, speaker):
    edge.process.responses.kept.clear()
    edge.process.responses.is_away = False
    speaker.seen.clear()
    speaker.events = HELLO


def respond(edge, *, lane="direct", key=None, **asked):
    """The response as the client has it in the end."""
    with edge.client(key, **{"x-gateway-lane": lane}) as client:
        answer = client.post("/v1/responses", json={"model": "acme/one", "input": "hi", **asked})
    assert answer.status_code == 200, answer.text
    if not asked.get("stream"):
        return answer.json()
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    named = [line[7:] for line in answer.text.splitlines() if line.startswith("event: ")]
    assert named == [event["type"] for event in events]
    responses = [event["response"] for event in events if "response" in event]
    assert len({response["id"] for response in responses}) == 1
    return responses[-1]


def said_to(speaker) -> str:
    return json.dumps(speaker.seen[-1][2])


@LANES
@WAYS
def test_next_turn_is_asked_with_all_that_went_before(edge, speaker, lane, is_streamed):
    first = respond(edge, lane=lane, stream=is_streamed, input="What ship?", instructions="Be brief.")
    second = respond(
        edge, lane=lane, stream=is_streamed, input="And whose?", previous_response_id=first["id"]
    )
    third = respond(edge, lane=lane, stream=is_streamed, input="Why?", previous_response_id=second["id"])
    said = said_to(speaker)
    assert all(text in said for text in ("What ship?", "Ahoy.", "And whose?", "Why?"))
    assert said.index("What ship?") < said.index("And whose?") < said.index("Why?")
    # Instructions are of one turn only, as at OpenAI.
    assert "Be brief." not in said
    assert "previous_response_id" not in said
    assert (third["previous_response_id"], third["store"]) == (second["id"], True)
    # Also where the provider gives all of its answers the same one.
    assert len({first["id"], second["id"], third["id"]}) == 3


def test_tokens_of_all_that_went_before_are_counted(edge):
    first = respond(edge, input="What ship? " * 100)
    body = {"input": "And whose?"}
    with edge.client() as client:
        counts = [
            client.post("/v1/responses/input_tokens", json={**body, **more}).json()
            for more in ({}, {"previous_response_id": first["id"]})
        ]
    alone, with_first = (count["input_tokens"] for count in counts)
    assert with_first > alone + 200
    assert {count["object"] for count in counts} == {"response.input_tokens"}


@WAYS
def test_result_of_a_stored_call_is_understood(edge, speaker, is_streamed):
    speaker.events = CALLING
    called = respond(edge, stream=is_streamed, tools=[LOOK])
    [call] = [item for item in called["output"] if item["type"] == "function_call"]
    speaker.events = HELLO
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "Waves."}
    respond(edge, stream=is_streamed, tools=[LOOK], input=[result], previous_response_id=called["id"])
    said = said_to(speaker)
    assert said.index("look") < said.index("Waves.")
    assert "sea" in said


@WAYS
def test_what_is_stored_is_what_the_client_saw(edge, is_streamed):
    told = respond(edge, stream=is_streamed)
    [(owner, response_id)] = edge.process.responses.kept
    kept = edge.process.responses.kept[owner, response_id]
    assert (response_id, kept.response) == (told["id"], told)
    assert kept.input == input_items("hi")


@WAYS
@pytest.mark.parametrize("asked", [{"store": False}, {}])
def test_nothing_is_stored_against_the_wish_of_client_or_team(edge, asked, is_streamed):
    key = edge.keys.issue(keeps_responses=bool(asked))
    told = respond(edge, key=key, stream=is_streamed, **asked)
    assert (told["store"], edge.process.responses.kept) == (False, {})


def test_provider_is_never_asked_to_keep_anything(edge, speaker):
    respond(edge, store=True)
    assert speaker.seen[-1][2].get("store", False) is False


@pytest.mark.parametrize("response_id", ["resp_nobody", "x" * 128, "\0"])
def test_response_that_is_not_there_is_named(edge, response_id):
    with edge.client() as client:
        body = {"model": "acme/one", "input": "hi", "previous_response_id": response_id}
        answer = client.post("/v1/responses", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "previous_response_not_found")
    assert error["param"] == "previous_response_id"


def test_response_of_another_team_is_not_there(edge):
    told = respond(edge)
    with edge.client(edge.keys.issue(team_id=2)) as client:
        body = {"model": "acme/one", "input": "hi", "previous_response_id": told["id"]}
        assert client.post("/v1/responses", json=body).status_code == 400


@WAYS
def test_answer_comes_although_it_cannot_be_stored(edge, is_streamed):
    edge.process.responses.is_away = True
    told = respond(edge, stream=is_streamed)
    assert told["output"][0]["content"][0]["text"] == "Ahoy."
    assert told["store"] is False


def test_stream_tells_that_it_is_stored_at_its_end_only(edge):
    with edge.client() as client:
        for is_away in (False, True):
            edge.process.responses.is_away = is_away
            text = client.post(
                "/v1/responses", json={"model": "acme/one", "input": "hi", "stream": True}
            ).text
            told = [line.partition('"store":')[2][:4] for line in text.splitlines() if '"store":' in line]
            assert told == ["fals", "fals", "fals" if is_away else "true"]


def test_going_on_says_when_stored_responses_cannot_be_read(edge):
    told = respond(edge)
    edge.process.responses.is_away = True
    with edge.client() as client:
        body = {"model": "acme/one", "input": "hi", "previous_response_id": told["id"]}
        answer = client.post("/v1/responses", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "responses_unavailable")


def test_history_that_is_too_long_is_refused(edge):
    told = respond(edge, input="x" * 600_000)
    with edge.client() as client:
        body = {"model": "acme/one", "input": "y" * 600_000, "previous_response_id": told["id"]}
        answer = client.post("/v1/responses", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (413, "previous_response_id")


def test_long_answer_is_streamed_and_stored_whole(edge, speaker):
    """Its last event, which repeats the instructions, is larger than any that a provider may send."""
    speaker.events = (HELLO[0], TextDelta("x" * 600_000), *HELLO[2:])
    told = respond(edge, stream=True, instructions="y" * 600_000)
    assert edge.process.responses.kept[1, told["id"]].response == told


def test_thoughts_without_a_signature_are_left_out_of_the_next_turn(edge, speaker):
    speaker.events = (HELLO[0], ReasoningDelta("Secretly."), *HELLO[1:])
    told = respond(edge)
    speaker.events = HELLO
    respond(edge, input="And?", previous_response_id=told["id"])
    assert "Ahoy." in said_to(speaker)
    assert "Secretly." not in said_to(speaker)


def test_sdk_talks_over_three_turns(edge, speaker):
    with openai.OpenAI(api_key=edge.key, base_url=f"{edge.url}/v1", max_retries=0) as sdk:
        previous = None
        for text in ("one", "two", "three"):
            with sdk.responses.stream(model="acme/one", input=text, previous_response_id=previous) as stream:
                answer = stream.get_final_response() if stream.until_done() else None
            assert answer.output_text == "Ahoy."
            previous = answer.id
    assert all(text in said_to(speaker) for text in ("one", "two", "three"))
