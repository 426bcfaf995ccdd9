"""What a conversation holds besides texts, found without a step of Python's for each message or part. Pure."""

from collections.abc import Collection, Iterable, Sequence
from itertools import chain, compress, repeat
from operator import attrgetter, is_
from typing import Any, TypeVar

from providers.wire.conversation import CacheMark, Conversation, Message, Native, Part, ToolCall, ToolResult

T = TypeVar("T")

_parts_of, _wording_of, _own_of = attrgetter("parts"), attrgetter("wording"), attrgetter("own")
_OF_TOOLS = frozenset({ToolCall, ToolResult})


def said_in(messages: Iterable[Message]) -> list[Part]:
    """All parts of messages, without those inside of results."""
    return list(chain.from_iterable(map(_parts_of, messages)))


def of_kind(parts: Collection[Any], kind: type[T]) -> list[T]:
    return list(compress(parts, map(is_, map(type, parts), repeat(kind))))


def parts_of(messages: Iterable[Message]) -> list[Part]:
    """All of them, and behind them those that stand in results of tools."""
    parts = list(chain.from_iterable(map(_parts_of, messages)))
    if ToolResult in map(type, parts):
        parts += chain.from_iterable(map(_parts_of, of_kind(parts, ToolResult)))
    return parts


def kinds_of(messages: Iterable[Message]) -> set[type]:
    """Of all parts, those in results of tools included."""
    return set(map(type, parts_of(messages)))


def places_of_tools(messages: Sequence[Message]) -> list[int]:
    """Of the messages that call tools, or tell what these gave."""
    has_none = map(_OF_TOOLS.isdisjoint, map(map, repeat(type), map(_parts_of, messages)))
    return list(compress(range(len(messages)), map(is_, has_none, repeat(False))))


def has_natives(conversation: Conversation) -> bool:
    """Whether there is anything that only its client's format knows."""
    return bool(conversation.extra) or has_natives_inside(conversation)


def has_natives_inside(conversation: Conversation) -> bool:
    """The same, but for the settings: in tools and messages."""
    return _has_natives(conversation, parts_of(conversation.messages))


def has_natives_or_calls(conversation: Conversation) -> bool:
    """Whether there is any of it, or calls of tools. Asked of every request."""
    parts = parts_of(conversation.messages)
    return (
        bool(conversation.extra)
        or not _OF_TOOLS.isdisjoint(map(type, parts))
        or _has_natives(conversation, parts)
    )


def _has_natives(conversation: Conversation, parts: list[Part]) -> bool:
    things: list[Any] = [*conversation.tools, *conversation.messages, *parts]
    # All but Natives may have a wording.
    return Native in map(type, things) or any(map(_own_of, filter(None, map(_wording_of, things))))


def marks_in(carriers: Iterable[Any]) -> list[CacheMark]:
    """Those of whatever may carry one, in their order."""
    return list(filter(None, map(getattr, carriers, repeat("cache"), repeat(None))))
