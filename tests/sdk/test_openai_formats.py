"""OpenAI's SDK for Python, chat and Responses, in front of a provider of each wire format.

`test_openai_versions` runs this file again under the major version that is not the locked one.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel

from providers.engine import Timeouts
from tests.gateway.proxy.edge import RunningEdge, running_edge
from tests.gateway.proxy.values import a_model, a_provider
from tests.sdk.house import WIRE_FORMATS, House
from tests.upstream import ScriptedProvider
from tests.upstream.speaking import PLACE, SAID, USAGE

ASKED = [{"role": "user", "content": "hi"}]
ANY_FORMAT = pytest.mark.parametrize("wire_format", WIRE_FORMATS)
ANY_SURFACE = pytest.mark.parametrize("surface", ["chat", "responses"])
PATIENT = Timeouts(connect_s=1, first_byte_s=20, idle_s=20, total_s=20)


class Forecast(BaseModel):
    place: str
    days: int


SCHEMA = {**Forecast.model_json_schema(), "additionalProperties": False}
FUNCTION = {"name": "look_outside", "description": "The weather of a place.", "parameters": SCHEMA}


@pytest.fixture
def client(house: House) -> Iterator[OpenAI]:
    with OpenAI(api_key=house.key, base_url=f"{house.url}/v1", max_retries=0) as client:
        yield client


def ask(client: OpenAI, surface: str, model: str, **options: Any) -> Any:
    if surface == "chat":
        return client.chat.completions.create(model=f"acme/{model}", messages=ASKED, **options)
    return client.responses.create(model=f"acme/{model}", input="hi", **options)


def text_of(answer: Any) -> str:
    return str(answer.output_text if hasattr(answer, "output_text") else answer.choices[0].message.content)


def tokens_of(answer: Any) -> tuple[int, int]:
    usage = answer.usage
    if hasattr(usage, "input_tokens"):
        return usage.input_tokens, usage.output_tokens
    return usage.prompt_tokens, usage.completion_tokens


@ANY_FORMAT
@ANY_SURFACE
def test_answer_has_text_usage_and_a_request_id(client: OpenAI, surface: str, wire_format: str) -> None:
    answer = ask(client, surface, wire_format)
    assert text_of(answer) == SAID
    assert tokens_of(answer) == (USAGE.counts["input_tokens"], USAGE.counts["output_tokens"])
    assert answer._request_id.startswith("req_")


@ANY_FORMAT
def test_chat_streams_text_and_usage(client: OpenAI, wire_format: str) -> None:
    options = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = list(ask(client, "chat", wire_format, **options))
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(choice.delta.content or "" for choice in choices) == SAID
    assert choices[-1].finish_reason == "stop"
    assert tokens_of(chunks[-1]) == (USAGE.counts["input_tokens"], USAGE.counts["output_tokens"])


@ANY_FORMAT
def test_response_streams_to_its_end(client: OpenAI, wire_format: str) -> None:
    with client.responses.stream(model=f"acme/{wire_format}", input="hi") as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        final = stream.get_final_response()
    assert text == text_of(final) == SAID
    assert tokens_of(final) == (USAGE.counts["input_tokens"], USAGE.counts["output_tokens"])


@ANY_FORMAT
def test_chat_calls_a_tool_and_reads_its_result(client: OpenAI, wire_format: str) -> None:
    tools = [{"type": "function", "function": FUNCTION}]
    with client.chat.completions.stream(model=f"acme/{wire_format}", messages=ASKED, tools=tools) as stream:
        choice = stream.get_final_completion().choices[0]
    (call,) = choice.message.tool_calls
    assert (choice.finish_reason, call.function.name) == ("tool_calls", "look_outside")
    assert json.loads(call.function.arguments) == PLACE
    called = ask(client, "chat", wire_format, tools=tools).choices[0].message
    answered = {"role": "tool", "tool_call_id": called.tool_calls[0].id, "content": "It rains."}
    messages = [*ASKED, called.to_dict(), answered]
    answer = client.chat.completions.create(model=f"acme/{wire_format}", messages=messages, tools=tools)
    assert text_of(answer) == SAID


@ANY_FORMAT
def test_response_calls_a_tool_and_reads_its_result(client: OpenAI, wire_format: str) -> None:
    tools = [{"type": "function", "strict": True, **FUNCTION}]
    (call,) = ask(client, "responses", wire_format, tools=tools).output
    assert (call.type, call.name, json.loads(call.arguments)) == ("function_call", "look_outside", PLACE)
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "It rains."}
    said = [*ASKED, call.to_dict(), result]
    answer = client.responses.create(model=f"acme/{wire_format}", input=said, tools=tools)
    assert text_of(answer) == SAID


@ANY_FORMAT
def test_answer_is_parsed_by_its_schema(client: OpenAI, house: House, wire_format: str) -> None:
    chat = client.chat.completions.parse(
        model=f"acme/{wire_format}", messages=ASKED, response_format=Forecast
    )
    assert chat.choices[0].message.parsed == Forecast(**PLACE)
    response = client.responses.parse(model=f"acme/{wire_format}", input="hi", text_format=Forecast)
    assert response.output_parsed == Forecast(**PLACE)


@ANY_FORMAT
@ANY_SURFACE
@pytest.mark.parametrize(
    ("behaviour", "status", "kind"),
    [
        ("refuse-400", 400, openai.BadRequestError),
        ("refuse-429", 429, openai.RateLimitError),
        ("refuse-503", 502, openai.InternalServerError),
    ],
)
def test_providers_failure_raises_its_class(
    client: OpenAI, surface: str, wire_format: str, behaviour: str, status: int, kind: type
) -> None:
    with pytest.raises(kind) as caught:
        ask(client, surface, f"{wire_format}-{behaviour}")
    assert caught.value.status_code == status
    assert caught.value.request_id.startswith("req_")


@ANY_SURFACE
@pytest.mark.parametrize(
    ("model", "options", "status", "kind"),
    [
        ("openai", {"temperature": "hot"}, 400, openai.BadRequestError),
        ("nobody", {}, 404, openai.NotFoundError),
        ("off", {}, 503, openai.InternalServerError),
    ],
)
def test_refusal_raises_its_class_and_reaches_no_provider(
    client: OpenAI, house: House, surface: str, model: str, options: Any, status: int, kind: type
) -> None:
    with pytest.raises(kind) as caught:
        ask(client, surface, model, **options)
    assert caught.value.status_code == status
    assert caught.value.request_id.startswith("req_")
    assert house.calls() == 0


@ANY_SURFACE
def test_wrong_key_raises_authentication_error(client: OpenAI, surface: str) -> None:
    with pytest.raises(openai.AuthenticationError):
        ask(client.with_options(api_key="sk-nobody"), surface, "openai")


@ANY_FORMAT
@ANY_SURFACE
def test_trouble_is_tried_again_and_then_answered(
    client: OpenAI, house: House, surface: str, wire_format: str
) -> None:
    patient = client.with_options(max_retries=1)
    assert text_of(ask(patient, surface, f"{wire_format}-trip-503")) == SAID
    assert house.calls() == 2


def test_limit_is_tried_again_after_the_time_that_was_told(client: OpenAI, house: House) -> None:
    patient = client.with_options(max_retries=1)
    assert text_of(ask(patient, "chat", "openai-trip-429")) == SAID
    assert house.calls() == 2


@ANY_SURFACE
def test_mistake_is_not_tried_again(client: OpenAI, house: House, surface: str) -> None:
    with pytest.raises(openai.BadRequestError):
        ask(client.with_options(max_retries=2), surface, "openai-refuse-400")
    assert house.calls() == 1


def test_call_that_may_have_been_paid_is_not_tried_again() -> None:
    """A lost worker is a 502, which the SDK would try again if `x-should-retry` did not say otherwise."""
    with ScriptedProvider(default="hang") as provider:
        models, providers = [a_model()], [a_provider(base_url=provider.base_url)]
        with running_edge(models, providers, timeouts=PATIENT) as edge, lost_worker(edge, provider):
            client = OpenAI(api_key=edge.key, base_url=f"{edge.url}/v1", max_retries=2)
            headers = {"x-gateway-lane": "worker"}
            with client, pytest.raises(openai.InternalServerError) as caught:
                ask(client, "chat", "one", extra_headers=headers)
    assert (caught.value.status_code, caught.value.code) == (502, "worker_lost")
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert len(provider.calls) == 1


@contextmanager
def lost_worker(edge: RunningEdge, provider: ScriptedProvider) -> Iterator[None]:
    """Its worker falls silent as soon as the provider has been asked."""

    async def fall_silent() -> None:
        for duty in edge.process.worker._duties:
            duty.cancel()

    def wait() -> None:
        provider.wait_for(1)
        edge.on_loop(fall_silent)

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield
    finally:
        thread.join()
