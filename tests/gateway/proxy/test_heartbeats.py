"""Signs of life in streams that are quiet for long, which every client passes over."""

import asyncio
import time

import anthropic
import openai
import pytest
from google import genai
from google.genai.types import HttpOptions

from gateway.proxy.client import ClientConnection
from gateway.proxy.exchange import ResponseHead
from gateway.proxy.observers import CallRecord
from gateway.proxy.surfaces.chat import CHAT
from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.values import a_model, a_provider
from tests.upstream import ScriptedProvider

SLOW = "slow?delay=0.3&chunks=3"
HEARTBEAT_S = 0.1
SAY = [{"role": "user", "content": "one two three"}]
STREAMS = {
    "/v1/chat/completions": {"model": "acme/one", "messages": SAY, "stream": True},
    "/v1/responses": {"model": "acme/one", "input": "hi", "stream": True},
    "/v1/messages": {"model": "acme/one", "messages": SAY, "max_tokens": 9, "stream": True},
    "/v1beta/models/acme/one:streamGenerateContent?alt=sse": {"contents": [{"parts": [{"text": "hi"}]}]},
}


@pytest.fixture(scope="module")
def edge():
    with (
        ScriptedProvider(default=SLOW) as provider,
        running_edge([a_model()], [a_provider(base_url=provider.base_url)], heartbeat_s=HEARTBEAT_S) as edge,
    ):
        yield edge


@pytest.mark.parametrize("lane", ["direct", "worker"])
@pytest.mark.parametrize("path", STREAMS)
def test_quiet_stream_shows_that_it_lives(edge, path, lane):
    with (
        edge.client(**{"x-gateway-lane": lane}) as client,
        client.stream("POST", path, json=STREAMS[path]) as answer,
    ):
        pieces = list(answer.iter_raw())
    beats = [piece for piece in pieces if piece in {b": keep-alive\n\n", b"\r\n"}]
    assert 0 < len(beats) < len(pieces)


def test_whole_answers_have_no_heartbeats(edge):
    assert edge.chat().json()["object"] == "chat.completion"


def test_openais_sdk_passes_over_them(edge):
    with openai.OpenAI(api_key=edge.key, base_url=f"{edge.url}/v1", max_retries=0) as sdk:
        chunks = list(sdk.chat.completions.create(**STREAMS["/v1/chat/completions"]))
        assert chunks[-1].choices[0].finish_reason == "stop"
        events = list(sdk.responses.create(**STREAMS["/v1/responses"]))
        assert events[-1].type == "response.completed"


def test_anthropics_sdk_passes_over_them(edge):
    with anthropic.Anthropic(api_key=edge.key, base_url=edge.url, max_retries=0) as sdk:
        events = list(sdk.messages.create(**STREAMS["/v1/messages"]))
    assert events[-1].type == "message_stop"


def test_googles_sdk_passes_over_them(edge):
    sdk = genai.Client(api_key=edge.key, http_options=HttpOptions(base_url=edge.url))
    pieces = list(sdk.models.generate_content_stream(model="acme/one", contents="hi"))
    assert pieces[-1].candidates[0].finish_reason.name == "STOP"


def test_half_an_event_is_never_interrupted():
    async def send(_message) -> None: ...

    async def quiet_after(*pieces: bytes) -> bool:
        connection = ClientConnection(
            send, [], CallRecord("req_1", CHAT, 0.0), first_byte=lambda _: None, write_timeout_s=1
        )
        await connection.begin(ResponseHead("p", "acme/one", 1))
        for piece in pieces:
            await connection.send(piece)
        return connection.is_quiet(time.monotonic() + 60, 10)

    quiet = [
        asyncio.run(quiet_after(*pieces))
        for pieces in ((b"data: {}\n\n",), (b"data: {}\n\n", b"data: {"), ())
    ]
    assert quiet == [True, False, False]
