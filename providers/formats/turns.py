"""Makes turns of messages, as they are said to another format than the client's.

Neighbours of one role are one, results of tools stand in front of what is said, and empty texts are left out.
"""

from collections.abc import Iterable
from dataclasses import replace

from providers.wire.conversation import Message, Part, Role, Text, ToolResult


def merge_turns(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Messages without parts are left out. Speakers of different names stay apart."""
    turns: list[_Turn] = []
    for message in map(_without_empty_texts, messages):
        if message.parts and not (turns and turns[-1].takes(message)):
            turns.append(_Turn(message))
    return tuple(turn.as_message() for turn in turns)


def says_something(message: Message) -> bool:
    return not all(map(_is_empty, message.parts))


def _is_empty(part: Part) -> bool:
    return isinstance(part, Text) and not part.text


def _without_empty_texts(message: Message) -> Message:
    for part in message.parts:
        if isinstance(part, Text) and not part.text:
            return replace(message, parts=tuple(part for part in message.parts if not _is_empty(part)))
    return message


class _Turn:
    """One that grows. Its parts are put together once, at its end: there may be as many as messages."""

    __slots__ = ("_is_results_only", "_messages", "_name")

    def __init__(self, message: Message) -> None:
        self._messages = [message]
        self._name = message.name
        self._is_results_only = _is_results_only(message)

    def takes(self, message: Message) -> bool:
        """Whether that is of the same turn, which then holds it."""
        first = self._messages[0]
        if first.role is not message.role:
            return False
        is_results_only = _is_results_only(message)
        if self._name != message.name and not (self._is_results_only or is_results_only):
            return False
        self._messages.append(message)
        self._name = self._name or message.name
        self._is_results_only = self._is_results_only and is_results_only
        return True

    def as_message(self) -> Message:
        first = self._messages[0]
        if len(self._messages) == 1:
            return _results_first(first)
        parts = tuple(part for message in self._messages for part in message.parts)
        return _results_first(Message(first.role, parts, self._name))


def _is_results_only(message: Message) -> bool:
    return message.role is Role.USER and all(isinstance(part, ToolResult) for part in message.parts)


def _results_first(message: Message) -> Message:
    if message.role is not Role.USER or len(message.parts) < 2:
        return message
    results = tuple(part for part in message.parts if isinstance(part, ToolResult))
    others = tuple(part for part in message.parts if not isinstance(part, ToolResult))
    return Message(message.role, results + others, message.name, message.wording)
