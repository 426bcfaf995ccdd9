"""LangChain's ChatOpenAI in front of a provider of each wire format."""

from typing import Any

import openai
import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from tests.sdk.house import WIRE_FORMATS, House
from tests.upstream.speaking import PLACE, SAID, USAGE

ANY_FORMAT = pytest.mark.parametrize("wire_format", WIRE_FORMATS)
ANY_API = pytest.mark.parametrize("by_responses", [False, True], ids=["chat", "responses"])
TOKENS = (USAGE.counts["input_tokens"], USAGE.counts["output_tokens"])


class Forecast(BaseModel):
    """The weather to come."""

    place: str
    days: int


@tool
def look_outside(place: str, days: int) -> str:
    """The weather of a place."""
    return f"Rain in {place} for {days} days."


def connect(house: House, model: str, **options: Any) -> ChatOpenAI:
    given = {"max_retries": 0, "stream_usage": True, **options}
    return ChatOpenAI(model=f"acme/{model}", api_key=house.key, base_url=f"{house.url}/v1", **given)


def tokens_of(message: AIMessage) -> tuple[int, int]:
    assert message.usage_metadata
    return message.usage_metadata["input_tokens"], message.usage_metadata["output_tokens"]


@ANY_FORMAT
@ANY_API
def test_answer_has_text_and_usage(house: House, wire_format: str, by_responses: bool) -> None:
    answer = connect(house, wire_format, use_responses_api=by_responses).invoke("hi")
    assert (answer.text, tokens_of(answer)) == (SAID, TOKENS)


@ANY_FORMAT
@ANY_API
def test_stream_adds_up_to_the_answer(house: House, wire_format: str, by_responses: bool) -> None:
    first, *rest = connect(house, wire_format, use_responses_api=by_responses).stream("hi")
    whole = sum(rest, start=first)
    assert (whole.text, tokens_of(whole)) == (SAID, TOKENS)


@ANY_FORMAT
@ANY_API
def test_tool_is_called_and_its_result_read(house: House, wire_format: str, by_responses: bool) -> None:
    model = connect(house, wire_format, use_responses_api=by_responses).bind_tools([look_outside])
    called = model.invoke("hi")
    (call,) = called.tool_calls
    assert (call["name"], call["args"]) == ("look_outside", PLACE)
    result = look_outside.invoke(call)
    assert isinstance(result, ToolMessage)
    assert model.invoke([HumanMessage("hi"), called, result]).text == SAID


@ANY_FORMAT
@ANY_API
def test_tool_is_called_in_a_stream(house: House, wire_format: str, by_responses: bool) -> None:
    model = connect(house, wire_format, use_responses_api=by_responses).bind_tools([look_outside])
    first, *rest = model.stream("hi")
    (call,) = sum(rest, start=first).tool_calls
    assert (call["name"], call["args"]) == ("look_outside", PLACE)


@ANY_FORMAT
@ANY_API
def test_answer_is_parsed_by_its_schema(house: House, wire_format: str, by_responses: bool) -> None:
    model = connect(house, wire_format, use_responses_api=by_responses)
    parsed = model.with_structured_output(Forecast, method="json_schema").invoke("hi")
    assert parsed == Forecast(**PLACE)


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("anthropic-refuse-400", openai.BadRequestError),
        ("nobody", openai.NotFoundError),
        ("gemini-refuse-429", openai.RateLimitError),
        ("responses-refuse-503", openai.InternalServerError),
    ],
)
def test_failure_raises_openais_class(house: House, model: str, kind: type) -> None:
    with pytest.raises(kind) as caught:
        connect(house, model).invoke("hi")
    assert caught.value.request_id.startswith("req_")


def test_trouble_is_tried_again_and_then_answered(house: House) -> None:
    assert connect(house, "gemini-trip-503", max_retries=1).invoke("hi").text == SAID
    assert house.calls() == 2
