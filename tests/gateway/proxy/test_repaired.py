"""Providers of a quirk, through the edge in both lanes, for clients of every format and OpenAI's own SDK."""

import json
from dataclasses import replace

import openai
import pytest

from providers.formats.answer_tool import ANSWER_TOOL
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
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.upstream.speaking import USAGE, speaking

SAY = [{"role": "user", "content": "hi"}]
CLIENTS = {
    "openai": ("/v1/chat/completions", {"model": "acme/one", "messages": SAY}),
    "anthropic": ("/v1/messages", {"model": "acme/one", "messages": SAY, "max_tokens": 50}),
    "responses": ("/v1/responses", {"model": "acme/one", "input": "hi"}),
}
LANES = pytest.mark.parametrize("lane", ["direct", "worker"])
WAYS = pytest.mark.parametrize("is_streamed", [False, True])
THOUGHTFUL = [TextDelta("<th"), TextDelta("ink>Hm."), TextDelta("</think>"), TextDelta("\n\nYes.")]
BY_TOOL = [
    ToolCallStarted(0, "call_1", ANSWER_TOOL),
    ToolArguments(0, '{"rain":'),
    ToolArguments(0, "true}"),
]
SCHEMA = {"type": "object", "properties": {"rain": {"type": "boolean"}}, "required": ["rain"]}
WANTS_SCHEMA = {"type": "json_schema", "json_schema": {"name": "weather", "schema": SCHEMA}}


def saying(events, reason=FinishReason.STOP):
    return (Started("up-1"), *events, Finished(reason, reason.value), UsageSeen(USAGE))


@pytest.fixture(scope="module")
def repaired():
    """A provider of chat with both quirks, which says what it is told to say."""
    with speaking("openai") as speaker:
        provider = a_provider(
            1, base_url=speaker.base_url, quirks=frozenset({"think_tags", "schema_by_tool"})
        )
        with running_edge([a_model()], [provider]) as edge:
            yield edge, speaker


@pytest.fixture
def say(repaired, monkeypatch):
    repaired[1].seen.clear()
    return lambda events: monkeypatch.setattr(repaired[1], "events", events)


@pytest.fixture
def sdk(repaired):
    edge, _ = repaired
    with openai.OpenAI(api_key=edge.key, base_url=f"{edge.url}/v1", max_retries=0) as client:
        yield client


@LANES
@WAYS
@pytest.mark.parametrize("client", CLIENTS)
def test_thoughts_in_the_text_are_thoughts_for_the_client(repaired, say, client, lane, is_streamed):
    say(saying(THOUGHTFUL))
    path, body = CLIENTS[client]
    with repaired[0].client(**{"x-gateway-lane": lane}) as http:
        answer = http.post(path, json={**body, "stream": is_streamed})
    assert answer.status_code == 200, answer.text
    reader = FORMATS[client].reader()
    events = (
        [*reader.feed(answer.content), *reader.finish()]
        if is_streamed
        else FORMATS[client].read_answer(answer.json())
    )
    assert "".join(event.text for event in events if isinstance(event, ReasoningDelta)) == "Hm."
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "Yes."


@LANES
def test_a_schema_is_asked_for_by_a_tool_and_answered_as_text(repaired, say, sdk, lane):
    say(saying(BY_TOOL, FinishReason.TOOL_CALLS))
    answer = sdk.chat.completions.with_raw_response.create(
        model="acme/one",
        messages=SAY,
        response_format=WANTS_SCHEMA,
        extra_headers={"x-gateway-lane": lane, "x-gateway-show-translated": "1"},
    )
    assert answer.headers["x-gateway-translated"] == "response_format -> tool_choice"
    choice = answer.parse().choices[0]
    assert (json.loads(choice.message.content), choice.message.tool_calls) == ({"rain": True}, None)
    assert choice.finish_reason == "stop"
    sent = repaired[1].seen[0][2]
    assert sent["tool_choice"] == {"type": "function", "function": {"name": ANSWER_TOOL}}
    assert sent["tools"][0]["function"]["parameters"] == SCHEMA
    assert "response_format" not in sent


@LANES
def test_a_schema_is_streamed_as_text(say, sdk, lane):
    say(saying(BY_TOOL, FinishReason.TOOL_CALLS))
    stream = sdk.chat.completions.create(
        model="acme/one",
        messages=SAY,
        response_format=WANTS_SCHEMA,
        stream=True,
        extra_headers={"x-gateway-lane": lane},
    )
    choices = [choice for chunk in stream for choice in chunk.choices]
    assert json.loads("".join(choice.delta.content or "" for choice in choices)) == {"rain": True}
    assert not any(choice.delta.tool_calls for choice in choices)
    assert choices[-1].finish_reason == "stop"


def test_an_answer_cut_short_says_so(say, sdk):
    say(saying(BY_TOOL[:2], FinishReason.LENGTH))
    answer = sdk.chat.completions.create(model="acme/one", messages=SAY, response_format=WANTS_SCHEMA)
    assert answer.choices[0].finish_reason == "length"


def test_tools_of_the_clients_own_stay_tools(say, sdk):
    say(saying([replace(BY_TOOL[0], name="look"), ToolArguments(0, "{}")], FinishReason.TOOL_CALLS))
    tools = [{"type": "function", "function": {"name": "look"}}]
    choice = sdk.chat.completions.create(model="acme/one", messages=SAY, tools=tools).choices[0]
    assert (choice.finish_reason, choice.message.tool_calls[0].function.name) == ("tool_calls", "look")


def test_several_choices_are_refused_where_the_answer_is_written_anew(repaired, sdk):
    with pytest.raises(openai.BadRequestError) as refused:
        sdk.chat.completions.create(model="acme/one", messages=SAY, n=2)
    assert refused.value.param == "n"


@pytest.mark.parametrize(
    ("client", "asked", "param"),
    [("openai", {"n": 2}, "n"), ("gemini", {"candidateCount": 2}, "generationConfig.candidateCount")],
)
def test_several_choices_go_to_an_offering_that_can_give_them(client, asked, param):
    """The first one speaks Anthropic's format, which has no such thing."""
    with speaking("anthropic") as first, speaking(client) as second:
        offerings = [an_offering(n, provider_id=n, position=n, max_output_tokens=50) for n in (1, 2)]
        providers = [
            a_provider(1, base_url=first.base_url, wire_format="anthropic"),
            a_provider(2, base_url=second.base_url, wire_format=client),
        ]
        models = [a_model(offerings=tuple(offerings)), a_model("acme/two", offerings=tuple(offerings[:1]))]
        with running_edge(models, providers) as edge, edge.client() as http:

            def ask(model):
                if client == "openai":
                    body = {"model": model, "messages": SAY, **asked}
                    return http.post("/v1/chat/completions", json=body)
                body = {"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": asked}
                return http.post(f"/v1beta/models/{model}:generateContent", json=body)

            answer, refusal = ask("acme/one"), ask("acme/two")
    assert (answer.status_code, answer.headers["x-gateway-provider"]) == (200, "provider-2"), answer.text
    assert (first.seen, len(second.seen)) == ([], 1)
    assert refusal.status_code == 400
    assert param in refusal.json()["error"]["message"]


def test_what_one_format_cannot_say_is_no_fault_of_its_provider():
    with speaking("anthropic") as speaker:
        provider = a_provider(1, base_url=speaker.base_url, wire_format="anthropic")
        with running_edge([a_model(offerings=(an_offering(max_output_tokens=9),))], [provider]) as edge:
            for _ in range(6):
                assert edge.chat(logprobs=True).json()["error"]["param"] == "logprobs"
            assert edge.chat().status_code == 200
