"""Marks at which a prompt may be cached: OpenAI's own, and Anthropic's as many chat providers take them."""

from collections.abc import Set
from typing import Any

from providers.formats.fields import Fields
from providers.wire.conversation import CacheMark
from providers.wire.quirks import quirk

# OpenAI keeps for other times than Anthropic, and has none shorter.
_BREAKPOINT_TTLS = frozenset({"30m", "12h"})
BREAKPOINT = quirk("prompt_cache_breakpoint", "Takes OpenAI's marks of what may be cached")
_CACHE_CONTROL = quirk("cache_control", "Takes Anthropic's marks of what may be cached, in OpenAI's form")
MARKS = (BREAKPOINT, _CACHE_CONTROL)
MARK_QUIRKS = frozenset(MARKS)
"""Of providers that take marks, each the kind that it is named after."""


def read_cache_mark(fields: Fields) -> CacheMark | None:
    """Either kind of mark on a part, a message, a call or a tool."""
    if fields.value.keys().isdisjoint(MARKS):
        return None
    ours, theirs = fields.part("prompt_cache_breakpoint"), fields.part("cache_control")
    mark = ours or theirs
    return None if mark is None else CacheMark(mark.text("ttl"), MARKS[0] if mark is ours else MARKS[1])


def write_cache_mark(mark: CacheMark | None, quirks: Set[str]) -> dict[str, Any]:
    """The members to add. A mark changes no answer, so it is left out where the provider takes none: MARK_QUIRKS."""
    if mark is None:
        return {}
    if _CACHE_CONTROL in quirks:
        return {"cache_control": {"type": "ephemeral"} | ({"ttl": mark.ttl} if mark.ttl else {})}
    if BREAKPOINT in quirks:
        return {"prompt_cache_breakpoint": breakpoint_of(mark)}
    return {}


def breakpoint_of(mark: CacheMark) -> dict[str, Any]:
    ttl = {"ttl": mark.ttl} if mark.ttl in _BREAKPOINT_TTLS else {}
    return {"mode": "explicit"} | ttl
