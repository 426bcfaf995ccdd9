"""What a conversation holds besides texts, found in one pass. Pure."""

from collections.abc import Iterable
from itertools import chain
from operator import attrgetter
from typing import Any

from providers.wire.conversation import CacheMark, Conversation, Message, Native, Part, ToolCall, ToolResult

_parts_of = attrgetter("parts")
_OF_TOOLS = frozenset({ToolCall, ToolResult})


def parts_of(messages: Iterable[Message]) -> list[Part]:
    """All of them, and behind them those that stand in results of tools."""
    parts = list(chain.from_iterable(map(_parts_of, messages)))
    if ToolResult in map(type, parts):
        parts += [inner for part in parts if type(part) is ToolResult for inner in part.parts]
    return parts


def kinds_of(messages: Iterable[Message]) -> set[type]:
    """Of all parts, those in results of tools included."""
    return set(map(type, parts_of(messages)))


def has_natives(conversation: Conversation) -> bool:
    """Whether there is anything that only its client's format knows."""
    return _has_natives(conversation, parts_of(conversation.messages))


def has_natives_or_calls(conversation: Conversation) -> bool:
    """The same, or calls of tools. Asked of every request."""
    parts = parts_of(conversation.messages)
    return not _OF_TOOLS.isdisjoint(map(type, parts)) or _has_natives(conversation, parts)


def _has_natives(conversation: Conversation, parts: list[Part]) -> bool:
    if conversation.extra:
        return True
    things: Iterable[Any] = (*conversation.tools, *conversation.messages, *parts)
    for thing in things:  # noqa: SIM110  # `any` takes half as long again, and this is asked of every request
        if type(thing) is Native or ((said := thing.wording) is not None and said.own):
            return True
    return False


def marks_in(carriers: Iterable[Any]) -> list[CacheMark]:
    """Those of whatever may carry one, in their order."""
    return [mark for carrier in carriers if (mark := getattr(carrier, "cache", None)) is not None]
