"""Google's SDK for Python in front of a provider of each wire format."""

from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

from tests.sdk.house import WIRE_FORMATS, House
from tests.upstream.speaking import PLACE, SAID, USAGE

# What the SDK itself leaves open.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
ANY_FORMAT = pytest.mark.parametrize("wire_format", WIRE_FORMATS)


class Forecast(BaseModel):
    place: str
    days: int


WEATHER = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="look_outside",
            description="The weather of a place.",
            parameters_json_schema=Forecast.model_json_schema(),
        )
    ]
)


def connect(house: House, *, key: str = "", attempts: int = 1) -> genai.Client:
    """The SDK tries again only if it is told to, and reads no `retry-after`."""
    retries = types.HttpRetryOptions(attempts=attempts, initial_delay=0.01, jitter=0.01)
    options = types.HttpOptions(base_url=house.url, retry_options=retries)
    return genai.Client(api_key=key or house.key, http_options=options)


@pytest.fixture
def client(house: House) -> Iterator[genai.Client]:
    client = connect(house)
    yield client
    client.close()


def ask(client: genai.Client, model: str, contents: Any = "hi", **config: Any) -> Any:
    return client.models.generate_content(model=f"acme/{model}", contents=contents, config=config or None)


@ANY_FORMAT
def test_answer_has_text_usage_and_a_request_id(client: genai.Client, wire_format: str) -> None:
    answer = ask(client, wire_format)
    assert (answer.text, answer.candidates[0].finish_reason) == (SAID, types.FinishReason.STOP)
    usage = answer.usage_metadata
    assert (usage.prompt_token_count, usage.candidates_token_count) == (
        USAGE.counts["input_tokens"],
        USAGE.counts["output_tokens"],
    )
    assert answer.sdk_http_response.headers["x-request-id"].startswith("req_")


@ANY_FORMAT
def test_answer_streams_to_its_end(client: genai.Client, wire_format: str) -> None:
    pieces = list(client.models.generate_content_stream(model=f"acme/{wire_format}", contents="hi"))
    assert "".join(piece.text or "" for piece in pieces) == SAID
    assert pieces[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert pieces[-1].usage_metadata.candidates_token_count == USAGE.counts["output_tokens"]


@ANY_FORMAT
def test_tool_is_called_and_its_result_read(client: genai.Client, wire_format: str) -> None:
    called = ask(client, wire_format, tools=[WEATHER])
    (call,) = called.function_calls
    assert (call.name, call.args) == ("look_outside", PLACE)
    result = types.Part(
        function_response=types.FunctionResponse(id=call.id, name=call.name, response={"it": "rains"})
    )
    turns = [
        types.Content(role="user", parts=[types.Part(text="hi")]),
        called.candidates[0].content,
        types.Content(role="user", parts=[result]),
    ]
    assert ask(client, wire_format, turns, tools=[WEATHER]).text == SAID


@ANY_FORMAT
def test_tool_is_called_in_a_stream(client: genai.Client, wire_format: str) -> None:
    config = types.GenerateContentConfig(tools=[WEATHER])
    pieces = client.models.generate_content_stream(model=f"acme/{wire_format}", contents="hi", config=config)
    (call,) = [call for piece in pieces for call in piece.function_calls or []]
    assert (call.name, call.args) == ("look_outside", PLACE)


@ANY_FORMAT
def test_answer_is_parsed_by_its_schema(client: genai.Client, wire_format: str) -> None:
    answer = ask(client, wire_format, response_mime_type="application/json", response_schema=Forecast)
    assert answer.parsed == Forecast(**PLACE)


@ANY_FORMAT
@pytest.mark.parametrize(
    ("behaviour", "status", "kind"),
    [
        ("refuse-400", 400, errors.ClientError),
        ("refuse-429", 429, errors.ClientError),
        ("refuse-503", 502, errors.ServerError),
    ],
)
def test_providers_failure_raises_its_class(
    client: genai.Client, wire_format: str, behaviour: str, status: int, kind: type
) -> None:
    with pytest.raises(kind) as caught:
        ask(client, f"{wire_format}-{behaviour}")
    assert caught.value.code == status
    assert "req_" in str(caught.value.details)


@pytest.mark.parametrize(
    ("model", "key", "config", "status", "kind"),
    [
        ("openai", "", {"candidate_count": 2}, 400, errors.ClientError),
        ("openai", "sk-nobody", {}, 401, errors.ClientError),
        ("nobody", "", {}, 404, errors.ClientError),
        ("off", "", {}, 503, errors.ServerError),
    ],
)
def test_refusal_raises_its_class_and_reaches_no_provider(
    house: House, model: str, key: str, config: Any, status: int, kind: type
) -> None:
    client = connect(house, key=key)
    with pytest.raises(kind) as caught:
        ask(client, model, **config)
    client.close()
    assert caught.value.code == status
    assert house.calls() == 0


@ANY_FORMAT
def test_trouble_is_tried_again_and_then_answered(house: House, wire_format: str) -> None:
    client = connect(house, attempts=2)
    assert ask(client, f"{wire_format}-trip-503").text == SAID
    client.close()
    assert house.calls() == 2
