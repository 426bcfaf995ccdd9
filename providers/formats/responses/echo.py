"""Repeats the request's settings in a response, as OpenAI does, with its defaults."""

from collections.abc import Mapping
from typing import Any

_DEFAULTS: Mapping[str, Any] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "service_tier": None,
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}


def repeat_settings(request: Mapping[str, Any]) -> dict[str, Any]:
    settings = {name: _given(request, name, default) for name, default in _DEFAULTS.items()}
    settings["reasoning"] = {"effort": None, "summary": None} | _given(request, "reasoning", {})
    settings["text"] = {"format": {"type": "text"}} | _given(request, "text", {})
    settings["tools"] = [_tool(tool) for tool in settings["tools"]]
    return settings


def _given(request: Mapping[str, Any], name: str, default: Any) -> Any:
    value = request.get(name)
    return default if value is None else value


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    """The SDK's type of a function needs both members."""
    defaults = {"parameters": None, "strict": None} if tool.get("type") == "function" else {}
    return defaults | dict(tool)
