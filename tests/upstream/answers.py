"""The bodies of a well-behaved provider. Deterministic: an answer repeats what the user said."""

import base64
import json
import struct
from collections.abc import Iterator
from typing import Any

TEXT = "You said: {said}"
VECTOR = [0.25, -0.5, 0.125, 1.0]


def said(body: dict[str, Any]) -> str:
    messages = body.get("messages") or [{}]
    content = messages[-1].get("content") or ""
    if isinstance(content, list):
        return " ".join(part.get("text", "") for part in content)
    return str(content)


def words(body: dict[str, Any], count: int | None = None) -> list[str]:
    """The answer in pieces; `count` of them where a number is asked for."""
    if count is not None:
        return [f"word{number} " for number in range(count)]
    first, *rest = TEXT.format(said=said(body)).split(" ")
    return [first, *(f" {word}" for word in rest)]


def usage(body: dict[str, Any], pieces: list[str]) -> dict[str, Any]:
    """A token for each word, in and out."""
    asked = sum(len(str(message.get("content") or "").split()) for message in body.get("messages", []))
    return {"prompt_tokens": asked, "completion_tokens": len(pieces), "total_tokens": asked + len(pieces)}


def tool_calls(body: dict[str, Any]) -> list[dict[str, Any]] | None:
    """A call of the first tool, until its result has been sent."""
    tools, messages = body.get("tools"), body.get("messages") or [{}]
    if not tools or messages[-1].get("role") == "tool" or body.get("tool_choice") == "none":
        return None
    function = {"name": tools[0]["function"]["name"], "arguments": json.dumps({"echo": said(body)})}
    return [{"id": "call_1", "type": "function", "function": function}]


def chat(body: dict[str, Any], answer_id: str) -> dict[str, Any]:
    pieces = words(body)
    calls = tool_calls(body)
    message: dict[str, Any] = {"role": "assistant", "content": None if calls else "".join(pieces)}
    if calls:
        message["tool_calls"] = calls
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": "tool_calls" if calls else "stop",
    }
    return {
        "id": f"chatcmpl-{answer_id}",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": body.get("model"),
        "choices": [choice],
        "usage": usage(body, pieces),
        **service_tier(body),
    }


def service_tier(body: dict[str, Any]) -> dict[str, Any]:
    """The one that was asked for is given."""
    return {"service_tier": body["service_tier"]} if "service_tier" in body else {}


def chunk(body: dict[str, Any], answer_id: str, choices: list[Any], **more: Any) -> dict[str, Any]:
    head = {"id": f"chatcmpl-{answer_id}", "object": "chat.completion.chunk", "created": 1_790_000_000}
    return head | {"model": body.get("model"), "choices": choices} | service_tier(body) | more


def delta(fields: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": fields, "logprobs": None, "finish_reason": finish}


def deltas(body: dict[str, Any], pieces: list[str]) -> Iterator[dict[str, Any]]:
    """The choices of a stream, in order; the last one finishes."""
    yield delta({"role": "assistant", "content": ""})
    calls = tool_calls(body)
    if not calls:
        yield from (delta({"content": piece}) for piece in pieces)
        yield delta({}, "stop")
        return
    call = {"index": 0, **calls[0]}
    text = call["function"]["arguments"]
    yield delta({"tool_calls": [call | {"function": call["function"] | {"arguments": ""}}]})
    yield delta({"tool_calls": [{"index": 0, "function": {"arguments": text[:5]}}]})
    yield delta({"tool_calls": [{"index": 0, "function": {"arguments": text[5:]}}]})
    yield delta({}, "tool_calls")


def embeddings(body: dict[str, Any]) -> dict[str, Any]:
    inputs = body.get("input")
    if not isinstance(inputs, list) or isinstance(inputs[0], int):
        inputs = [inputs]
    packed = base64.b64encode(struct.pack(f"<{len(VECTOR)}f", *VECTOR)).decode()
    vector = packed if body.get("encoding_format") == "base64" else VECTOR
    data = [{"object": "embedding", "index": index, "embedding": vector} for index in range(len(inputs))]
    tokens = {"prompt_tokens": len(inputs), "total_tokens": len(inputs)}
    return {"object": "list", "data": data, "model": body.get("model"), "usage": tokens}


def models(names: list[str]) -> dict[str, Any]:
    data = [
        {"id": name, "object": "model", "created": 1_790_000_000, "owned_by": "scripted"} for name in names
    ]
    return {"object": "list", "data": data}


def error(
    message: str, *, kind: str = "invalid_request_error", code: str | None = None, param: str | None = None
) -> Any:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}
