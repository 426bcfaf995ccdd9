"""Tools and the choice among them, both ways: tools and toolConfig."""

from dataclasses import replace
from typing import Any

from providers.formats.base import BadRequest, Telling
from providers.formats.field_names import client_field
from providers.formats.gemini.members import Members, camel, required
from providers.formats.gemini.schema import json_schema
from providers.formats.gemini.signatures import ORIGIN
from providers.formats.retold import as_text, retell
from providers.formats.wording import as_read, in_wording, unchanged
from providers.wire.conversation import ChoiceMode, Conversation, Native, Part, Tool, ToolChoice

_MODES = {
    "AUTO": ChoiceMode.AUTO,
    "VALIDATED": ChoiceMode.AUTO,
    "ANY": ChoiceMode.REQUIRED,
    "NONE": ChoiceMode.NONE,
}
_STRICT = "VALIDATED"
_UNSAID = "MODE_UNSPECIFIED"
_WORDS = {ChoiceMode.AUTO: "AUTO", ChoiceMode.REQUIRED: "ANY", ChoiceMode.NONE: "NONE"}
_CONFIG = "toolConfig.functionCallingConfig"
# The members of a request that say this, and what they are read into.
_MEMBERS = {"tools": ("tools",), "toolConfig": ("tools", "tool_choice")}


def read_tools(body: Members, extra: dict[str, Any]) -> tuple[tuple[Tool | Native, ...], ToolChoice | None]:
    """The tools, and the choice among them. Settings of others than functions go into `extra`. Raises BadRequest."""
    tools: list[Tool | Native] = []
    for entry in body.objects("tools"):
        tools += map(_tool, entry.objects("functionDeclarations"))
        natives = entry.others({"functionDeclarations"})
        tools += [Native(ORIGIN, {camel(_last(path)): value}, path) for path, value in natives.items()]
    config = _read_config(body, extra)
    if config is None:
        return tuple(tools), None
    mode, names = config.text("mode"), config.texts("allowedFunctionNames")
    if mode == _STRICT:
        tools = [tool if isinstance(tool, Native) else replace(tool, strict=True) for tool in tools]
    return tuple(tools), _choice(config, mode, names)


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _tool(function: Members) -> Tool:
    name = function.text("name")
    if not name:
        raise required(function, "name")
    tool = Tool(name, function.text("description"), _parameters(function))
    own = function.others({"name", "description", "parameters", "parametersJsonSchema"})
    return as_read(tool, ORIGIN, function.value, own)


def _parameters(function: Members) -> Any:
    schema, subset = function.object("parametersJsonSchema"), function.object("parameters")
    if schema is not None and subset is not None:
        raise BadRequest(
            f"'{function.path}' must not hold both parameters and parametersJsonSchema.", param=function.path
        )
    if schema is not None:
        return function.raw("parametersJsonSchema")
    return None if subset is None else json_schema(function.raw("parameters"))


def _read_config(body: Members, extra: dict[str, Any]) -> Members | None:
    settings = body.object("toolConfig")
    if settings is None:
        return None
    extra.update(settings.others({"functionCallingConfig"}))
    config = settings.object("functionCallingConfig")
    if config is not None:
        extra.update(config.others({"mode", "allowedFunctionNames"}))
    return config


def _choice(config: Members, mode: str | None, names: tuple[str, ...]) -> ToolChoice | None:
    if mode in {None, _UNSAID}:
        return ToolChoice(ChoiceMode.AUTO, names) if names else None
    if mode not in _MODES:
        path = config.path_of("mode")
        raise BadRequest(f"'{path}' must be one of {', '.join(_MODES)}.", param=path)
    return ToolChoice(_MODES[mode], names)


def write_tools(conversation: Conversation, translated: list[str]) -> dict[str, Any]:
    """Raises CannotTranslate."""
    kept = unchanged(conversation, ORIGIN, _MEMBERS)
    if kept or not conversation.tools:
        return _tools(conversation) | kept
    if conversation.parallel_tool_calls is False:
        translated.append(
            f"{client_field(conversation.source, 'parallel_tool_calls')} -> the first call is kept"
        )
    config = _write_config(conversation, translated)
    return _tools(conversation) | ({"toolConfig": {"functionCallingConfig": config}} if config else {})


def _tools(conversation: Conversation) -> dict[str, Any]:
    """The functions in one entry, each of Google's own tools in another."""
    written = [in_wording(tool, ORIGIN, _function) for tool in conversation.functions]
    functions = [{"functionDeclarations": written}] if written else []
    tools = [*functions, *(tool.value for tool in conversation.tools if isinstance(tool, Native))]
    return {"tools": tools} if tools else {}


def _function(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.parameters is not None:
        function["parametersJsonSchema"] = tool.parameters
    return function


def _write_config(conversation: Conversation, translated: list[str]) -> dict[str, Any]:
    """With AUTO, strict tools and a choice among some of them both need VALIDATED: either text, or a call that fits."""
    choice, source = conversation.tool_choice, conversation.source
    is_auto = choice is None or choice.mode is ChoiceMode.AUTO
    is_strict = any(tool.strict for tool in conversation.functions)
    names = list(choice.names) if choice else []
    if is_auto and (is_strict or names):
        field = "tool_strict" if is_strict else "tool_choice"
        if source != "gemini":
            translated.append(f"{client_field(source, field)} -> {_CONFIG}.mode")
        return {"mode": _STRICT} | ({"allowedFunctionNames": names} if names else {})
    if choice is None:
        return {}
    config: dict[str, Any] = {"mode": _WORDS[choice.mode]}
    return config | ({"allowedFunctionNames": names} if names and choice.mode is ChoiceMode.REQUIRED else {})


# What Gemini's own tools were asked for and gave.
_RETOLD = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")


def plainly(conversation: Conversation, notes: Telling) -> Conversation:
    """For a writer of another format: what its own tools did as text."""
    return retell(conversation, _retold, notes)


def _retold(native: Native) -> Part:
    part = {camel(name): value for name, value in native.value.items()}
    name = next((name for name in _RETOLD if name in part), None)
    return native if name is None else as_text(name, part[name])
