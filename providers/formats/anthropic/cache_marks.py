"""Marks up to which a prompt may be cached, both ways."""

from collections.abc import Iterable
from typing import Any

from providers.formats.fields import Fields
from providers.wire.conversation import CacheMark, Conversation, Message, ToolResult

MOST_MARKS = 4
_TTLS = frozenset({None, "5m", "1h"})


def read_cache_mark(fields: Fields) -> CacheMark | None:
    control = fields.part("cache_control")
    if control is None:
        return None
    if control.needed("type") != "ephemeral":
        raise control.wrong("type", "has to be 'ephemeral'")
    ttl = control.text("ttl")
    if ttl not in _TTLS:
        raise control.wrong("ttl", "has to be '5m' or '1h'")
    control.end()
    return CacheMark(ttl)


def write_cache_mark(mark: CacheMark | None) -> dict[str, Any]:
    """The member of a block. A time that Anthropic does not have becomes its longest."""
    if mark is None:
        return {}
    ttl = mark.ttl if mark.ttl in _TTLS else "1h"
    return {"cache_control": {"type": "ephemeral"} | ({"ttl": ttl} if ttl else {})}


def count_marks(conversation: Conversation) -> int:
    carriers: list[object] = list(conversation.tools)
    carriers += _parts(conversation.messages)
    return sum(getattr(carrier, "cache", None) is not None for carrier in carriers)


def has_other_ttl(conversation: Conversation) -> bool:
    carriers: list[object] = [*conversation.tools, *_parts(conversation.messages)]
    marks = (getattr(carrier, "cache", None) for carrier in carriers)
    return any(mark is not None and mark.ttl not in _TTLS for mark in marks)


def _parts(messages: Iterable[Message]) -> list[object]:
    parts: list[object] = [part for message in messages for part in message.parts]
    inner = [inner for part in parts if isinstance(part, ToolResult) for inner in part.parts]
    return parts + inner
