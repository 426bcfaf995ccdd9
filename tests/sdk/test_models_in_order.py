"""A list of models in each SDK's own request: who answers, what headers say of it, and what no further model mends.

OpenAI's, Anthropic's and Google's SDKs for Python, in front of a provider of each wire format.
"""

from collections.abc import Callable
from typing import Any

import anthropic
import httpx
import openai
import pytest
from google import genai
from google.genai import types

from tests.sdk.house import House

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
ASKED = [{"role": "user", "content": "hi"}]
Ask = Callable[[House, str, dict[str, Any]], httpx.Headers | dict[str, str]]


def by_chat(house: House, model: str, body: dict[str, Any]) -> httpx.Headers:
    with _openai(house) as client:
        return client.chat.completions.with_raw_response.create(
            model=model, messages=ASKED, extra_body=body
        ).headers


def by_streamed_chat(house: House, model: str, body: dict[str, Any]) -> httpx.Headers:
    with _openai(house) as client:
        answer = client.chat.completions.with_raw_response.create(
            model=model, messages=ASKED, stream=True, extra_body=body
        )
        assert list(answer.parse())
        return answer.headers


def by_responses(house: House, model: str, body: dict[str, Any]) -> httpx.Headers:
    with _openai(house) as client:
        return client.responses.with_raw_response.create(model=model, input="hi", extra_body=body).headers


def by_completions(house: House, model: str, body: dict[str, Any]) -> httpx.Headers:
    with _openai(house) as client:
        return client.completions.with_raw_response.create(model=model, prompt="hi", extra_body=body).headers


def by_messages(house: House, model: str, body: dict[str, Any]) -> httpx.Headers:
    with anthropic.Anthropic(api_key=house.key, base_url=house.url, max_retries=0) as client:
        return client.messages.with_raw_response.create(
            model=model, max_tokens=9, messages=ASKED, extra_body=body
        ).headers


def by_gemini(house: House, model: str, body: dict[str, Any]) -> dict[str, str]:
    options = types.HttpOptions(base_url=house.url, extra_body=body)
    client = genai.Client(api_key=house.key, http_options=options)
    answer = client.models.generate_content(model=model, contents="hi")
    client.close()
    assert answer.sdk_http_response
    assert answer.sdk_http_response.headers
    return answer.sdk_http_response.headers


def _openai(house: House) -> openai.OpenAI:
    return openai.OpenAI(api_key=house.key, base_url=f"{house.url}/v1", max_retries=0)


ANY_SDK = pytest.mark.parametrize(
    "ask", [by_chat, by_streamed_chat, by_responses, by_completions, by_messages, by_gemini]
)


@ANY_SDK
@pytest.mark.parametrize("failing", ["openai-refuse-503", "anthropic-refuse-429"])
def test_the_next_model_answers_where_the_first_fails_and_headers_say_so(
    house: House, ask: Ask, failing: str
) -> None:
    headers = ask(house, f"acme/{failing}", {"models": ["acme/gemini", "acme/openai"]})
    assert headers["x-gateway-model"] == "acme/gemini"
    assert headers["x-gateway-fallback-from"] == f"acme/{failing}"
    # Of a breaker that is open by now, too.
    assert headers["x-gateway-attempts"] == str(house.calls())


@ANY_SDK
def test_the_first_model_answers_while_it_can(house: House, ask: Ask) -> None:
    headers = ask(house, "acme/responses", {"models": ["acme/gemini"]})
    assert headers["x-gateway-model"] == "acme/responses"
    assert "x-gateway-fallback-from" not in headers
    assert house.calls() == 1


@ANY_SDK
def test_a_provider_of_the_next_model_is_never_asked_for_the_callers_mistake(house: House, ask: Ask) -> None:
    with pytest.raises((openai.BadRequestError, anthropic.BadRequestError, genai.errors.ClientError)) as told:
        ask(house, "acme/openai-refuse-400", {"models": ["acme/gemini"]})
    assert getattr(told.value, "status_code", None) == 400 or getattr(told.value, "code", None) == 400
    assert house.calls() == 1


@ANY_SDK
def test_an_unknown_model_is_a_404_that_names_it_wherever_it_stands(house: House, ask: Ask) -> None:
    with pytest.raises((openai.NotFoundError, anthropic.NotFoundError, genai.errors.ClientError)) as told:
        ask(house, "acme/openai", {"models": ["acme/gemini", "acme/gemmini"]})
    assert "'acme/gemmini' does not exist" in str(told.value)
    assert "'acme/gemini'" in str(told.value)
    assert house.calls() == 0


def test_a_list_alone_says_which_model_is_the_first(house: House) -> None:
    body = {"models": ["acme/gemini-refuse-503", "acme/anthropic"], "messages": ASKED}
    for lane in ("direct", "worker"):
        with house.edge.client(**{"x-gateway-lane": lane}) as client:
            answer = client.post("/v1/chat/completions", json=body)
        assert (answer.status_code, answer.headers["x-gateway-model"]) == (200, "acme/anthropic"), answer.text
    with house.edge.client() as client:
        refused = client.post("/v1/chat/completions", json={"models": [7], "messages": ASKED})
        neither = client.post("/v1/chat/completions", json={"models": None, "messages": ASKED})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "model")
    assert (neither.status_code, neither.json()["error"]["param"]) == (400, "model")


def test_what_is_ours_reaches_no_provider(house: House) -> None:
    body = {"models": ["acme/gemini"], "min_reasoning_level": None, "reasoning_effort": "auto"}
    for lane in ("direct", "worker"):
        with house.edge.client(**{"x-gateway-lane": lane}) as client:
            answer = client.post(
                "/v1/chat/completions", json={"model": "acme/openai", "messages": ASKED, **body}
            )
        assert answer.status_code == 200, answer.text
    for _, _, sent in house.speakers["openai"].seen:
        assert not {"models", "min_reasoning_level", "reasoning_effort"} & sent.keys()
    assert len(house.speakers["openai"].seen) == 2


def test_a_pinned_provider_answers_alone(house: House) -> None:
    slug = house.edge.chat("acme/gemini").headers["x-gateway-provider"]
    assert house.edge.chat(f"{slug}:acme/gemini").headers["x-gateway-provider"] == slug
    other = house.edge.chat(f"{slug}:acme/openai")
    assert other.status_code == 404
    assert f"'{slug}' does not offer model 'acme/openai'" in other.json()["error"]["message"]
