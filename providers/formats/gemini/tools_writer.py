"""Writes tools and the choice among them as tools and toolConfig."""

from typing import Any

from providers.formats.field_names import client_field
from providers.formats.gemini.signatures import ORIGIN
from providers.formats.gemini.tool_names import write_name
from providers.formats.wording import in_wording, unchanged
from providers.wire.conversation import ChoiceMode, Conversation, Native, Tool

_MODES = {ChoiceMode.AUTO: "AUTO", ChoiceMode.REQUIRED: "ANY", ChoiceMode.NONE: "NONE"}
_STRICT = "VALIDATED"
_CONFIG = "toolConfig.functionCallingConfig"
# The members of a request that say this, and what they are read into.
_MEMBERS = {"tools": ("tools",), "toolConfig": ("tools", "tool_choice")}


def write_tools(conversation: Conversation, translated: list[str]) -> dict[str, Any]:
    """Raises CannotTranslate."""
    said = unchanged(conversation, ORIGIN, _MEMBERS)
    if said or not conversation.tools:
        return _tools(conversation) | said
    if conversation.parallel_tool_calls is False:
        translated.append(
            f"{client_field(conversation.source, 'parallel_tool_calls')} -> the first call is kept"
        )
    config = _config(conversation, translated)
    return _tools(conversation) | ({"toolConfig": {"functionCallingConfig": config}} if config else {})


def _tools(conversation: Conversation) -> dict[str, Any]:
    """The functions in one entry, each of Google's own tools in another."""
    source = conversation.source
    written = [
        in_wording(tool, ORIGIN, lambda function: _function(function, source))
        for tool in conversation.functions
    ]
    functions = [{"functionDeclarations": written}] if written else []
    tools = [*functions, *(tool.value for tool in conversation.tools if isinstance(tool, Native))]
    return {"tools": tools} if tools else {}


def _function(tool: Tool, source: str) -> dict[str, Any]:
    function: dict[str, Any] = {"name": write_name(tool.name, source)}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.parameters is not None:
        function["parametersJsonSchema"] = tool.parameters
    return function


def _config(conversation: Conversation, translated: list[str]) -> dict[str, Any]:
    """With AUTO, strict tools and a choice among some of them both need VALIDATED: either text, or a call that fits."""
    choice, source = conversation.tool_choice, conversation.source
    is_auto = choice is None or choice.mode is ChoiceMode.AUTO
    is_strict = any(tool.strict for tool in conversation.functions)
    names = [write_name(name, source) for name in choice.names] if choice else []
    if is_auto and (is_strict or names):
        field = "tool_strict" if is_strict else "tool_choice"
        if source != "gemini":
            translated.append(f"{client_field(source, field)} -> {_CONFIG}.mode")
        return {"mode": _STRICT} | ({"allowedFunctionNames": names} if names else {})
    if choice is None:
        return {}
    config: dict[str, Any] = {"mode": _MODES[choice.mode]}
    return config | ({"allowedFunctionNames": names} if names and choice.mode is ChoiceMode.REQUIRED else {})
