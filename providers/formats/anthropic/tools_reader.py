"""Reads tools and the choice among them."""

from providers.formats.anthropic.cache_marks import read_cache_mark
from providers.formats.anthropic.signatures import ORIGIN
from providers.formats.fields import Fields
from providers.formats.wording import as_read
from providers.wire.conversation import ChoiceMode, Native, Tool, ToolChoice

_MODES = {"auto": ChoiceMode.AUTO, "any": ChoiceMode.REQUIRED, "none": ChoiceMode.NONE}


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
