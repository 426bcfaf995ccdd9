"""Chat's custom tools as functions, for other formats. Source: types of the `openai` package 3.54 (November 2026)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from providers.formats.base import Telling
from providers.formats.custom_tools import arguments_of, custom_function
from providers.formats.openai.signatures import ORIGIN
from providers.formats.retold import retell
from providers.formats.wording import wording_in
from providers.wire.conversation import ChoiceMode, Conversation, Native, Part, Tool, ToolCall, ToolChoice

_CUSTOM = "custom"


def custom_names(request: Mapping[str, Any]) -> frozenset[str]:
    """Of the tools that a client's request lists so; a function of the same name is meant first."""
    tools = request.get("tools")
    if not isinstance(tools, list):
        return frozenset()
    names = {custom["name"] for tool in tools if (custom := _custom_in(tool))}
    return frozenset(names - {_function_name(tool) for tool in tools}) if names else frozenset()


def plainly(conversation: Conversation, notes: Telling) -> Conversation:
    """For a writer of another format: as functions, and calls of them; what else only chat has is left as it is."""
    tools = tuple(_plain_tool(tool) for tool in conversation.tools)
    if tools != conversation.tools:
        notes.note_path("tools.type=custom", "function")
        conversation = replace(_plain_choice(conversation), tools=tools)
    return retell(conversation, _plain_call, notes)


def _plain_tool(tool: Tool | Native) -> Tool | Native:
    custom = _custom_in(tool.value) if isinstance(tool, Native) else None
    if custom is None:
        return tool
    form = custom.get("format")
    grammar = form.get("grammar") if isinstance(form, Mapping) and form.get("type") == "grammar" else None
    return custom_function(custom["name"], custom.get("description"), grammar)


def _plain_choice(conversation: Conversation) -> Conversation:
    wording = wording_in(conversation, ORIGIN)
    choice = wording.value.get("tool_choice") if wording else None
    if not isinstance(choice, Mapping):
        return conversation
    allowed = choice.get("allowed_tools")
    among: object = allowed.get("tools") if isinstance(allowed, Mapping) else [choice]
    names = _names_in(among if isinstance(among, list) else [])
    if names is None:
        return conversation
    is_free = isinstance(allowed, Mapping) and allowed.get("mode") == ChoiceMode.AUTO
    mode = ChoiceMode.AUTO if is_free else ChoiceMode.REQUIRED
    extra = {path: value for path, value in conversation.extra.items() if not path.startswith("tool_choice")}
    return replace(conversation, tool_choice=ToolChoice(mode, names), extra=extra)


def _names_in(tools: Sequence[object]) -> tuple[str, ...] | None:
    """None where one of them is neither custom nor a function."""
    names = []
    for tool in tools:
        custom = _custom_in(tool)
        name = custom["name"] if custom else _function_name(tool)
        if name is None:
            return None
        names.append(name)
    return tuple(names) or None


def _plain_call(native: Native) -> Part:
    call = native.value
    if (custom := _custom_in(call)) is None or not isinstance(call.get("id"), str):
        return native
    return ToolCall(call["id"], custom["name"], arguments_of(custom.get("input")))


def _custom_in(thing: Any) -> Mapping[str, Any] | None:
    """What a custom tool, a choice or a call of one says of it."""
    custom = thing.get(_CUSTOM) if isinstance(thing, Mapping) and thing.get("type") == _CUSTOM else None
    return custom if isinstance(custom, Mapping) and isinstance(custom.get("name"), str) else None


def _function_name(thing: Any) -> str | None:
    function = thing.get("function") if isinstance(thing, Mapping) else None
    name = function.get("name") if isinstance(function, Mapping) else None
    return name if isinstance(name, str) else None
