"""Writes tools and the choice among them as tools and toolConfig."""

from typing import Any

from providers.formats.gemini.tool_names import write_name
from providers.formats.spelling import spelt
from providers.wire.conversation import ChoiceMode, Conversation, Tool

_MODES = {ChoiceMode.AUTO: "AUTO", ChoiceMode.REQUIRED: "ANY", ChoiceMode.NONE: "NONE"}
_STRICT = "VALIDATED"
_CONFIG = "toolConfig.functionCallingConfig"


def write_tools(conversation: Conversation, translated: list[str]) -> dict[str, Any]:
    """Raises CannotTranslate."""
    if not conversation.tools:
        return {}
    if conversation.parallel_tool_calls is False:
        translated.append(f"{spelt(conversation.source, 'parallel_tool_calls')} -> the first call is kept")
    functions = [_function(tool, conversation.source) for tool in conversation.functions]
    config = _config(conversation, translated)
    written: dict[str, Any] = {"tools": [{"functionDeclarations": functions}]}
    return written | ({"toolConfig": {"functionCallingConfig": config}} if config else {})


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
            translated.append(f"{spelt(source, field)} -> {_CONFIG}.mode")
        return {"mode": _STRICT} | ({"allowedFunctionNames": names} if names else {})
    if choice is None:
        return {}
    config: dict[str, Any] = {"mode": _MODES[choice.mode]}
    return config | ({"allowedFunctionNames": names} if names and choice.mode is ChoiceMode.REQUIRED else {})
