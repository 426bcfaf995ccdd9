"""Anthropic's SDK for Python reads the list of models."""

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic

from tests.system.embedded import Product


@pytest.fixture
def client(product: Product) -> Iterator[Anthropic]:
    with Anthropic(api_key=product.key, base_url=product.url) as client:
        yield client


def test_all_models_are_listed_page_by_page(client: Anthropic) -> None:
    listed = [model.id for model in client.models.list(limit=1)]
    assert {"demo/chat", "demo/embed"} <= set(listed)
    assert len(listed) == len(set(listed))


def test_model_is_looked_up(client: Anthropic) -> None:
    model = client.models.retrieve("demo/chat")
    assert (model.id, model.type, model.display_name) == ("demo/chat", "model", "Demo chat")


def test_unknown_model_raises_not_found(client: Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError, match="demo/chat"):
        client.models.retrieve("demo/chatt")


def test_wrong_key_raises_authentication_error(product: Product) -> None:
    with (
        Anthropic(api_key="sk-gw-wrong", base_url=product.url) as client,
        pytest.raises(anthropic.AuthenticationError),
    ):
        client.models.list()


WEATHER = {
    "name": "look_outside",
    "description": "The weather of a place.",
    "input_schema": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
}


def ask(client: Anthropic, text: str = "Is it raining?", **options: Any) -> Any:
    said = [{"role": "user", "content": text}]
    return client.messages.create(model="demo/chat", max_tokens=100, messages=said, **options)


def test_message_is_answered(client: Anthropic) -> None:
    message = ask(client)
    assert (message.role, message.stop_reason, message.content[0].type) == ("assistant", "end_turn", "text")
    assert "Is it raining?" in message.content[0].text
    assert message.usage.input_tokens > 0 < message.usage.output_tokens


def test_message_streams_to_the_same_end(client: Anthropic) -> None:
    said = [{"role": "user", "content": "Is it raining?"}]
    with client.messages.stream(model="demo/chat", max_tokens=100, messages=said) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == final.content[0].text == ask(client).content[0].text
    assert final.usage.output_tokens == ask(client).usage.output_tokens


def test_tool_is_called_and_its_result_answered(client: Anthropic) -> None:
    called = ask(client, tools=[WEATHER], tool_choice={"type": "any"})
    (use,) = [block for block in called.content if block.type == "tool_use"]
    assert (called.stop_reason, use.name) == ("tool_use", "look_outside")
    turns = [
        {"role": "user", "content": "Is it raining?"},
        {"role": "assistant", "content": [use.model_dump(include={"type", "id", "name", "input"})]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "It rains."}]},
    ]
    answer = client.messages.create(model="demo/chat", max_tokens=100, messages=turns, tools=[WEATHER])
    assert answer.content[0].type == "text"


def test_tokens_are_counted(client: Anthropic) -> None:
    said = [{"role": "user", "content": "Is it raining?"}]
    assert client.messages.count_tokens(model="demo/chat", messages=said).input_tokens > 0


def test_unknown_model_of_a_message_raises_not_found(client: Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError, match="demo/nobody") as refused:
        client.messages.create(model="demo/nobody", max_tokens=9, messages=[{"role": "user", "content": "x"}])
    assert refused.value.request_id
