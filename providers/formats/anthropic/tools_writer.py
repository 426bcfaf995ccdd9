"""Writes tools and the choice among them."""

from collections.abc import Mapping, Sequence
from typing import Any

from providers.formats.anthropic.cache_marks import write_cache_mark
from providers.formats.anthropic.schema import OpenSchema, SchemaFitter
from providers.formats.anthropic.signatures import ORIGIN
from providers.formats.anthropic.tool_names import write_name
from providers.formats.notes import Notes
from providers.formats.wording import in_wording, unchanged
from providers.wire.conversation import ChoiceMode, Conversation, Native, Tool, ToolChoice

# The members of a request that say this, and what they are read into.
_MEMBERS = {"tools": ("tools",), "tool_choice": ("tools", "tool_choice", "parallel_tool_calls")}
_MODES = {ChoiceMode.AUTO: "auto", ChoiceMode.NONE: "none", ChoiceMode.REQUIRED: "any"}


def write_tools(conversation: Conversation, notes: Notes) -> dict[str, Any]:
    """`tools` and `tool_choice`, where there are any. Raises CannotTranslate."""
    said = unchanged(conversation, ORIGIN, _MEMBERS)
    if said:
        return _write_tool_list(conversation.tools, notes) | said
    tools = _allowed(conversation, notes)
    choice = _write_choice(conversation, notes)
    return _write_tool_list(tools, notes) | ({"tool_choice": choice} if choice and tools else {})


def _write_tool_list(tools: Sequence[Tool | Native], notes: Notes) -> dict[str, Any]:
    def write(tool: Tool) -> dict[str, Any]:
        return _write_tool(tool, notes)

    return {"tools": [in_wording(tool, ORIGIN, write) for tool in tools]} if tools else {}


def _allowed(conversation: Conversation, notes: Notes) -> list[Tool | Native]:
    """A choice among some of the tools is said by leaving out the others."""
    choice = conversation.tool_choice or ToolChoice()
    known = set(map(_name_of, conversation.tools))
    for name in choice.names:
        if name not in known:
            raise notes.refuse("tool_choice", f"There is no tool with the name '{name}' to be chosen.")
    if not conversation.tools and choice.mode is ChoiceMode.REQUIRED:
        raise notes.refuse("tool_choice", "A tool has to be called, and none was given.")
    if not choice.names or _is_named(choice):
        return list(conversation.tools)
    notes.note("tool_choice", "tools (the others left out)")
    chosen = frozenset(choice.names)
    return [tool for tool in conversation.tools if _name_of(tool) in chosen]


def _name_of(tool: Tool | Native) -> object:
    return tool.value.get("name") if isinstance(tool, Native) else tool.name


def _write_tool(tool: Tool, notes: Notes) -> dict[str, Any]:
    written: dict[str, Any] = {"name": write_name(tool.name, notes.source)}
    if tool.description is not None:
        written["description"] = tool.description
    written["input_schema"] = _write_schema(tool, notes)
    if tool.strict is not None:
        written["strict"] = tool.strict
    return written | write_cache_mark(tool.cache)


def _write_schema(tool: Tool, notes: Notes) -> Mapping[str, Any]:
    schema = tool.parameters or {}
    if "type" not in schema:
        schema = {"type": "object", "properties": {}} | dict(schema)
    if not tool.strict or not schema.get("properties"):
        return schema
    fitter = SchemaFitter()
    try:
        schema = fitter.fit(schema)
    except OpenSchema as open_schema:
        message = f"The chosen provider has no strict objects with members of any name: '{open_schema.path}'."
        raise notes.refuse("tool_strict", message) from None
    if fitter.left_out:
        notes.note("tool_strict", f"input_schema without {fitter.left_out}")
    return schema


def _write_choice(conversation: Conversation, notes: Notes) -> dict[str, Any]:
    choice, is_parallel = conversation.tool_choice, conversation.parallel_tool_calls
    if choice is None and is_parallel is None:
        return {}
    written = _write_mode(choice or ToolChoice(), notes)
    # Without any call there are none side by side either.
    if is_parallel is not None and written["type"] != "none":
        written["disable_parallel_tool_use"] = not is_parallel
    return written


def _write_mode(choice: ToolChoice, notes: Notes) -> dict[str, Any]:
    if _is_named(choice):
        return {"type": "tool", "name": write_name(choice.names[0], notes.source)}
    return {"type": _MODES[choice.mode]}


def _is_named(choice: ToolChoice) -> bool:
    return choice.mode is ChoiceMode.REQUIRED and len(choice.names) == 1
