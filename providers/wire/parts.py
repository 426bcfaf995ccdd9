"""What a conversation holds besides texts, found in one pass. Pure."""

from collections.abc import Iterable
from typing import Any

from providers.wire.conversation import CacheMark, Conversation, Message, Native, Part, ToolCall, ToolResult

_OF_TOOLS = frozenset({ToolCall, ToolResult})


def parts_of(messages: Iterable[Message]) -> list[Part]:
    """All of them, and behind them those that stand in results of tools."""
    parts = [part for message in messages for part in message.parts]
    if ToolResult in map(type, parts):
        parts += [inner for part in parts if type(part) is ToolResult for inner in part.parts]
    return parts


def kinds_of(messages: Iterable[Message]) -> set[type]:
    """Of all parts, those in results of tools included."""
    return set(map(type, parts_of(messages)))


def has_natives(conversation: Conversation) -> bool:
    """Whether there is anything that only its client's format knows."""
    messages = conversation.messages
    return (
        bool(conversation.extra)
        or _have_own(conversation.tools)
        or _have_own(messages)
        or any(_have_own(message.parts) for message in messages)
    )


def has_natives_or_calls(conversation: Conversation) -> bool:
    """The same, or calls of tools. Asked of every request."""
    return has_natives(conversation) or not _OF_TOOLS.isdisjoint(kinds_of(conversation.messages))


def _have_own(things: Iterable[Any]) -> bool:
    for thing in things:
        if type(thing) is Native or ((said := thing.wording) is not None and said.own):
            return True
        if type(thing) is ToolResult and _have_own(thing.parts):
            return True
    return False


def marks_in(carriers: Iterable[Any]) -> list[CacheMark]:
    """Those of whatever may carry one, in their order."""
    return [mark for carrier in carriers if (mark := getattr(carrier, "cache", None)) is not None]
