"""OpenAI's SDK for Python speaks Responses, and legacy completions."""

from collections.abc import Iterator

import openai
import pytest
from openai import OpenAI

from tests.system.embedded import Product

WEATHER = {
    "type": "function",
    "name": "look_outside",
    "description": "The weather of a place.",
    "parameters": {
        "type": "object",
        "properties": {"place": {"type": "string"}},
        "required": ["place"],
        "additionalProperties": False,
    },
    "strict": False,
}


@pytest.fixture
def client(product: Product) -> Iterator[OpenAI]:
    with OpenAI(api_key=product.key, base_url=f"{product.url}/v1") as client:
        yield client


def test_response_is_answered(client: OpenAI) -> None:
    response = client.responses.create(model="demo/chat", input="Is it raining?", instructions="Be brief.")
    assert response.status == "completed"
    assert "Is it raining?" in response.output_text
    assert response.usage.input_tokens_details.cached_tokens == 0


def test_response_streams_in_order(client: OpenAI) -> None:
    events = list(client.responses.create(model="demo/chat", input="Is it raining?", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == events[-1].response.output_text


def test_helper_gathers_the_stream(client: OpenAI) -> None:
    with client.responses.stream(model="demo/chat", input="Is it raining?") as stream:
        final = stream.get_final_response()
    assert "Is it raining?" in final.output_text


def test_tool_is_called(client: OpenAI) -> None:
    response = client.responses.create(
        model="demo/chat", input="Is it raining?", tools=[WEATHER], tool_choice="required"
    )
    (call,) = [item for item in response.output if item.type == "function_call"]
    assert (call.name, bool(call.call_id)) == ("look_outside", True)


def test_what_is_not_stored_is_refused_by_name(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model="demo/chat", input="x", previous_response_id="resp_1")
    assert refused.value.param == "previous_response_id"


def test_prompt_is_completed(client: OpenAI) -> None:
    whole = client.completions.create(model="demo/chat", prompt="Is it raining?")
    assert (whole.object, whole.choices[0].finish_reason) == ("text_completion", "stop")
    pieces = list(client.completions.create(model="demo/chat", prompt="Is it raining?", stream=True))
    assert "".join(piece.choices[0].text for piece in pieces if piece.choices) == whole.choices[0].text


@pytest.mark.parametrize(("name", "value"), [("best_of", 3), ("echo", True), ("prompt", ["a", "b"])])
def test_what_a_completion_cannot_do_is_refused_by_name(client: OpenAI, name: str, value: object) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.completions.create(**{"model": "demo/chat", "prompt": "x", name: value})
    assert refused.value.param == name
