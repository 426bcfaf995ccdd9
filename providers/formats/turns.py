"""Makes turns of messages, as they are said to another format than the client's.

Neighbours of one role are one, results of tools stand in front of what is said, and empty texts are left out.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import repeat
from operator import attrgetter

from providers.wire.conversation import Message, Part, Role, Text, ToolResult
from providers.wire.parts import said_in

_parts_of = attrgetter("parts")


def merge_turns(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Messages without parts are left out. Speakers of different names stay apart."""
    turns: list[Message | _Turn] = []
    last: Message | _Turn | None = None
    for message in _that_say_something(tuple(messages)):
        if last is None or last.role is not message.role:
            turns.append(last := message)
            continue
        if isinstance(last, Message):
            turns[-1] = last = _Turn(last)
        if not last.takes(message):
            turns.append(last := message)
    return tuple([_results_first(turn) if isinstance(turn, Message) else turn.as_message() for turn in turns])


def _that_say_something(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Without empty texts, and without messages that hold nothing else."""
    if "" in map(getattr, said_in(messages), repeat("text"), repeat(None)):
        messages = tuple(map(_without_empty_texts, messages))
    return messages if all(map(_parts_of, messages)) else tuple(filter(_parts_of, messages))


def says_something(message: Message) -> bool:
    return not all(map(_is_empty, message.parts))


def _is_empty(part: Part) -> bool:
    return isinstance(part, Text) and not part.text


def _without_empty_texts(message: Message) -> Message:
    if not any(map(_is_empty, message.parts)):
        return message
    return replace(message, parts=tuple(part for part in message.parts if not _is_empty(part)))


class _Turn:
    """One that grows. Its parts are put together once, at its end: there may be as many as messages."""

    __slots__ = ("_is_results_only", "_judged", "_messages", "_name", "role")

    def __init__(self, message: Message) -> None:
        self.role = message.role
        self._messages = [message]
        self._name = message.name
        self._is_results_only = True
        self._judged = 0

    def takes(self, message: Message) -> bool:
        """Whether that, which is of the same role, is of the same turn, which then holds it."""
        if self._name != message.name and not (self._has_results_only() or _is_results_only(message)):
            return False
        self._messages.append(message)
        self._name = self._name or message.name
        return True

    def as_message(self) -> Message:
        if len(self._messages) == 1:
            return _results_first(self._messages[0])
        return _results_first(Message(self.role, tuple(said_in(self._messages)), self._name))

    def _has_results_only(self) -> bool:
        """Asked where names differ only, and then of each message once."""
        while self._is_results_only and self._judged < len(self._messages):
            self._is_results_only = _is_results_only(self._messages[self._judged])
            self._judged += 1
        return self._is_results_only


def _is_results_only(message: Message) -> bool:
    return message.role is Role.USER and all(isinstance(part, ToolResult) for part in message.parts)


def _results_first(message: Message) -> Message:
    if len(message.parts) < 2 or message.role is not Role.USER:
        return message
    results = tuple(part for part in message.parts if isinstance(part, ToolResult))
    others = tuple(part for part in message.parts if not isinstance(part, ToolResult))
    return Message(message.role, results + others, message.name, message.wording)
