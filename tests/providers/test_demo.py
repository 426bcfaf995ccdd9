"""The demo provider speaks OpenAI's format on a real socket, always in the same words."""

import asyncio
import base64
import json
import math
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from typing import Any

import httpx
import openai
import pytest

from providers.demo.behaviour import BadBehaviour, from_environment
from providers.demo.server import build_server
from tests.patience import HANG_S
from tests.services import free_port, wait_for_start, wait_until

HELLO = {"model": "demo-chat", "messages": [{"role": "user", "content": "good morning"}]}
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        },
    },
}


@pytest.fixture
def demo(demo_port: int) -> Any:
    with httpx.Client(base_url=f"http://127.0.0.1:{demo_port}", trust_env=False, timeout=HANG_S) as client:
        yield client


def ask(demo: httpx.Client, name: str = "demo-a", /, **fields: Any) -> httpx.Response:
    return demo.post(f"/{name}/v1/chat/completions", json=HELLO | fields)


def control(demo: httpx.Client) -> Any:
    return demo.get("/demo-a/control").json()


def text_of(response: httpx.Response) -> str:
    return str(response.json()["choices"][0]["message"]["content"])


def events_of(response: httpx.Response) -> list[Any]:
    """Parsed events of a stream, without its end."""
    lines = [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


def streamed_text(response: httpx.Response) -> str:
    deltas = [event["choices"][0]["delta"] for event in events_of(response) if event["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


def test_answer_echoes_the_last_user_message(demo: httpx.Client) -> None:
    assert text_of(ask(demo)) == "Hello from demo-a! You said: “good morning”"


def test_same_request_gets_the_same_answer(demo: httpx.Client) -> None:
    first, second = ask(demo).json(), ask(demo).json()
    assert first | {"created": 0} == second | {"created": 0}


def test_answer_says_which_provider_gave_it(demo: httpx.Client) -> None:
    assert ask(demo, "demo-b").json()["system_fingerprint"] == "fp_demo-b"


def test_streamed_and_whole_answers_have_the_same_text_and_usage(demo: httpx.Client) -> None:
    whole = ask(demo)
    stream = ask(demo, stream=True, stream_options={"include_usage": True})
    assert streamed_text(stream) == text_of(whole)
    assert events_of(stream)[-1]["usage"] == whole.json()["usage"]


def test_stream_has_no_usage_unless_it_is_asked_for(demo: httpx.Client) -> None:
    assert all("usage" not in event for event in events_of(ask(demo, stream=True)))


def test_stream_finishes_exactly_once(demo: httpx.Client) -> None:
    choices = [event["choices"][0] for event in events_of(ask(demo, stream=True))]
    assert [choice["finish_reason"] for choice in choices if choice["finish_reason"]] == ["stop"]


def test_token_limit_ends_the_answer_with_length(demo: httpx.Client) -> None:
    body = ask(demo, max_tokens=2).json()
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 2


def test_tools_are_echoed_as_a_tool_call(demo: httpx.Client) -> None:
    choice = ask(demo, tools=[WEATHER]).json()["choices"][0]
    function = choice["message"]["tool_calls"][0]["function"]
    assert choice["finish_reason"] == "tool_calls"
    assert (function["name"], json.loads(function["arguments"])) == (
        "weather",
        {"city": "good morning", "days": 1},
    )


def test_tool_result_is_answered_with_text(demo: httpx.Client) -> None:
    messages = [*HELLO["messages"], {"role": "tool", "tool_call_id": "x", "content": "sunny"}]
    assert "sunny" in text_of(ask(demo, tools=[WEATHER], messages=messages))


def test_tools_are_left_alone_when_the_choice_is_none(demo: httpx.Client) -> None:
    assert "good morning" in text_of(ask(demo, tools=[WEATHER], tool_choice="none"))


def test_streamed_tool_call_has_the_arguments_of_the_whole_one(demo: httpx.Client) -> None:
    deltas = [event["choices"][0]["delta"] for event in events_of(ask(demo, tools=[WEATHER], stream=True))]
    pieces = [call["function"]["arguments"] for delta in deltas for call in delta.get("tool_calls", [])]
    assert json.loads("".join(pieces)) == {"city": "good morning", "days": 1}


def test_json_mode_answers_json(demo: httpx.Client) -> None:
    answer = text_of(ask(demo, response_format={"type": "json_object"}))
    assert json.loads(answer) == {"provider": "demo-a", "echo": "good morning"}


def test_json_schema_is_followed_through_references(demo: httpx.Client) -> None:
    schema = {
        "properties": {
            "kind": {"enum": ["a", "b"]},
            "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}},
        },
        "$defs": {"tag": {"type": "string"}},
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    assert json.loads(text_of(ask(demo, response_format=wanted))) == {"kind": "a", "tags": ["good morning"]}


def test_official_client_streams(demo_port: int) -> None:
    with openai.OpenAI(base_url=f"http://127.0.0.1:{demo_port}/demo-a/v1", api_key="none") as client:
        stream = client.chat.completions.create(**HELLO, stream=True)
        assert "good" in "".join(chunk.choices[0].delta.content or "" for chunk in stream)


def embed(demo: httpx.Client, **fields: Any) -> Any:
    response = demo.post("/demo-a/v1/embeddings", json={"model": "demo-embed", "input": "one"} | fields)
    return response.json()["data"]


def test_embeddings_are_unit_vectors_that_repeat(demo: httpx.Client) -> None:
    first, second, other = (item["embedding"] for item in embed(demo, input=["one", "one", "two"]))
    assert first == second != other
    assert math.hypot(*first) == pytest.approx(1)


def test_embeddings_have_the_dimensions_asked_for(demo: httpx.Client) -> None:
    assert len(embed(demo, dimensions=7)[0]["embedding"]) == 7


def test_base64_embedding_is_the_same_vector(demo: httpx.Client) -> None:
    packed = base64.b64decode(embed(demo, encoding_format="base64", dimensions=3)[0]["embedding"])
    assert struct.unpack("<3f", packed) == pytest.approx(embed(demo, dimensions=3)[0]["embedding"])


def test_model_list_names_both_models(demo: httpx.Client) -> None:
    assert [item["id"] for item in demo.get("/demo-a/v1/models").json()["data"]] == [
        "demo-chat",
        "demo-embed",
    ]


@pytest.mark.parametrize(
    ("changes", "status", "param"),
    [
        ({"model": "gpt-0"}, 404, "model"),
        ({"messages": []}, 400, "messages"),
        ({"messages": ["hello"]}, 400, "messages"),
        ({"demo": {"chunks": -1}}, 400, "chunks"),
        ({"demo": {"speed": 1}}, 400, "speed"),
        ({"demo": {"failure": "300"}}, 400, "failure"),
        ({"demo": "fast"}, 400, "demo"),
        (
            {"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "x"}}},
            400,
            "tool_choice",
        ),
    ],
)
def test_bad_request_is_named_in_the_envelope(
    demo: httpx.Client, changes: dict[str, Any], status: int, param: str
) -> None:
    response = ask(demo, **changes)
    assert (response.status_code, response.json()["error"]["param"]) == (status, param)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_body_that_is_no_object_is_refused(demo: httpx.Client, data: bytes) -> None:
    response = demo.post("/demo-a/v1/chat/completions", content=data)
    assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize("path", ["/", "/demo-c/v1/models", "/demo-a/v1/nothing"])
def test_unknown_path_is_404_in_the_envelope(demo: httpx.Client, path: str) -> None:
    assert demo.get(path).json()["error"].keys() == {"message", "type", "param", "code"}


def test_control_changes_one_provider_until_it_is_changed_back(demo: httpx.Client) -> None:
    demo.post("/demo-a/control", json={"failure": "503"})
    assert (ask(demo).status_code, ask(demo, "demo-b").status_code) == (503, 200)
    demo.post("/demo-a/control", json={"failure": None})
    assert ask(demo).status_code == 200


def test_control_counts_calls(demo: httpx.Client) -> None:
    before = control(demo)["calls"]
    ask(demo)
    assert control(demo)["calls"] == before + 1


def test_one_call_can_ask_for_its_own_behaviour(demo: httpx.Client) -> None:
    assert ask(demo, demo={"failure": "429"}).json()["error"]["type"] == "rate_limit_error"
    assert ask(demo).status_code == 200


def test_number_of_chunks_is_adjustable(demo: httpx.Client) -> None:
    events = events_of(ask(demo, stream=True, demo={"chunks": 40}))
    assert sum(1 for event in events if event["choices"][0]["delta"].get("content")) == 40


def test_delay_comes_before_the_answer(demo: httpx.Client) -> None:
    began = time.monotonic()
    ask(demo, demo={"delay_ms": 200})
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("is_streamed", [True, False])
def test_cut_answer_breaks_off(demo: httpx.Client, is_streamed: bool) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        ask(demo, stream=is_streamed, demo={"failure": "cut"})


def test_error_event_ends_the_stream(demo: httpx.Client) -> None:
    response = ask(demo, stream=True, demo={"failure": "error_event"})
    assert '"code": "demo_failure"' in response.text.split("\n\n")[-2]


def test_client_that_leaves_ends_the_call(demo: httpx.Client) -> None:
    before = control(demo)["cancelled"]
    with pytest.raises(httpx.ReadTimeout):
        demo.post("/demo-a/v1/chat/completions", json=HELLO | {"demo": {"failure": "hang"}}, timeout=2)
    wait_until(lambda: control(demo)["cancelled"] > before, "the demo provider hears that its client left")


def test_environment_sets_the_behaviour_to_begin_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_DEMO_DELAY_MS", "30")
    monkeypatch.setenv("GATEWAY_DEMO_FAILURE", "503")
    assert from_environment().shown() == {
        "delay_ms": 30,
        "chunks": None,
        "chunk_delay_ms": 0,
        "failure": "503",
    }


def test_bad_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_DEMO_CHUNKS", "many")
    with pytest.raises(BadBehaviour, match="whole number"):
        from_environment()


def test_server_leaves_signals_to_its_owner() -> None:
    async def serve() -> object:
        before = signal.getsignal(signal.SIGINT)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = build_server("127.0.0.1", 0)
            running = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started:
                await asyncio.sleep(0.01)
            during = signal.getsignal(signal.SIGINT)
            server.should_exit = True
            await running
        return before is during

    assert asyncio.run(serve())


def test_alone_it_stops_with_success_on_a_signal() -> None:
    port = free_port()
    command = [sys.executable, "-m", "providers.demo", "--port", str(port)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(os.environ)
    )
    wait_for_start(process, lambda: _listens(port))
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=HANG_S)
    assert (process.returncode, re.sub(rb"\s", b"", output)) == (0, b"")


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
