"""The vendors' own SDKs, each reading one streamed answer of the gateway: its text, or the SDK's error."""

from collections.abc import Callable, Mapping
from typing import Any

import anthropic
import httpx
import openai
from google import genai
from google.genai import errors, types

from tests.gateway.proxy.edge import RunningEdge

SAY = [{"role": "user", "content": "hi"}]
MODEL = "acme/one"


class ErrorEvent(Exception):
    """OpenAI's SDK does not raise what a stream of Responses says of errors: it is one of its events."""


ERRORS = (openai.APIError, anthropic.APIError, errors.APIError, ErrorEvent)
"""How clients hear that something went wrong."""


def read_chat(edge: RunningEdge, lane: str) -> str:
    with openai.OpenAI(
        api_key=edge.key, base_url=f"{edge.url}/v1", max_retries=0, default_headers={"x-gateway-lane": lane}
    ) as sdk:
        asked = {"model": MODEL, "messages": SAY, "stream_options": {"include_usage": True}}
        with sdk.chat.completions.stream(**asked) as stream:
            answer = stream.get_final_completion()
        assert answer.choices[0].finish_reason == "stop"
        assert answer.usage
        return answer.choices[0].message.content


def read_responses(edge: RunningEdge, lane: str) -> str:
    with openai.OpenAI(
        api_key=edge.key, base_url=f"{edge.url}/v1", max_retries=0, default_headers={"x-gateway-lane": lane}
    ) as sdk:
        with sdk.responses.stream(model=MODEL, input="hi", store=False) as stream:
            kinds = [event.type for event in stream]
        if "error" in kinds:
            raise ErrorEvent
        assert kinds.count("response.completed") == 1, kinds
        return stream.get_final_response().output_text


def read_anthropic(edge: RunningEdge, lane: str) -> str:
    with (
        anthropic.Anthropic(
            api_key=edge.key, base_url=edge.url, max_retries=0, default_headers={"x-gateway-lane": lane}
        ) as sdk,
        sdk.messages.stream(model=MODEL, messages=SAY, max_tokens=50) as stream,
    ):
        kinds = [event.type for event in stream]
        assert (kinds.count("message_start"), kinds.count("message_stop")) == (1, 1), kinds
        message = stream.get_final_message()
    assert message.stop_reason == "end_turn"
    return "".join(block.text for block in message.content)


def read_gemini(edge: RunningEdge, lane: str) -> str:
    options = types.HttpOptions(base_url=edge.url, headers={"x-gateway-lane": lane})
    sdk = genai.Client(api_key=edge.key, http_options=options)
    try:
        pieces = list(sdk.models.generate_content_stream(model=MODEL, contents="hi"))
    finally:
        sdk.close()
    assert pieces[-1].candidates[0].finish_reason == types.FinishReason.STOP
    return "".join(piece.text or "" for piece in pieces)


SDKS: Mapping[str, Callable[[RunningEdge, str], str]] = {
    "openai": read_chat,
    "responses": read_responses,
    "anthropic": read_anthropic,
    "gemini": read_gemini,
}
"""By the format that they speak."""
_PATHS = {
    "openai": (
        "/v1/chat/completions",
        {"model": MODEL, "messages": SAY, "stream": True, "stream_options": {"include_usage": True}},
    ),
    "responses": ("/v1/responses", {"model": MODEL, "input": "hi", "stream": True, "store": False}),
    "anthropic": ("/v1/messages", {"model": MODEL, "messages": SAY, "max_tokens": 50, "stream": True}),
    "gemini": (
        f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse",
        {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
    ),
}


def request_of(client: str) -> tuple[str, dict[str, Any]]:
    return _PATHS[client]


def read_bytes(edge: RunningEdge, client: str, lane: str = "direct") -> httpx.Response:
    """The same request without an SDK."""
    path, body = request_of(client)
    with edge.client(**{"x-gateway-lane": lane}) as http:
        return http.post(path, json=body)
