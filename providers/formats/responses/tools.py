"""Tools and the choice among them in Responses, both ways. Built-in tools are none of ours."""

from collections.abc import Mapping
from typing import Any

from providers.formats.fields import Fields
from providers.formats.openai.tools import read_function, read_mode
from providers.formats.responses.signatures import ORIGIN
from providers.formats.wording import as_read
from providers.wire.conversation import ChoiceMode, Native, Tool, ToolChoice


def read_tools(body: Fields) -> tuple[Tool | Native, ...]:
    return tuple(map(_read_tool, body.things("tools")))


def _read_tool(fields: Fields) -> Tool | Native:
    """Native is what is no function: only Responses has it."""
    if fields.needed("type") != "function":
        return Native(ORIGIN, fields.value, fields.at("type"))
    return as_read(read_function(fields), ORIGIN, fields.value, fields.own)


def read_tool_choice(body: Fields) -> ToolChoice | None:
    value = body.any("tool_choice")
    if value is None:
        return None
    if isinstance(value, str):
        return ToolChoice(read_mode(body, "tool_choice", value))
    choice = Fields(value, "tool_choice", body.own)
    kind = choice.needed("type")
    if kind == "function":
        return ToolChoice(ChoiceMode.REQUIRED, (choice.needed("name"),))
    allowed = list(choice.parts("tools")) if kind == "allowed_tools" else []
    if not allowed or any(tool.text("type") != "function" for tool in allowed):
        body.set_aside("tool_choice")
        return None
    mode = read_mode(choice, "mode", choice.needed("mode"))
    return ToolChoice(mode, tuple(tool.needed("name") for tool in allowed))


def write_tool(tool: Tool, source: str) -> dict[str, Any]:
    written = {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters or {"type": "object", "properties": {}},
        # Where nothing is said Responses takes a schema strictly, which no other format does.
        "strict": tool.strict if source == ORIGIN or tool.strict is not None else False,
    }
    if source == ORIGIN and tool.parameters is not None:
        written["parameters"] = tool.parameters
    return {name: value for name, value in written.items() if value is not None}


def write_tool_choice(choice: ToolChoice) -> str | Mapping[str, Any]:
    if not choice.names or choice.mode is ChoiceMode.NONE:
        return choice.mode.value
    named = [{"type": "function", "name": name} for name in choice.names]
    if choice.mode is ChoiceMode.REQUIRED and len(named) == 1:
        return named[0]
    return {"type": "allowed_tools", "mode": choice.mode.value, "tools": named}
