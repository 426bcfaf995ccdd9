"""OpenAI's SDK in front of incomplete providers: it gets what it needs, and the bill agrees with what it is told."""

import json

import openai
import pytest

from tests.gateway.proxy.edge import recorded, running_edge
from tests.gateway.proxy.values import a_model, a_price, a_provider, an_offering
from tests.upstream import ScriptedProvider

SAY = [{"role": "user", "content": "Is it raining?"}]
LANES = pytest.mark.parametrize("lane", ["direct", "worker"])
LOOK = {"type": "function", "function": {"name": "look"}}


@pytest.fixture(scope="module")
def edge():
    with ScriptedProvider() as provider:
        offering = an_offering(
            endpoints=frozenset({"chat.completions", "embeddings"}),
            prices=(a_price("input_text_tokens", "1"), a_price("output_text_tokens", "2")),
        )
        with running_edge(
            [a_model(offerings=(offering,))], [a_provider(1, base_url=provider.base_url)]
        ) as running:
            yield running


@pytest.fixture
def ask(edge, lane):
    """Options of the SDK for a provider that behaves so."""
    edge.records.clear()

    def options(behaviour, **more):
        headers = {"x-gateway-lane": lane}
        return {"model": "acme/one", "extra_body": {"scripted": behaviour}, "extra_headers": headers, **more}

    return options


@pytest.fixture
def sdk(edge):
    with openai.OpenAI(api_key=edge.key, base_url=f"{edge.url}/v1", max_retries=0) as client:
        yield client


@LANES
@pytest.mark.parametrize(("behaviour", "is_estimated"), [("no-usage", True), ("usage-beside-choices", False)])
def test_stream_ends_with_usage_in_a_chunk_of_its_own(edge, sdk, ask, behaviour, is_estimated):
    asked = ask(behaviour, messages=SAY, stream=True, stream_options={"include_usage": True})
    chunks = list(sdk.chat.completions.create(**asked))
    assert [bool(chunk.usage) for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert (chunks[-1].choices, len({chunk.id for chunk in chunks})) == ([], 1)
    closed, told = recorded(edge), chunks[-1].usage
    billed = (closed.usage["input_tokens"], closed.usage["output_tokens"])
    assert (told.prompt_tokens, told.completion_tokens) == billed
    assert (closed.is_estimated, told.model_extra.get("is_estimated", False)) == (is_estimated,) * 2


@LANES
@pytest.mark.parametrize("behaviour", ["no-usage", "usage-beside-choices"])
def test_usage_that_nobody_asked_for_is_hidden(sdk, ask, behaviour):
    chunks = list(sdk.chat.completions.create(**ask(behaviour, messages=SAY, stream=True)))
    assert chunks
    assert not any(chunk.usage for chunk in chunks)


@LANES
def test_tool_calls_can_be_told_apart_and_read(sdk, ask):
    answer = sdk.chat.completions.create(**ask("bare-calls", messages=SAY, tools=[LOOK]))
    calls = answer.choices[0].message.tool_calls
    assert answer.id.startswith("chatcmpl-")
    assert answer.choices[0].message.role == "assistant"
    assert [json.loads(call.function.arguments) for call in calls] == [{"at": "sea"}] * 2
    assert len({call.id for call in calls}) == 2


@LANES
def test_streamed_tool_calls_are_gathered_by_the_sdk(sdk, ask):
    """Its helper puts the pieces together by index, and stumbles where there is none."""
    asked = ask("bare-calls", messages=SAY, tools=[LOOK])
    with sdk.chat.completions.stream(**asked) as stream:
        choice = stream.get_final_completion().choices[0]
    calls = choice.message.tool_calls
    assert (choice.finish_reason, [call.type for call in calls]) == ("tool_calls", ["function"] * 2)
    assert [json.loads(call.function.arguments) for call in calls] == [{"at": "sea"}] * 2
    assert all(call.id for call in calls)


@LANES
@pytest.mark.parametrize("encoding", ["base64", "float"])
def test_vectors_come_as_they_were_asked_for(edge, ask, encoding):
    """The SDK for JavaScript reads whatever comes as base64."""
    body = {"model": "acme/one", "input": "x", "encoding_format": encoding, "scripted": "float-vectors"}
    with edge.client() as client:
        vector = client.post("/v1/embeddings", json=body).json()["data"][0]["embedding"]
    assert isinstance(vector, str if encoding == "base64" else list)


@LANES
def test_the_sdk_reads_the_vectors_that_the_provider_meant(sdk, ask):
    for behaviour in ("float-vectors", "ok", "no-usage"):
        answer = sdk.embeddings.create(**ask(behaviour, input="hello you"))
        assert answer.data[0].embedding == pytest.approx([0.25, -0.5, 0.125, 1.0])
        assert answer.usage.total_tokens > 0
