"""Tools and the choice among them, both ways."""

from collections.abc import Mapping, Sequence
from typing import Any

from providers.formats.anthropic.cache_marks import read_cache_mark, write_cache_mark
from providers.formats.anthropic.schema import OpenSchema, SchemaFitter
from providers.formats.anthropic.signatures import ORIGIN
from providers.formats.base import Telling
from providers.formats.fields import Fields
from providers.formats.losses import Kind
from providers.formats.notes import Notes
from providers.formats.retold import as_text, retell
from providers.formats.wording import as_read, in_wording, unchanged
from providers.wire.conversation import ChoiceMode, Conversation, Native, Part, Text, Tool, ToolChoice

_MODES = {"auto": ChoiceMode.AUTO, "any": ChoiceMode.REQUIRED, "none": ChoiceMode.NONE}
# The members of a request that say this, and what they are read into.
_MEMBERS = {"tools": ("tools",), "tool_choice": ("tools", "tool_choice", "parallel_tool_calls")}
_WORDS = {mode: word for word, mode in _MODES.items()}


def read_tools(body: Fields) -> tuple[Tool | Native, ...]:
    return tuple(map(_read_tool, body.things("tools")))


def _read_tool(fields: Fields) -> Tool | Native:
    """Native is a tool that only Anthropic has."""
    if fields.text("type") not in {None, "custom"}:
        return Native(ORIGIN, fields.value, fields.at("type"))
    # How arguments are streamed changes nothing in them.
    fields.skip("eager_input_streaming")
    _set_aside_own(fields)
    tool = Tool(
        fields.needed("name"),
        fields.text("description"),
        fields.mapping("input_schema"),
        fields.flag("strict"),
        read_cache_mark(fields),
    )
    fields.end()
    return as_read(tool, ORIGIN, fields.value, fields.own)


def _set_aside_own(fields: Fields) -> None:
    """What only Anthropic has; the values that it takes by itself say nothing."""
    usual = {"defer_loading": False, "input_examples": [], "allowed_callers": ["direct"]}
    for name, value in usual.items():
        if fields.any(name) not in (None, value):
            fields.set_aside(name)


def read_tool_choice(body: Fields) -> tuple[ToolChoice | None, bool | None]:
    """The choice, and whether calls may run side by side; None where nothing was said."""
    choice = body.part("tool_choice")
    if choice is None:
        return None, None
    is_single = choice.flag("disable_parallel_tool_use")
    kind = choice.needed("type")
    if kind == "tool":
        read = ToolChoice(ChoiceMode.REQUIRED, (choice.needed("name"),))
    elif kind in _MODES:
        read = ToolChoice(_MODES[kind])
    else:
        raise choice.wrong("type", "has to be auto, any, tool or none")
    choice.end()
    return read, None if is_single is None else not is_single


def wants_one_call(body: Mapping[str, Any]) -> bool:
    choice = body.get("tool_choice")
    return isinstance(choice, Mapping) and choice.get("disable_parallel_tool_use") is True


def write_tools(conversation: Conversation, notes: Notes) -> dict[str, Any]:
    """`tools` and `tool_choice`, where there are any. Raises CannotTranslate."""
    kept = unchanged(conversation, ORIGIN, _MEMBERS)
    if kept:
        return _write_tool_list(conversation.tools, notes) | kept
    tools = _allowed(conversation, notes)
    choice = _write_choice(conversation)
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
    written: dict[str, Any] = {"name": tool.name}
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


def _write_choice(conversation: Conversation) -> dict[str, Any]:
    choice, is_parallel = conversation.tool_choice, conversation.parallel_tool_calls
    if choice is None and is_parallel is None:
        return {}
    written = _write_mode(choice or ToolChoice())
    # Without any call there are none side by side either.
    if is_parallel is not None and written["type"] != "none":
        written["disable_parallel_tool_use"] = not is_parallel
    return written


def _write_mode(choice: ToolChoice) -> dict[str, Any]:
    if _is_named(choice):
        return {"type": "tool", "name": choice.names[0]}
    return {"type": _WORDS[choice.mode]}


def _is_named(choice: ToolChoice) -> bool:
    return choice.mode is ChoiceMode.REQUIRED and len(choice.names) == 1


# What Anthropic's own tools were asked for and gave, and its summary of a prompt that was too long.
# Where a turn's model changed, and what tools there were. Source: anthropic 2.13, November 2026.
_MARKS = frozenset({"fallback", "mcp_tool_listing"})
_RETOLD = ("server_tool_use", "mcp_tool_use", "mcp_tool_result", "compaction", "search_result")


def plainly(conversation: Conversation, notes: Telling) -> Conversation:
    """For a writer of another format: what its own tools did as text, a reference to a tool by its name."""
    return retell(conversation, lambda native: _retold(native, notes), notes)


def _retold(native: Native, notes: Telling) -> Part | None:
    block = native.value if isinstance(native.value, Mapping) else {}
    kind = str(block.get("type"))
    if _is_mark(kind, block):
        notes.lose_path(f"{native.path}={kind}", Kind.HINT)
        return None
    if kind == "tool_reference":
        return Text(f"The tool '{block.get('tool_name')}' can be called.")
    if kind not in _RETOLD and not kind.endswith("_tool_result"):
        return native
    name = f"{block['name']}" if kind.endswith("_use") and "name" in block else kind
    said = block.get("input", block.get("content"))
    if said is None or kind == "search_result":
        said = {member: value for member, value in block.items() if member != "type"}
    return as_text(name, said)


def _is_mark(kind: str, block: Mapping[str, Any]) -> bool:
    """Whether it says nothing to a model: its first turn knows all tools, those that are to be added later too."""
    if kind == "tool_addition":
        tool = block.get("tool")
        return isinstance(tool, Mapping) and tool.get("type") == "tool_reference"
    return kind in _MARKS or (kind == "compaction" and block.get("content") is None)
