"""Requests of every surface that are long in one thing each. Letters are many enough to show where they are joined."""

from collections.abc import Callable, Mapping
from typing import Any

Body = dict[str, Any]
Maker = Callable[[int], Body]

WORDS = 5 * "twenty letters long "
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
MESSAGES, RESPONSES = "/v1/messages", "/v1/responses"
GEMINI, EMBEDDINGS = "/v1beta/models/m:generateContent", "/v1/embeddings"


def chat(messages: list[Any] | None = None, **more: Any) -> Body:
    return {"model": "m", "messages": messages or [_user(WORDS)], **more}


def _user(content: Any) -> Body:
    return {"role": "user", "content": content}


def chat_tools(count: int) -> list[Any]:
    return [_function(number) for number in range(count)]


def _function(number: int) -> Body:
    function = {"name": f"tool_{number}", "description": WORDS, "parameters": SCHEMA}
    return {"type": "function", "function": function}


def _chat_call(number: int) -> Body:
    return {"id": f"call_{number}", "type": "function", "function": {"name": "tool_0", "arguments": "{}"}}


def _chat_history(count: int) -> list[Any]:
    """Each call is answered before the next is made."""
    history: list[Any] = [_user(WORDS)]
    for number in range(count):
        history.append({"role": "assistant", "content": WORDS, "tool_calls": [_chat_call(number)]})
        history.append({"role": "tool", "tool_call_id": f"call_{number}", "content": WORDS})
    return history


def _chat_side_by_side(count: int) -> list[Any]:
    calls = {"role": "assistant", "content": None, "tool_calls": [_chat_call(n) for n in range(count)]}
    results = [{"role": "tool", "tool_call_id": f"call_{n}", "content": WORDS} for n in range(count)]
    return [_user(WORDS), calls, *results]


def _chat_functions(count: int) -> list[Any]:
    call = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    result = {"role": "function", "name": "f", "content": WORDS}
    return [_user(WORDS), *[call] * count, *[result] * count]


def _thoughtful(count: int) -> list[Any]:
    details = [{"type": "reasoning.text", "text": WORDS, "signature": "s", "index": n} for n in range(count)]
    return [_user(WORDS), {"role": "assistant", "content": WORDS, "reasoning_details": details}, _user(WORDS)]


def unknown(count: int) -> Body:
    return {f"unknown_{number}": WORDS for number in range(count)}


def messages(said: list[Any] | None = None, **more: Any) -> Body:
    return {"model": "m", "max_tokens": 16, "messages": said or [_user(WORDS)], **more}


def _use(number: int) -> Body:
    return {"type": "tool_use", "id": f"call_{number}", "name": "tool_0", "input": {"city": WORDS}}


def _answer(number: int, content: Any = WORDS) -> Body:
    return {"type": "tool_result", "tool_use_id": f"call_{number}", "content": content}


def _messages_history(count: int) -> list[Any]:
    turns = [({"role": "assistant", "content": [_use(n)]}, _user([_answer(n)])) for n in range(count)]
    return [_user(WORDS), *(turn for pair in turns for turn in pair)]


def _messages_side_by_side(count: int) -> list[Any]:
    calls = {"role": "assistant", "content": [_use(n) for n in range(count)]}
    return [_user(WORDS), calls, *(_user([_answer(n)]) for n in range(count))]


def messages_tools(count: int) -> list[Any]:
    return [{"name": f"tool_{number}", "input_schema": SCHEMA} for number in range(count)]


def _thinking(count: int) -> list[Any]:
    blocks = [{"type": "thinking", "thinking": WORDS, "signature": "s"}] * count
    return [_user(WORDS), {"role": "assistant", "content": blocks}, _user(WORDS)]


def responses(items: list[Any] | None = None, **more: Any) -> Body:
    return {"model": "m", "input": items or [_user(WORDS)], **more}


def _item_call(number: int) -> Body:
    return {"type": "function_call", "call_id": f"call_{number}", "name": "tool_0", "arguments": "{}"}


def _item_result(number: int) -> Body:
    return {"type": "function_call_output", "call_id": f"call_{number}", "output": WORDS}


def _items_history(count: int) -> list[Any]:
    return [_user(WORDS), *(item for n in range(count) for item in (_item_call(n), _item_result(n)))]


def _items_side_by_side(count: int) -> list[Any]:
    return [_user(WORDS), *map(_item_call, range(count)), *map(_item_result, range(count))]


def _item_thoughts(count: int) -> list[Any]:
    summary = [{"type": "summary_text", "text": WORDS}]
    thoughts = [
        {"type": "reasoning", "summary": summary, "encrypted_content": "e", "id": f"r{n}"}
        for n in range(count)
    ]
    return [_user(WORDS), *thoughts, _user(WORDS)]


def responses_tools(count: int) -> list[Any]:
    return [{"type": "function", "name": f"tool_{number}", "parameters": SCHEMA} for number in range(count)]


def gemini(contents: list[Any] | None = None, **more: Any) -> Body:
    return {"contents": contents or [_turn({"text": WORDS})], **more}


def _turn(*parts: Any, role: str = "user") -> Body:
    return {"role": role, "parts": list(parts)}


def _gemini_call(number: int) -> Body:
    return {"functionCall": {"name": f"tool_{number}", "args": {"city": WORDS}}}


def _gemini_result(number: int) -> Body:
    return {"functionResponse": {"name": f"tool_{number}", "response": {"result": WORDS}}}


def _gemini_history(count: int) -> list[Any]:
    turns = [(_turn(_gemini_call(0), role="model"), _turn(_gemini_result(0))) for _ in range(count)]
    return [_turn({"text": WORDS}), *(turn for pair in turns for turn in pair)]


def _gemini_side_by_side(count: int) -> list[Any]:
    """Answered from the last to the first."""
    calls = _turn(*map(_gemini_call, range(count)), role="model")
    return [_turn({"text": WORDS}), calls, _turn(*map(_gemini_result, reversed(range(count))))]


def gemini_tools(count: int) -> list[Any]:
    return [{"functionDeclarations": [{"name": f"tool_{n}", "parameters": SCHEMA} for n in range(count)]}]


def _chosen_in_chat(count: int) -> Body:
    named = [{"type": "function", "function": {"name": f"tool_{number}"}} for number in range(count)]
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": named}}
    return {"tools": chat_tools(count), "tool_choice": choice}


def _strict(schema: Body) -> list[Any]:
    return [{"type": "function", "function": {"name": "tool_0", "strict": True, "parameters": schema}}]


LONG: Mapping[str, tuple[str, Maker]] = {
    "chat messages": (CHAT, lambda count: chat([_user(WORDS)] * count)),
    "chat system messages": (
        CHAT,
        lambda count: chat([{"role": "system", "content": WORDS}] * count + [_user("a")]),
    ),
    "chat turns": (CHAT, lambda count: chat([_user(WORDS), {"role": "assistant", "content": WORDS}] * count)),
    "chat speakers": (
        CHAT,
        lambda count: chat([{**_user(WORDS), "name": f"n{n % 2}"} for n in range(count)]),
    ),
    "chat parts": (CHAT, lambda count: chat([_user([{"type": "text", "text": WORDS}] * count)])),
    "chat tools": (CHAT, lambda count: chat(tools=chat_tools(count))),
    "chat chosen tools": (CHAT, lambda count: chat(**_chosen_in_chat(count))),
    "chat history": (CHAT, lambda count: chat(_chat_history(count), tools=chat_tools(1))),
    "chat calls side by side": (CHAT, lambda count: chat(_chat_side_by_side(count), tools=chat_tools(1))),
    "chat functions": (CHAT, lambda count: chat(_chat_functions(count))),
    "chat thoughts": (CHAT, lambda count: chat(_thoughtful(count))),
    "chat unknown members": (CHAT, lambda count: chat(**unknown(count))),
    "chat unknown members of parts": (
        CHAT,
        lambda count: chat([_user([{"type": "text", "text": WORDS, "x": 1}] * count)]),
    ),
    "chat schema": (CHAT, lambda count: chat(tools=_strict(SCHEMA | unknown(count)))),
    "completions prompt": (COMPLETIONS, lambda count: {"model": "m", "prompt": WORDS * count}),
    "messages messages": (MESSAGES, lambda count: messages([_user(WORDS)] * count)),
    "messages parts": (MESSAGES, lambda count: messages([_user([{"type": "text", "text": WORDS}] * count)])),
    "messages system": (MESSAGES, lambda count: messages(system=[{"type": "text", "text": WORDS}] * count)),
    "messages tools": (MESSAGES, lambda count: messages(tools=messages_tools(count))),
    "messages history": (MESSAGES, lambda count: messages(_messages_history(count), tools=messages_tools(1))),
    "messages calls side by side": (
        MESSAGES,
        lambda count: messages(_messages_side_by_side(count), tools=messages_tools(1)),
    ),
    "messages thoughts": (MESSAGES, lambda count: messages(_thinking(count))),
    "messages unknown members": (MESSAGES, lambda count: messages(**unknown(count))),
    "messages unknown blocks": (
        MESSAGES,
        lambda count: messages([_user([{"type": "strange"}] * count + [{"type": "text", "text": WORDS}])]),
    ),
    "responses items": (RESPONSES, lambda count: responses([_user(WORDS)] * count)),
    "responses parts": (
        RESPONSES,
        lambda count: responses([_user([{"type": "input_text", "text": WORDS}] * count)]),
    ),
    "responses tools": (RESPONSES, lambda count: responses(tools=responses_tools(count))),
    "responses history": (
        RESPONSES,
        lambda count: responses(_items_history(count), tools=responses_tools(1)),
    ),
    "responses calls side by side": (
        RESPONSES,
        lambda count: responses(_items_side_by_side(count), tools=responses_tools(1)),
    ),
    "responses thoughts": (RESPONSES, lambda count: responses(_item_thoughts(count))),
    "responses unknown members": (RESPONSES, lambda count: responses(**unknown(count))),
    "responses unknown items": (
        RESPONSES,
        lambda count: responses([_user(WORDS)] + [{"type": "strange", "id": "s"}] * count),
    ),
    "gemini contents": (GEMINI, lambda count: gemini([_turn({"text": WORDS})] * count)),
    "gemini parts": (GEMINI, lambda count: gemini([_turn(*[{"text": WORDS}] * count)])),
    "gemini tools": (GEMINI, lambda count: gemini(tools=gemini_tools(count))),
    "gemini history": (GEMINI, lambda count: gemini(_gemini_history(count), tools=gemini_tools(1))),
    "gemini calls side by side": (
        GEMINI,
        lambda count: gemini(_gemini_side_by_side(count), tools=gemini_tools(1)),
    ),
    "gemini signed texts": (
        GEMINI,
        lambda count: gemini(
            [
                _turn({"text": WORDS}),
                _turn(*[{"text": WORDS, "thoughtSignature": "s"}] * count, role="model"),
                _turn({"text": WORDS}),
            ]
        ),
    ),
    "gemini unknown members": (GEMINI, lambda count: gemini(**unknown(count))),
    "gemini unknown members of parts": (
        GEMINI,
        lambda count: gemini([_turn(*[{"text": WORDS, "x": 1}] * count)]),
    ),
    "embeddings inputs": (EMBEDDINGS, lambda count: {"model": "m", "input": [WORDS] * count}),
    "embeddings tokens": (EMBEDDINGS, lambda count: {"model": "m", "input": [17] * count}),
}
"""By what is long: the path, and what makes a body that is so long."""
