"""The demo provider's chat answers: the same request always gets the same text and the same token counts."""

import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from providers.demo.examples import example_of

_TOKEN = re.compile(r"\w+|[^\w\s]")
_WORD = re.compile(r"\S+\s*")
_ECHO_MOST = 2000
_CALL_PIECE = 24


class BadRequest(ValueError):
    """The request cannot be answered; `param` names the field."""

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param = param


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """`pieces` are what a stream sends one by one; `call` is the tool call that takes the text's place."""

    id: str
    created: int
    model: str
    fingerprint: str
    pieces: tuple[str, ...]
    call: Mapping[str, str] | None
    finish_reason: str
    usage: Mapping[str, int]

    def whole(self) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self.pieces), "refusal": None}
        if self.call:
            called = {"name": self.call["name"], "arguments": "".join(self.pieces)}
            tool_call = {"id": self.call["id"], "type": "function", "function": called}
            message |= {"content": None, "tool_calls": [tool_call]}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish_reason}
        return {**self._head("chat.completion"), "choices": [choice], "usage": self.usage}

    def chunks(self, *, wants_usage: bool) -> Iterator[dict[str, Any]]:
        """The role, each piece, the finish, and the usage if wanted."""
        usage = {"usage": None} if wants_usage else {}
        for delta in self._deltas():
            yield {**self._head("chat.completion.chunk"), "choices": [_choice(delta, None)], **usage}
        finish = _choice({}, self.finish_reason)
        yield {**self._head("chat.completion.chunk"), "choices": [finish], **usage}
        if wants_usage:
            yield {**self._head("chat.completion.chunk"), "choices": [], "usage": self.usage}

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
        }

    def _deltas(self) -> Iterator[dict[str, Any]]:
        yield {"role": "assistant", "content": None if self.call else ""}
        if self.call:
            function = {"name": self.call["name"], "arguments": ""}
            yield {
                "tool_calls": [{"index": 0, "id": self.call["id"], "type": "function", "function": function}]
            }
        for piece in self.pieces:
            call_piece = {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}
            yield call_piece if self.call else {"content": piece}


def answer_chat(name: str, body: Mapping[str, Any], chunks: int | None) -> ChatAnswer:
    """Echo the last user message. Raises BadRequest."""
    messages = _messages(body)
    said = _last_said(messages)
    call_id = hashlib.sha256(f"{name}{json.dumps(body, sort_keys=True)}".encode()).hexdigest()[:24]
    call = _tool_call(body, messages, call_id)
    pieces = _call_pieces(call, body, said) if call else _text_pieces(name, body, said, chunks)
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    finish = "tool_calls" if call else "stop"
    if isinstance(limit, int) and not call and len(pieces) > limit:
        pieces, finish = pieces[:limit], "length"
    prompt_text = json.dumps([messages, body.get("tools")], ensure_ascii=False)
    return ChatAnswer(
        id=f"chatcmpl-{call_id}",
        created=int(time.time()),
        model=str(body["model"]),
        fingerprint=f"fp_{name}",
        pieces=tuple(pieces),
        call=call,
        finish_reason=finish,
        usage=_usage(count_tokens(prompt_text), max(len(pieces), 1)),
    )


def count_tokens(text: str) -> int:
    """Words and punctuation marks."""
    return len(_TOKEN.findall(text))


def _choice(delta: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _usage(prompt: int, completion: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _messages(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadRequest("messages", "“messages” is a list of at least one message.")
    if not all(isinstance(message, Mapping) for message in messages):
        raise BadRequest("messages", "Each message is an object with a role and content.")
    return messages


def _last_said(messages: list[Mapping[str, Any]]) -> str:
    last = next((one for one in reversed(messages) if one.get("role") in {"user", "tool"}), messages[-1])
    content = last.get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, Mapping)]
        content = " ".join(part for part in parts if isinstance(part, str))
    return content[:_ECHO_MOST] if isinstance(content, str) else ""


def _tool_call(
    body: Mapping[str, Any], messages: list[Mapping[str, Any]], call_id: str
) -> dict[str, str] | None:
    tools = _functions(body)
    if not tools or body.get("tool_choice") == "none" or messages[-1].get("role") == "tool":
        return None
    wanted = body.get("tool_choice")
    function = wanted.get("function") if isinstance(wanted, Mapping) else None
    name = function.get("name") if isinstance(function, Mapping) else next(iter(tools))
    if name not in tools:
        raise BadRequest("tool_choice", f"There is no tool “{name}”.")
    return {"id": f"call_{call_id}", "name": str(name)}


def _functions(body: Mapping[str, Any]) -> dict[str, Any]:
    """Name → schema of the parameters."""
    tools = body.get("tools")
    found = (
        [tool.get("function") for tool in tools if isinstance(tool, Mapping)]
        if isinstance(tools, list)
        else []
    )
    return {
        str(one["name"]): one.get("parameters") for one in found if isinstance(one, Mapping) and "name" in one
    }


def _call_pieces(call: Mapping[str, str], body: Mapping[str, Any], said: str) -> list[str]:
    arguments = json.dumps(example_of(_functions(body)[call["name"]], said), ensure_ascii=False)
    return [arguments[at : at + _CALL_PIECE] for at in range(0, len(arguments), _CALL_PIECE)]


def _text_pieces(name: str, body: Mapping[str, Any], said: str, chunks: int | None) -> list[str]:
    wanted = body.get("response_format")
    kind = wanted.get("type") if isinstance(wanted, Mapping) else None
    if isinstance(wanted, Mapping) and kind in {"json_object", "json_schema"}:
        return _WORD.findall(_json_text(name, wanted, said))
    words = _WORD.findall(f"Hello from {name}! You said: “{said}”")
    if chunks is None:
        return words
    words[-1] += " "
    return list(islice(cycle(words), chunks))


def _json_text(name: str, wanted: Mapping[str, Any], said: str) -> str:
    described = wanted.get("json_schema")
    if isinstance(described, Mapping):
        return json.dumps(example_of(described.get("schema"), said), ensure_ascii=False)
    return json.dumps({"provider": name, "echo": said}, ensure_ascii=False)
