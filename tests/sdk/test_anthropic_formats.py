"""Anthropic's SDK for Python in front of a provider of each wire format."""

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic
from pydantic import BaseModel

from tests.sdk.house import WIRE_FORMATS, House
from tests.upstream.speaking import PLACE, SAID, USAGE

ASKED = [{"role": "user", "content": "hi"}]
ANY_FORMAT = pytest.mark.parametrize("wire_format", WIRE_FORMATS)


class Forecast(BaseModel):
    place: str
    days: int


WEATHER = {
    "name": "look_outside",
    "description": "The weather of a place.",
    "input_schema": Forecast.model_json_schema(),
}


@pytest.fixture
def client(house: House) -> Iterator[Anthropic]:
    with Anthropic(api_key=house.key, base_url=house.url, max_retries=0) as client:
        yield client


def ask(client: Anthropic, model: str, **options: Any) -> Any:
    given = {"max_tokens": 100, "messages": ASKED, **options}
    return client.messages.create(model=f"acme/{model}", **given)


@ANY_FORMAT
def test_message_has_text_usage_and_a_request_id(client: Anthropic, wire_format: str) -> None:
    message = ask(client, wire_format)
    assert (message.content[0].text, message.stop_reason) == (SAID, "end_turn")
    assert (message.usage.input_tokens, message.usage.output_tokens) == (
        USAGE.counts["input_tokens"],
        USAGE.counts["output_tokens"],
    )
    assert message._request_id.startswith("req_")


@ANY_FORMAT
def test_message_streams_to_its_end(client: Anthropic, wire_format: str) -> None:
    with client.messages.stream(model=f"acme/{wire_format}", max_tokens=100, messages=ASKED) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == final.content[0].text == SAID
    assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", USAGE.counts["output_tokens"])


@ANY_FORMAT
def test_tool_is_called_in_a_stream_and_its_result_read(client: Anthropic, wire_format: str) -> None:
    given = {"model": f"acme/{wire_format}", "max_tokens": 100, "tools": [WEATHER]}
    with client.messages.stream(messages=ASKED, **given) as stream:
        called = stream.get_final_message()
    (use,) = called.content
    assert (called.stop_reason, use.name, use.input) == ("tool_use", "look_outside", PLACE)
    turn = {"role": "assistant", "content": [use.model_dump(include={"type", "id", "name", "input"})]}
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "It rains."}
    messages = [*ASKED, turn, {"role": "user", "content": [result]}]
    assert client.messages.create(messages=messages, **given).content[0].text == SAID


@ANY_FORMAT
def test_message_is_parsed_by_its_schema(client: Anthropic, wire_format: str) -> None:
    message = client.messages.parse(
        model=f"acme/{wire_format}", max_tokens=100, messages=ASKED, output_format=Forecast
    )
    assert message.parsed_output == Forecast(**PLACE)


@ANY_FORMAT
@pytest.mark.parametrize(
    ("behaviour", "status", "kind"),
    [
        ("refuse-400", 400, anthropic.BadRequestError),
        ("refuse-429", 429, anthropic.RateLimitError),
        ("refuse-503", 502, anthropic.InternalServerError),
    ],
)
def test_providers_failure_raises_its_class(
    client: Anthropic, wire_format: str, behaviour: str, status: int, kind: type
) -> None:
    with pytest.raises(kind) as caught:
        ask(client, f"{wire_format}-{behaviour}")
    assert caught.value.status_code == status
    assert caught.value.request_id.startswith("req_")


@pytest.mark.parametrize(
    ("model", "options", "status", "kind"),
    [
        ("openai", {"tool_choice": {"type": "dance"}}, 400, anthropic.BadRequestError),
        ("nobody", {}, 404, anthropic.NotFoundError),
        ("off", {}, 503, anthropic.InternalServerError),
    ],
)
def test_refusal_raises_its_class_and_reaches_no_provider(
    client: Anthropic, house: House, model: str, options: Any, status: int, kind: type
) -> None:
    with pytest.raises(kind) as caught:
        ask(client, model, **options)
    assert caught.value.status_code == status
    assert caught.value.request_id.startswith("req_")
    assert house.calls() == 0


def test_wrong_key_raises_authentication_error(client: Anthropic) -> None:
    with pytest.raises(anthropic.AuthenticationError):
        ask(client.with_options(api_key="sk-nobody"), "openai")


@ANY_FORMAT
def test_trouble_is_tried_again_and_then_answered(client: Anthropic, house: House, wire_format: str) -> None:
    assert ask(client.with_options(max_retries=1), f"{wire_format}-trip-503").content[0].text == SAID
    assert house.calls() == 2


def test_limit_is_tried_again_after_the_time_that_was_told(client: Anthropic, house: House) -> None:
    assert ask(client.with_options(max_retries=1), "anthropic-trip-429").content[0].text == SAID
    assert house.calls() == 2


def test_mistake_is_not_tried_again(client: Anthropic, house: House) -> None:
    with pytest.raises(anthropic.BadRequestError):
        ask(client.with_options(max_retries=2), "openai-refuse-400")
    assert house.calls() == 1
