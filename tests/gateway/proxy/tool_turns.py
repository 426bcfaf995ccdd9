"""What clients of each format send and make of answers, where tools are called."""

import json
from typing import Any

from tests.gateway.proxy.edge import RunningEdge

CLIENTS = ("openai", "responses", "anthropic", "gemini")
ASK, FOUND = "What is the weather?", "Rain."
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def first_turn(client: str) -> dict[str, Any]:
    if client == "gemini":
        tools = [{"functionDeclarations": [{"name": "look_up", "parameters": SCHEMA}]}]
        return {"contents": [{"role": "user", "parts": [{"text": ASK}]}], "tools": tools}
    said = [{"role": "user", "content": ASK}]
    function = {"name": "look_up", "parameters": SCHEMA}
    if client == "responses":
        return {"model": "acme/one", "input": said, "tools": [{"type": "function", **function}]}
    body = {"model": "acme/one", "messages": said, "max_tokens": 4000}
    if client == "anthropic":
        return body | {"tools": [{"name": "look_up", "input_schema": SCHEMA}]}
    return body | {"tools": [{"type": "function", "function": function}]}


def next_turn(client: str, asked: dict[str, Any], turn: Any) -> dict[str, Any]:
    """As the clients do it: all that was said goes back, what the tools found, and a question."""
    question = {"role": "user", "content": ASK}
    match client:
        case "openai":
            results = [
                {"role": "tool", "tool_call_id": call["id"], "content": FOUND}
                for call in turn.get("tool_calls", ())
            ]
            return {**asked, "messages": [*asked["messages"], turn, *results, question]}
        case "responses":
            calls = [item for item in turn if item["type"] == "function_call"]
            results = [
                {"type": "function_call_output", "call_id": call["call_id"], "output": FOUND}
                for call in calls
            ]
            return {**asked, "input": [*asked["input"], *turn, *results, question]}
        case "anthropic":
            results = [
                {"type": "tool_result", "tool_use_id": block["id"], "content": FOUND}
                for block in turn
                if block["type"] == "tool_use"
            ]
            said = [
                {"role": "assistant", "content": turn},
                {"role": "user", "content": [*results, {"type": "text", "text": ASK}]},
            ]
            return {**asked, "messages": [*asked["messages"], *said]}
        case _:
            calls = [part["functionCall"] for part in turn if "functionCall" in part]
            results = [
                {"functionResponse": {"name": call["name"], "response": {"result": FOUND}}} for call in calls
            ]
            said = [{"role": "model", "parts": turn}, {"role": "user", "parts": [*results, {"text": ASK}]}]
            return {**asked, "contents": [*asked["contents"], *said]}


def ask(edge: RunningEdge, client: str, body: dict[str, Any], *, lane: str, streamed: bool) -> Any:
    """The turn that was answered, in the client's form."""
    paths = {"openai": "/v1/chat/completions", "responses": "/v1/responses", "anthropic": "/v1/messages"}
    method = "streamGenerateContent?alt=sse" if streamed else "generateContent"
    path = paths.get(client, f"/v1beta/models/acme/one:{method}")
    sent = body | ({"stream": True} if streamed and client in paths else {})
    with edge.client(**{"x-gateway-lane": lane}) as http:
        answer = http.post(path, json=sent)
    assert answer.status_code == 200, answer.text
    if not streamed:
        return _turn_of(client, answer.json())
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: {")]
    return _gathered(client, [json.loads(line) for line in lines])


def _turn_of(client: str, answer: dict[str, Any]) -> Any:
    match client:
        case "openai":
            return answer["choices"][0]["message"]
        case "responses":
            return answer["output"]
        case "anthropic":
            return answer["content"]
        case _:
            return answer["candidates"][0]["content"]["parts"]


def _gathered(client: str, events: list[dict[str, Any]]) -> Any:
    """What a vendor's SDK makes of a stream."""
    match client:
        case "openai":
            return {"role": "assistant", "content": None, "tool_calls": _chat_calls(events)}
        case "responses":
            return events[-1]["response"]["output"]
        case "anthropic":
            return _blocks(events)
        case _:
            return [part for event in events for part in event["candidates"][0]["content"].get("parts", [])]


def _chat_calls(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    calls: dict[int, dict[str, Any]] = {}
    pieces = [
        call for chunk in chunks for each in chunk["choices"] for call in each["delta"].get("tool_calls", [])
    ]
    for piece in pieces:
        index = piece.pop("index")
        if index in calls:
            calls[index]["function"]["arguments"] += piece["function"]["arguments"]
        else:
            calls[index] = piece
    return list(calls.values())


def _blocks(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    blocks: dict[int, dict[str, Any]] = {}
    for event in events:
        if event["type"] == "content_block_start":
            blocks[event["index"]] = event["content_block"] | {"json": ""}
        elif event["type"] == "content_block_delta":
            block, delta = blocks[event["index"]], event["delta"]
            block["json"] += delta.get("partial_json", "")
            block |= {name: delta[name] for name in ("signature", "thinking") if name in delta}
    for block in blocks.values():
        typed = block.pop("json")
        if block["type"] == "tool_use":
            block["input"] = json.loads(typed)
    return list(blocks.values())
