"""Reads tools and toolConfig."""

from dataclasses import replace
from typing import Any

from providers.formats.base import BadRequest
from providers.formats.gemini.fields import Fields, required
from providers.formats.gemini.schema import json_schema
from providers.formats.gemini.tool_names import read_name
from providers.wire.conversation import ChoiceMode, Tool, ToolChoice

_MODES = {
    "AUTO": ChoiceMode.AUTO,
    "VALIDATED": ChoiceMode.AUTO,
    "ANY": ChoiceMode.REQUIRED,
    "NONE": ChoiceMode.NONE,
}
_STRICT = "VALIDATED"
_UNSAID = "MODE_UNSPECIFIED"


def read_tools(body: Fields, extra: dict[str, Any]) -> tuple[tuple[Tool, ...], ToolChoice | None]:
    """The functions, and the choice among them. What is not about functions goes into `extra`. Raises BadRequest."""
    tools: list[Tool] = []
    for entry in body.objects("tools"):
        extra.update(entry.others({"functionDeclarations"}))
        tools += [_tool(function, extra) for function in entry.objects("functionDeclarations")]
    config = _config(body, extra)
    if config is None:
        return tuple(tools), None
    mode, names = config.text("mode"), tuple(map(read_name, config.texts("allowedFunctionNames")))
    if mode == _STRICT:
        tools = [replace(tool, strict=True) for tool in tools]
    return tuple(tools), _choice(config, mode, names)


def _tool(function: Fields, extra: dict[str, Any]) -> Tool:
    extra.update(function.others({"name", "description", "parameters", "parametersJsonSchema"}))
    name = function.text("name")
    if not name:
        raise required(function, "name")
    return Tool(read_name(name), function.text("description"), _parameters(function))


def _parameters(function: Fields) -> Any:
    schema, subset = function.object("parametersJsonSchema"), function.object("parameters")
    if schema is not None and subset is not None:
        raise BadRequest(
            f"'{function.path}' must not hold both parameters and parametersJsonSchema.", param=function.path
        )
    if schema is not None:
        return function.raw("parametersJsonSchema")
    return None if subset is None else json_schema(function.raw("parameters"))


def _config(body: Fields, extra: dict[str, Any]) -> Fields | None:
    settings = body.object("toolConfig")
    if settings is None:
        return None
    extra.update(settings.others({"functionCallingConfig"}))
    config = settings.object("functionCallingConfig")
    if config is not None:
        extra.update(config.others({"mode", "allowedFunctionNames"}))
    return config


def _choice(config: Fields, mode: str | None, names: tuple[str, ...]) -> ToolChoice | None:
    if mode in {None, _UNSAID}:
        return ToolChoice(ChoiceMode.AUTO, names) if names else None
    if mode not in _MODES:
        path = config.path_of("mode")
        raise BadRequest(f"'{path}' must be one of {', '.join(_MODES)}.", param=path)
    return ToolChoice(_MODES[mode], names)
