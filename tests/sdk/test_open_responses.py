"""The cases of Open Responses' compliance suite (openresponses.org), written anew, over each wire format.

Its two optional ones want a vector store and the cached search of OpenAI, and are skipped by the suite where there are
none: they pass where a provider has these, which no other format can, and are refused by name elsewhere.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from providers.wire.events import Native
from tests.sdk.house import WIRE_FORMATS, House
from tests.upstream.speaking import EVENTS

PICTURE = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw=="
DOCUMENT = "data:application/pdf;base64,JVBERi0xLjEKJSVFT0Y="
TOOL = {
    "type": "function",
    "name": "look_outside",
    "description": "The weather of a place.",
    "parameters": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
}
Body = dict[str, Any]


def said(text: str, role: str = "user") -> Body:
    return {"type": "message", "role": role, "content": text}


def shown(part: Body) -> Body:
    return {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "What is it?"}, part],
    }


CASES: dict[str, Body] = {
    "a text": {"input": [said("Hello")]},
    "a stream": {"input": [said("Count to five.")], "stream": True},
    "a system message": {"input": [said("Be a pirate.", "system"), said("Hello")]},
    "a tool": {"input": [said("Is it raining?")], "tools": [TOOL]},
    "a tool of few words": {
        "input": [said("Is it raining?")],
        "tools": [{"type": "function", "name": "look"}],
    },
    "a tool in a stream": {"input": [said("Is it raining?")], "tools": [TOOL], "stream": True},
    "a picture": {"input": [shown({"type": "input_image", "image_url": PICTURE})]},
    "a file": {"input": [shown({"type": "input_file", "filename": "a.pdf", "file_data": DOCUMENT})]},
    "several turns": {"input": [said("I am Ada."), said("Hello Ada!", "assistant"), said("Who am I?")]},
}

_TEXT_OR_NONE, _NUMBER_OR_NONE, _COUNT = (str, type(None)), (int, type(None)), int
REQUIRED: dict[str, Any] = {
    **dict.fromkeys(("id", "object", "status", "model", "truncation", "service_tier"), str),
    **dict.fromkeys(("created_at", "top_logprobs"), int),
    **dict.fromkeys(("completed_at", "max_output_tokens", "max_tool_calls"), _NUMBER_OR_NONE),
    **dict.fromkeys(("incomplete_details", "error", "reasoning"), (dict, type(None))),
    **dict.fromkeys(
        ("previous_response_id", "instructions", "safety_identifier", "prompt_cache_key"), _TEXT_OR_NONE
    ),
    **dict.fromkeys(("output", "tools"), list),
    **dict.fromkeys(("parallel_tool_calls", "store", "background"), bool),
    **dict.fromkeys(("text", "usage"), dict),
    **dict.fromkeys(("temperature", "top_p", "presence_penalty", "frequency_penalty"), (int, float)),
    "tool_choice": (str, dict),
    "metadata": object,
}
"""Of a response, by its schema ResponseResource."""
OF_FUNCTIONS = {"type", "name", "description", "parameters", "strict"}
WITH_NUMBERS = ("output_text.", "content_part.", "refusal.")


def assert_shaped(response: Body) -> None:
    """Usage comes with its end."""
    kinds = REQUIRED if response["status"] == "completed" else REQUIRED | {"usage": (dict, type(None))}
    wrong = {
        name: response.get(name, "missing")
        for name, kind in kinds.items()
        if not isinstance(response.get(name, ...), kind)
    }
    assert not wrong
    assert all(tool.keys() >= OF_FUNCTIONS for tool in response["tools"] if tool["type"] == "function")


def assert_whole(response: Body) -> None:
    assert_shaped(response)
    assert response["status"] == "completed"
    assert response["completed_at"] >= response["created_at"]
    usage = response["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert {"cached_tokens"} <= set(usage["input_tokens_details"])
    assert {"reasoning_tokens"} <= set(usage["output_tokens_details"])
    assert all(item["id"] and item["status"] == "completed" for item in response["output"])


def assert_numbered(events: list[Body]) -> None:
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    kinds = [event["type"] for event in events]
    assert (kinds[:2], kinds[-1]) == (["response.created", "response.in_progress"], "response.completed")
    for event in events:
        name = event["type"].removeprefix("response.")
        if "response" in event:
            assert_shaped(event["response"])
        assert "item" not in event or event["item"]["id"]
        assert "response" in event or isinstance(event["output_index"], int)
        assert not name.startswith(WITH_NUMBERS) or isinstance(event["content_index"], int)


def answered(house: House, wire_format: str, **body: Any) -> Body:
    """The response; of a stream its last."""
    with house.edge.client() as client:
        answer = client.post("/v1/responses", json={"model": f"acme/{wire_format}", **body})
    assert answer.status_code == 200, answer.text
    if not body.get("stream"):
        return answer.json()
    lines = (line for line in answer.text.splitlines() if line.startswith("data: "))
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert_numbered(events)
    return events[-1]["response"]


OPTIONAL: dict[str, Body] = {
    "file_search": {
        "tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}],
        "include": ["file_search_call.results"],
    },
    "web_search": {
        "tools": [{"type": "web_search", "external_web_access": False}],
        "include": ["web_search_call.action.sources"],
    },
}
RUN = {
    "file_search": {"type": "file_search_call", "id": "x_1", "status": "completed", "queries": ["a"]},
    "web_search": {
        "type": "web_search_call",
        "id": "x_1",
        "status": "completed",
        "action": {"type": "search"},
    },
}
"""What the provider says that it did."""


@pytest.fixture(params=WIRE_FORMATS)
def ask(request: pytest.FixtureRequest, house: House) -> Callable[..., Body]:
    return lambda **body: answered(house, request.param, **body)


@pytest.mark.parametrize("case", CASES)
def test_response_is_whole(ask: Callable[..., Body], case: str) -> None:
    response = ask(**CASES[case])
    assert_whole(response)
    expected = "function_call" if "tools" in CASES[case] else "message"
    assert response["output"][-1]["type"] == expected


def test_response_goes_on_from_a_tools_result(ask: Callable[..., Body]) -> None:
    asked = [said("Is it raining?")]
    first = ask(input=asked, tools=[TOOL], tool_choice={"type": "function", "name": TOOL["name"]})
    result = {"type": "function_call_output", "call_id": first["output"][-1]["call_id"], "output": "Rain."}
    second = ask(input=[*asked, *first["output"], result], tools=[TOOL])
    assert_whole(second)
    assert second["output"][-1]["type"] == "message"


def test_response_goes_on_from_a_tools_result_by_its_id(ask: Callable[..., Body]) -> None:
    """As the suite does, which does not say the tool again."""
    choice = {"type": "function", "name": TOOL["name"]}
    first = ask(input="Is it raining?", tools=[TOOL], tool_choice=choice)
    called = next(item for item in first["output"] if item["type"] == "function_call")
    result = {"type": "function_call_output", "call_id": called["call_id"], "output": "Rain."}
    second = ask(input=[result], previous_response_id=first["id"])
    assert_whole(second)
    assert second["output"][-1]["type"] == "message"


def test_response_goes_on_from_the_one_before(ask: Callable[..., Body]) -> None:
    first = ask(input="The word is papaya.")
    second = ask(input="What is the word?", previous_response_id=first["id"])
    assert_whole(second)
    assert second["previous_response_id"] == first["id"]


SAID_IN_THE_END = {"id", "object", "created_at", "completed_at", "model", "status", "output", "usage"}
SAID_AT_FIRST = {"id", "object", "status"}
NULLS = {"text": None, "top_logprobs": None}


def barely(data: bytes) -> bytes:
    """Responses as llama.cpp's server says them, whole or in the events of a stream; some say null besides."""
    if not data.startswith(b"event: "):
        return json.dumps(_barely(json.loads(data), SAID_IN_THE_END)).encode()
    lines = data.decode().split("\n")
    for number, line in enumerate(lines):
        if line.startswith("data: {"):
            event = json.loads(line.removeprefix("data: "))
            if "response" in event:
                is_open = event["response"]["status"] == "in_progress"
                event["response"] = _barely(event["response"], SAID_AT_FIRST if is_open else SAID_IN_THE_END)
            if "item" in event:
                event["item"] = _nameless(event["item"])
            lines[number] = f"data: {json.dumps(event)}"
    return "\n".join(lines).encode()


def _barely(response: Body, names: set[str]) -> Body:
    said = {name: response[name] for name in names} | NULLS
    return said | {"output": list(map(_nameless, said["output"]))} if "output" in said else said


def _nameless(item: Body) -> Body:
    """A call has no id but that of its call."""
    is_call = item["type"] == "function_call"
    return {name: value for name, value in item.items() if name != "id" or not is_call}


@pytest.mark.parametrize("case", CASES)
def test_response_of_a_server_that_says_little_is_whole(
    house: House, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    speaker = house.speakers["responses"]
    answer = speaker.answer

    def answer_barely(path: str, body: Body) -> tuple[int, dict[str, str], bytes]:
        status, headers, data = answer(path, body)
        return status, headers, barely(data)

    monkeypatch.setattr(speaker, "answer", answer_barely)
    response = answered(house, "responses", **CASES[case], temperature=0.5)
    assert_whole(response)
    assert response["temperature"] == 0.5
    assert [tool["name"] for tool in response["tools"]] == [
        tool["name"] for tool in CASES[case].get("tools", ())
    ]


@pytest.mark.parametrize("kind", OPTIONAL)
def test_tool_that_a_provider_runs_is_run_there_and_nowhere_else(house: House, kind: str) -> None:
    speaker = house.speakers["responses"]
    events = [speaker.wire_format.read_answer({"status": "completed", "output": [RUN[kind]]})]
    asked = {"input": "Look it up.", "tool_choice": {"type": kind}, **OPTIONAL[kind]}
    speaker.events = [*EVENTS[:1], *(event for event in events[0] if isinstance(event, Native)), *EVENTS[1:]]
    try:
        response = answered(house, "responses", **asked)
    finally:
        speaker.events = None
    assert_whole(response)
    assert response["output"][0] == RUN[kind]
    (_, _, said) = speaker.seen[-1]
    assert {name: said[name] for name in ("tools", "include", "tool_choice")} == {
        name: asked[name] for name in ("tools", "include", "tool_choice")
    }
    with house.edge.client() as client:
        for other in sorted({*WIRE_FORMATS} - {"responses"}):
            refused = client.post("/v1/responses", json={"model": f"acme/{other}", **asked})
            error = refused.json()["error"]
            assert (refused.status_code, error["code"]) == (400, "unsupported_parameter")
            assert error["param"] in {"tools[0].type", "tool_choice"}
            assert f"has no '{kind}' for" in error["message"]
