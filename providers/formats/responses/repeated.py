"""What a response repeats of its request, and what else each has by its specification.

Source: ResponseResource of https://www.openresponses.org/reference/2026-04-24, which OpenAI's own responses satisfy.
"""

from collections.abc import Mapping
from typing import Any

from providers.formats.responses.repair import with_id

_Map = Mapping[str, Any]
_DEFAULTS: _Map = {
    "background": False,
    "frequency_penalty": 0.0,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "presence_penalty": 0.0,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
"""As OpenAI's."""
_UNSAID: Mapping[str, _Map] = {
    "function": {"description": None, "parameters": None, "strict": None},
    "json_schema": {"description": None, "strict": False},
}


def repeat_settings(request: _Map) -> dict[str, Any]:
    """What a response repeats of its request; also of one that nobody has read but its provider."""
    given = {name: request.get(name) for name in _DEFAULTS}
    settings = {name: _DEFAULTS[name] if value is None else value for name, value in given.items()}
    if settings["service_tier"] == "auto":
        settings["service_tier"] = "default"
    settings["reasoning"] = {"effort": None, "summary": None, **_map(request.get("reasoning"))}
    text = _map(request.get("text"))
    settings["text"] = {**text, "format": _repeat(text.get("format") or {"type": "text"})}
    tools = settings["tools"]
    settings["tools"] = list(map(_repeat, tools)) if isinstance(tools, list) else []
    return settings


def _map(value: object) -> _Map:
    return value if isinstance(value, Mapping) else {}


def _repeat(value: object) -> Any:
    """A tool, or a format of texts, with all that the specification has in one of its kind."""
    return {**_UNSAID.get(str(value.get("type")), {}), **value} if isinstance(value, Mapping) else value


_REPEATED = {name: value for name, value in repeat_settings({}).items() if name != "user"}
_NEVER_NULL = tuple(name for name, value in _REPEATED.items() if value is not None)
_STATES = ("completed_at", "error", "incomplete_details", "usage")
_MEMBERS = frozenset({*_REPEATED, *_STATES, "object", "created_at", "model", "output"})


def whole_response(response: _Map, request: _Map, *, created: int, now: int) -> _Map:
    """With all members: what its server left out is as asked, or as it is by default. Times are in Unix seconds.

    Servers that follow OpenAI leave out most: llama.cpp's say three members while they run, and eight in the end.
    """
    if response.keys() >= _MEMBERS and None not in map(response.get, _NEVER_NULL):
        return response
    settings = repeat_settings(request)
    silent = {name for name, value in response.items() if value is None and settings.get(name) is not None}
    told = {name: value for name, value in response.items() if name not in silent}
    ended = now if response.get("status") == "completed" else None
    items = response.get("output")
    output = (
        [with_id(item) if isinstance(item, Mapping) else item for item in items]
        if isinstance(items, list)
        else []
    )
    states: _Map = {**dict.fromkeys(_STATES), "completed_at": ended}
    head = {"object": "response", "created_at": created, "model": str(request.get("model") or "")}
    return {**head, **settings, **states, **told, "output": output}
