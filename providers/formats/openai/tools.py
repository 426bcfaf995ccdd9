"""Tools and the choice among them, both ways; and the pair before: functions."""

from collections.abc import Mapping, Set
from typing import Any

from providers.formats.fields import Fields
from providers.formats.openai.cache_marks import read_cache_mark, write_cache_mark
from providers.formats.openai.signatures import ORIGIN
from providers.formats.wording import as_read
from providers.wire.conversation import CacheMark, ChoiceMode, Native, Tool, ToolChoice


def read_tools(body: Fields) -> tuple[Tool | Native, ...]:
    tools = [_read_tool(fields) for fields in body.things("tools")]
    return (*tools, *map(_read_old_function, body.things("functions")))


def _read_tool(fields: Fields) -> Tool | Native:
    """Native is a tool that is no function."""
    kind = fields.text("type") or "function"
    function = fields.part("function")
    if kind != "function" or function is None:
        return Native(ORIGIN, fields.value, fields.at("type"))
    mark = read_cache_mark(fields)
    fields.end()
    tool = read_function(function, mark)
    return as_read(tool, ORIGIN, fields.value, fields.own)


def _read_old_function(fields: Fields) -> Tool:
    tool = read_function(fields)
    return as_read(tool, ORIGIN, fields.value, fields.own)


def read_function(fields: Fields, mark: CacheMark | None = None) -> Tool:
    tool = Tool(
        fields.needed("name"),
        fields.text("description"),
        fields.mapping("parameters"),
        fields.flag("strict"),
        mark,
    )
    fields.end()
    return tool


def read_tool_choice(body: Fields) -> ToolChoice | None:
    value = body.any("tool_choice")
    if value is None:
        return _read_function_call(body)
    if isinstance(value, str):
        return ToolChoice(read_mode(body, "tool_choice", value))
    choice = Fields(value, "tool_choice", body.own)
    kind = choice.needed("type")
    if kind == "function":
        return ToolChoice(ChoiceMode.REQUIRED, (_function_name(choice),))
    if kind == "allowed_tools":
        return _read_allowed(choice)
    choice.set_aside("type")
    return None


def wants_one_call(body: Mapping[str, Any]) -> bool:
    return body.get("parallel_tool_calls") is False


def read_mode(fields: Fields, name: str, value: str) -> ChoiceMode:
    try:
        return ChoiceMode(value)
    except ValueError:
        raise fields.wrong(name, "has to be none, auto or required") from None


def _read_function_call(body: Fields) -> ToolChoice | None:
    value = body.any("function_call")
    if value is None:
        return None
    if isinstance(value, str):
        return ToolChoice(read_mode(body, "function_call", value))
    return ToolChoice(ChoiceMode.REQUIRED, (Fields(value, "function_call", body.own).needed("name"),))


def _read_allowed(choice: Fields) -> ToolChoice | None:
    """None for a choice among others than functions."""
    allowed = choice.part("allowed_tools")
    if allowed is None:
        raise choice.wrong("allowed_tools", "is missing")
    mode = read_mode(allowed, "mode", allowed.needed("mode"))
    tools = list(allowed.parts("tools"))
    if any(tool.part("function") is None for tool in tools):
        allowed.set_aside("tools")
        return None
    return ToolChoice(mode, tuple(map(_function_name, tools)))


def _function_name(fields: Fields) -> str:
    function = fields.part("function")
    if function is None:
        raise fields.wrong("function", "is missing")
    return function.needed("name")


def write_tool(tool: Tool, quirks: Set[str]) -> dict[str, Any]:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": tool.strict,
    }
    given = {name: value for name, value in function.items() if value is not None}
    return {"type": "function", "function": given} | write_cache_mark(tool.cache, quirks)


def write_tool_choice(choice: ToolChoice) -> str | Mapping[str, Any]:
    if not choice.names or choice.mode is ChoiceMode.NONE:
        return choice.mode.value
    named = [{"type": "function", "function": {"name": name}} for name in choice.names]
    if choice.mode is ChoiceMode.REQUIRED and len(named) == 1:
        return named[0]
    return {"type": "allowed_tools", "allowed_tools": {"mode": choice.mode.value, "tools": named}}
