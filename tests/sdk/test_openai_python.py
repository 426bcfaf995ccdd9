"""OpenAI's SDK for Python."""

import json
import math
from collections.abc import Callable, Iterator

import httpx
import openai
import pytest
from openai import OpenAI

from tests.system.embedded import Product

CHAT, EMBED = "demo/chat", "demo/embed"
SAID = [{"role": "user", "content": "Is it raining?"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "look_outside",
        "description": "The weather of a place.",
        "parameters": {
            "type": "object",
            "properties": {"place": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["place"],
        },
    },
}

Asked = list[httpx.Request]


@pytest.fixture
def asked() -> Asked:
    """Every request that the SDK has sent."""
    return []


@pytest.fixture
def connect(product: Product, asked: Asked) -> Iterator[Callable[..., OpenAI]]:
    """An SDK of the caller's choice of options, with the first key."""
    made = []

    def connect(**options: object) -> OpenAI:
        http = httpx.Client(event_hooks={"request": [asked.append]})
        given = {"api_key": product.key, "base_url": f"{product.url}/v1", "http_client": http, **options}
        made.append(OpenAI(**given))
        return made[-1]

    yield connect
    for client in made:
        client.close()


@pytest.fixture
def client(connect: Callable[..., OpenAI]) -> OpenAI:
    return connect()


def test_models_are_listed(client: OpenAI) -> None:
    models = {model.id: model for model in client.models.list()}
    assert {CHAT, EMBED} <= models.keys()
    assert (models[CHAT].object, models[CHAT].owned_by) == ("model", "demo-a")
    assert models[CHAT].created > 0


@pytest.mark.parametrize("name", [CHAT, "demo"])
def test_model_is_looked_up_by_id_and_by_alias(client: OpenAI, name: str) -> None:
    assert client.models.retrieve(name).id == CHAT


def test_chat_is_answered_with_usage(client: OpenAI) -> None:
    answer = client.chat.completions.create(model=CHAT, messages=SAID)
    assert "Is it raining?" in answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


def test_stream_has_text_a_finish_and_usage_in_its_last_chunk(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model=CHAT, messages=SAID, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert "Is it raining?" in text
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices][-1] == "stop"
    assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]


def test_stream_has_no_usage_unless_it_is_asked_for(client: OpenAI) -> None:
    chunks = list(client.chat.completions.create(model=CHAT, messages=SAID, stream=True))
    assert len(chunks) > 3
    assert not any(chunk.usage for chunk in chunks)


def test_stream_and_answer_are_the_same_text(client: OpenAI) -> None:
    with client.chat.completions.stream(model=CHAT, messages=SAID) as stream:
        streamed = stream.get_final_completion().choices[0].message.content
    whole = client.chat.completions.create(model=CHAT, messages=SAID).choices[0].message.content
    assert streamed.replace("demo-b", "demo-a") == whole.replace("demo-b", "demo-a")


def test_tool_is_called(client: OpenAI) -> None:
    choice = client.chat.completions.create(model=CHAT, messages=SAID, tools=[WEATHER]).choices[0]
    call = choice.message.tool_calls[0]
    assert (choice.finish_reason, call.type, call.function.name) == ("tool_calls", "function", "look_outside")
    assert "place" in json.loads(call.function.arguments)


def test_tool_is_called_in_a_stream(client: OpenAI) -> None:
    with client.chat.completions.stream(model=CHAT, messages=SAID, tools=[WEATHER]) as stream:
        choice = stream.get_final_completion().choices[0]
    assert choice.finish_reason == "tool_calls"
    assert "place" in json.loads(choice.message.tool_calls[0].function.arguments)


def test_conversation_goes_on_after_a_tool_has_answered(client: OpenAI) -> None:
    asked = client.chat.completions.create(model=CHAT, messages=SAID, tools=[WEATHER]).choices[0].message
    answered = {"role": "tool", "tool_call_id": asked.tool_calls[0].id, "content": "Rain until six."}
    messages = [*SAID, asked.to_dict(), answered]
    answer = client.chat.completions.create(model=CHAT, messages=messages, tools=[WEATHER]).choices[0]
    assert answer.finish_reason == "stop"
    assert "Rain until six." in answer.message.content


def test_embeddings_in_the_sdks_own_encoding_are_those_in_floats(client: OpenAI) -> None:
    default = client.embeddings.create(model=EMBED, input=["one", "two"])
    floats = client.embeddings.create(model=EMBED, input=["one", "two"], encoding_format="float")
    assert [item.index for item in default.data] == [0, 1]
    for first, second in zip(default.data, floats.data, strict=True):
        assert first.embedding == pytest.approx(second.embedding, abs=1e-6)
        assert math.hypot(*first.embedding) == pytest.approx(1, abs=1e-5)
    assert default.usage.total_tokens > 0


def test_embeddings_have_the_dimensions_that_were_asked_for(client: OpenAI) -> None:
    answer = client.embeddings.create(model=EMBED, input="one", dimensions=16)
    assert len(answer.data[0].embedding) == 16


def test_unknown_key_is_an_authentication_error(connect: Callable[..., OpenAI], asked: Asked) -> None:
    with pytest.raises(openai.AuthenticationError) as caught:
        connect(api_key="sk-nobody").chat.completions.create(model=CHAT, messages=SAID)
    assert (caught.value.status_code, caught.value.code) == (401, "invalid_api_key")
    assert len(asked) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.models.retrieve("demo/chats"),
        lambda client: client.chat.completions.create(model="demo/chats", messages=SAID),
        lambda client: client.embeddings.create(model="demo/chats", input="one"),
    ],
    ids=["lookup", "chat", "embeddings"],
)
def test_unknown_model_is_not_found_and_the_message_names_near_ones(
    client: OpenAI, call: Callable[[OpenAI], object]
) -> None:
    with pytest.raises(openai.NotFoundError, match=r"'demo/chat'") as caught:
        call(client)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


def test_mistake_is_a_bad_request_that_names_the_parameter(client: OpenAI, asked: Asked) -> None:
    with pytest.raises(openai.BadRequestError, match="temperature") as caught:
        client.chat.completions.create(model=CHAT, messages=SAID, temperature=7)
    assert (caught.value.param, caught.value.type) == ("temperature", "invalid_request_error")
    assert len(asked) == 1


def test_key_over_its_limit_is_a_rate_limit_error_that_says_when_to_try_again(
    connect: Callable[..., OpenAI], limited_keys: list[str]
) -> None:
    client = connect(api_key=limited_keys[0], max_retries=0)
    client.chat.completions.create(model=CHAT, messages=SAID)
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model=CHAT, messages=SAID)
    headers = caught.value.response.headers
    assert 0 < int(headers["retry-after"]) <= 60
    assert caught.value.code == "rate_limit_exceeded"


@pytest.mark.parametrize("retries", [0, 1])
def test_trouble_at_the_providers_is_tried_again_as_often_as_the_caller_said(
    connect: Callable[..., OpenAI], asked: Asked, retries: int
) -> None:
    client = connect(max_retries=retries)
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model=CHAT, messages=SAID, extra_body={"demo": {"failure": "500"}})
    assert caught.value.status_code == 502
    assert len(asked) == retries + 1
    assert client.chat.completions.create(model=CHAT, messages=SAID).choices


def test_stream_that_breaks_raises_and_does_not_just_end(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model=CHAT, messages=SAID, stream=True, extra_body={"demo": {"failure": "cut", "chunks": 6}}
    )
    with pytest.raises(openai.APIError):
        list(stream)


def test_every_answer_and_error_has_a_request_id(client: OpenAI) -> None:
    answers = [
        client.chat.completions.create(model=CHAT, messages=SAID),
        client.embeddings.create(model=EMBED, input="one"),
        client.models.list(),
        client.models.retrieve(CHAT),
    ]
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("nobody/nothing")
    ids = [*(answer._request_id for answer in answers), caught.value.request_id]
    assert all(id_ and id_.startswith("req_") for id_ in ids), ids
    assert len(set(ids)) == len(ids)
