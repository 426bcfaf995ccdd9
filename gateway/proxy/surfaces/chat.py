"""OpenAI's chat completions: `POST /v1/chat/completions`.

Source: the request type of OpenAI's SDK, 3.54. Unknown parameters are kept and passed on.
"""

from typing import Any

from gateway.proxy.surfaces.base import Surface
from gateway.proxy.surfaces.fields import (
    at_most,
    boolean,
    either,
    integer,
    list_of,
    one_of,
    record,
    refuse,
    text,
    within,
)
from gateway.proxy.surfaces.settings import SETTINGS, check_stream_options
from providers.wire.bounds import LONGEST_NAME, MOST_LABELS, MOST_MESSAGES, MOST_TOOLS
from providers.wire.estimate import are_plain, odd_places

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_anything = record({})

_function_call = record({"name": text(), "arguments": text()}, required=("name",))
_tool_call = record({"id": text(), "type": text(), "function": _function_call})
_part = record(
    {
        "type": text(),
        "text": text(),
        "image_url": record({"url": text(), "detail": text()}, required=("url",)),
        "input_audio": record({"data": text(), "format": text()}, required=("data",)),
        "file": _anything,
        "refusal": text(),
    },
    required=("type",),
)
_message_fields = record(
    {
        "role": one_of(*_ROLES),
        "content": either("a string or a list of parts", text(), list_of(_part)),
        "name": text(),
        "refusal": text(),
        "tool_calls": list_of(_tool_call),
        "tool_call_id": text(),
    },
    required=("role",),
)
_NEED_CONTENT = ("system", "developer", "user", "tool")


def _message(value: Any, param: str) -> None:
    _message_fields(value, param)
    if value.get("content") is None and value["role"] in _NEED_CONTENT:
        raise refuse(f"{param}.content", f"given for the role {value['role']}", None)
    if value["role"] == "tool" and value.get("tool_call_id") is None:
        raise refuse(f"{param}.tool_call_id", "given for the role tool", None)


_list_of_messages = list_of(_message, least=1, most=MOST_MESSAGES)


def _messages(value: Any, param: str) -> None:
    if type(value) is not list or not 1 <= len(value) <= MOST_MESSAGES:
        _list_of_messages(value, param)
    # Nothing can be wrong with plain ones, and most are.
    elif not are_plain(value):
        for index in odd_places(value):
            _message(value[index], f"{param}[{index}]")


_function = record(
    {"name": text(LONGEST_NAME, least=1), "description": text(), "parameters": _anything, "strict": boolean},
    required=("name",),
)
_tool = record({"type": text(), "function": _function, "custom": _anything}, required=("type",))
_schema = record({"name": text(LONGEST_NAME), "description": text(), "schema": _anything, "strict": boolean})
_tool_choice = record({"type": text(), "allowed_tools": within({"tools": at_most(MOST_TOOLS)})})
_EFFORTS = ("auto", "none", "minimal", "low", "medium", "high", "xhigh", "max", "default")

_parameters = record(
    {
        **SETTINGS,
        "messages": _messages,
        "audio": _anything,
        "functions": at_most(MOST_TOOLS),
        "logprobs": boolean,
        "max_completion_tokens": integer(1),
        "modalities": list_of(text(), most=MOST_LABELS),
        "n": integer(1, 128),
        "prediction": _anything,
        "reasoning_effort": one_of(*_EFFORTS),
        "response_format": record(
            {"type": one_of("text", "json_object", "json_schema"), "json_schema": _schema}, required=("type",)
        ),
        "tool_choice": either(
            "none, auto, required or an object", one_of("none", "auto", "required"), _tool_choice
        ),
        "tools": list_of(_tool, most=MOST_TOOLS),
        "top_k": integer(0),
        "verbosity": one_of("low", "medium", "high"),
        "web_search_options": _anything,
    },
    required=("model", "messages"),
)


def _check(body: Any, param: str) -> None:
    _parameters(body, param)
    if "stream_options" in body:
        check_stream_options(body)


CHAT = Surface(path="/v1/chat/completions", endpoint="chat.completions", check=_check)
