"""Tools that only Responses has and other formats know as functions: custom ones, those in namespaces, a search.

Their names for other formats are made from the request alone, so that an answer can be read back without a table
kept. Source: types of the `openai` package 3.54, and Codex CLI.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from providers.formats.base import Telling
from providers.formats.custom_tools import INPUT, arguments_of, custom_function
from providers.formats.limits import LONGEST_NAME, shortened
from providers.formats.responses.messages_reader import sign_call
from providers.formats.responses.signatures import ORIGIN
from providers.formats.retold import as_text, retell
from providers.formats.wording import wording_in
from providers.wire.conversation import (
    ChoiceMode,
    Conversation,
    Message,
    Native,
    Part,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from providers.wire.parts import has_natives_inside

SEARCH = "tool_search"
Names = Mapping[tuple[object, object], str]
"""What other formats are told of a tool, by its namespace and name."""
_LISTS = frozenset({"additional_tools", "tool_search_output"})
# Lists of what could be called, and drawings that failed, say nothing of what was done.
_SAYS_NOTHING = frozenset({"mcp_list_tools", "image_generation_call"})
_RETOLD = ("web_search_call", "file_search_call", "code_interpreter_call", "computer_call", "mcp_call")
_RETOLD_TOO = ("mcp_approval", "local_shell_call", "shell_call", "apply_patch_call", "program")


@dataclass(frozen=True, slots=True)
class OwnTool:
    """`kind` is function, custom or tool_search."""

    kind: str
    name: str
    namespace: str | None
    value: Mapping[str, Any]

    @property
    def is_plain(self) -> bool:
        return self.kind == "function" and self.namespace is None


def own_tools(request: Mapping[str, Any]) -> Mapping[str, OwnTool]:
    """Those of a client's request, by the names that other formats are told."""
    tools = {(tool.namespace, tool.name): tool for tool in reversed([*_tools_in(request)])}
    named = {tool.name: tool for tool in reversed(tools.values()) if tool.is_plain}
    for tool in reversed(tools.values()):
        if not tool.is_plain:
            named[_unique(tool, named)] = tool
    return named


def has_own_tools(request: Mapping[str, Any]) -> bool:
    """Whether any is no plain function."""
    tools, items = request.get("tools"), request.get("input")
    return any(
        isinstance(each, Mapping) and each.get("type") in kinds
        for values, kinds in ((tools, _KINDS), (items, _LISTS))
        for each in (values if isinstance(values, list) else ())
    )


_KINDS = frozenset({"custom", "namespace", SEARCH})
_OF_TOOLS = frozenset({ToolCall, ToolResult})


def _tools_in(request: Mapping[str, Any]) -> Iterator[OwnTool]:
    tools, items = request.get("tools"), request.get("input")
    yield from _read(tools)
    for item in items if isinstance(items, list) else ():
        if isinstance(item, Mapping) and item.get("type") in _LISTS:
            yield from _read(item.get("tools"))


def _read(tools: object, namespace: str | None = None) -> Iterator[OwnTool]:
    for tool in tools if isinstance(tools, list) else ():
        if not isinstance(tool, Mapping):
            continue
        kind, name = tool.get("type"), tool.get("name")
        if kind == "namespace" and isinstance(name, str):
            yield from _read(tool.get("tools"), name)
        elif kind in {"function", "custom"} and isinstance(name, str):
            yield OwnTool(kind, name, namespace, tool)
        elif kind == SEARCH and tool.get("execution") == "client":
            yield OwnTool(SEARCH, SEARCH, None, tool)


def _unique(tool: OwnTool, taken: Mapping[str, OwnTool]) -> str:
    if tool.namespace is None:
        name = tool.name
    else:
        name = f"{tool.namespace}{'' if tool.namespace.endswith('__') else '__'}{tool.name}"
    if name not in taken:
        return name
    return shortened(name, f"{tool.namespace}\n{tool.name}\n{tool.kind}", LONGEST_NAME)


def plainly(conversation: Conversation, notes: Telling) -> Conversation:
    """For a writer of another format: as functions, calls, results and text, whatever can be said so."""
    if "tool_choice" not in conversation.extra and not has_natives_inside(conversation):
        return conversation
    wording = wording_in(conversation, ORIGIN)
    named = own_tools(wording.value) if wording else {}
    names: Names = {(tool.namespace, tool.name): name for name, tool in named.items()}
    conversation = _plain_tools(conversation, named, notes)
    conversation = _plain_choice(conversation, names)
    conversation = retell(conversation, lambda native: _plain_item(native, names), notes)
    messages: list[Message] = []
    for message in conversation.messages:
        plain = _plain_message(message, names)
        if (signed := sign_call(messages[-1:], plain)) is not None:
            messages[-1] = signed
        else:
            messages.append(plain)
    return replace(conversation, messages=tuple(messages))


def _plain_tools(conversation: Conversation, named: Mapping[str, OwnTool], notes: Telling) -> Conversation:
    """In their order, and those that items list behind them."""
    if all(isinstance(tool, Tool) for tool in conversation.tools) and all(
        own.is_plain for own in named.values()
    ):
        listed = {tool.name for tool in conversation.functions}
        if named.keys() <= listed:
            return conversation
    tools: list[Tool | Native] = []
    for tool in conversation.tools:
        kind = tool.value.get("type") if isinstance(tool, Native) else None
        if kind in _KINDS:
            notes.note_path(f"tools.type={kind}", "function")
        else:
            tools.append(tool)
    listed = {tool.name for tool in tools if isinstance(tool, Tool)}
    tools += [_function(name, own) for name, own in named.items() if name not in listed]
    return replace(conversation, tools=tuple(tools))


def _function(name: str, own: OwnTool) -> Tool:
    description, parameters = own.value.get("description"), own.value.get("parameters")
    if own.kind == "custom":
        form = own.value.get("format")
        has_grammar = isinstance(form, Mapping) and form.get("type") == "grammar"
        return custom_function(name, description, form if has_grammar else None)
    description = description if isinstance(description, str) else None
    strict = own.value.get("strict")
    return Tool(
        name,
        description or ("Finds further tools." if own.kind == SEARCH else None),
        parameters if isinstance(parameters, Mapping) else None,
        strict if isinstance(strict, bool) else None,
    )


def _plain_choice(conversation: Conversation, names: Names) -> Conversation:
    value = conversation.extra.get("tool_choice")
    if not isinstance(value, Mapping):
        return conversation
    asked = value.get("tools") if value.get("type") == "allowed_tools" else [value]
    asked = asked if isinstance(asked, list) else []
    chosen = [
        names.get((each.get("namespace"), each.get("name"))) for each in asked if isinstance(each, Mapping)
    ]
    said = tuple(name for name in chosen if name is not None)
    if not said or len(said) < len(asked):
        return conversation
    mode = ChoiceMode.AUTO if value.get("mode") == "auto" else ChoiceMode.REQUIRED
    extra = {name: member for name, member in conversation.extra.items() if name != "tool_choice"}
    return replace(conversation, tool_choice=ToolChoice(mode, said), extra=extra)


def _plain_item(native: Native, names: Names) -> Part | None:
    item = native.value if isinstance(native.value, Mapping) else {}
    match item.get("type"):
        case "custom_tool_call":
            return ToolCall(str(item.get("call_id")), _name_in(item, names), arguments_of(item.get(INPUT)))
        case "tool_search_call" if item.get("execution") == "client":
            arguments = orjson.dumps(item.get("arguments") or {}).decode()
            return ToolCall(str(item.get("call_id")), names.get((None, SEARCH), SEARCH), arguments)
        case "custom_tool_call_output":
            return ToolResult(str(item.get("call_id")), _said(item.get("output")))
        case "tool_search_output" if item.get("execution") == "client" or item.get("call_id"):
            found = [
                name for own in _read(item.get("tools")) if (name := names.get((own.namespace, own.name)))
            ]
            return ToolResult(str(item.get("call_id")), (Text(f"Tools found: {', '.join(found) or 'none'}"),))
        case "tool_search_call" | "tool_search_output" | "additional_tools":
            return None
        case str(kind) if kind in _SAYS_NOTHING:
            return None
        case str(kind) if kind.startswith((*_RETOLD, *_RETOLD_TOO)):
            said = {name: value for name, value in item.items() if name not in {"type", "call_id"}}
            return as_text(kind, said)
    return native


def _name_in(item: Mapping[str, Any], names: Names) -> str:
    namespace, name = item.get("namespace"), str(item.get("name"))
    return names.get((namespace, name)) or (f"{namespace}__{name}" if namespace else name)


def _said(output: object) -> tuple[Text | Native, ...]:
    """Of a custom tool: a string, or parts of text; others stay Native."""
    if isinstance(output, str):
        return (Text(output),) if output else ()
    parts = output if isinstance(output, list) else []
    return tuple(
        Text(str(part.get("text")))
        if isinstance(part, Mapping) and "text" in part
        else Native(ORIGIN, part, "input.output.type")
        for part in parts
    )


def _plain_message(message: Message, names: Names) -> Message:
    """Calls of tools in namespaces by their names; results stand in turns of the user."""
    if _OF_TOOLS.isdisjoint(map(type, message.parts)):
        return message
    parts = tuple(_plain_call(part, names) for part in message.parts)
    role = Role.USER if any(isinstance(part, ToolResult) for part in parts) else message.role
    is_same = role is message.role and all(new is old for new, old in zip(parts, message.parts, strict=True))
    return message if is_same else replace(message, role=role, parts=parts)


def _plain_call(part: Part, names: Names) -> Part:
    if not isinstance(part, ToolCall) or part.wording is None or not part.wording.own:
        return part
    namespace = part.wording.value.get("namespace")
    if not isinstance(namespace, str):
        return part
    name = names.get((namespace, part.name)) or f"{namespace}__{part.name}"
    return replace(part, name=name, wording=None)
