"""Makes turns of messages, as they are said to another format than the client's.

Neighbours of one role are one, results of tools stand in front of what is said, and empty texts are left out.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, repeat
from operator import attrgetter, is_

from providers.wire.conversation import Message, Part, Role, Text, ToolResult

_role_of, _parts_of = attrgetter("role"), attrgetter("parts")


def merge_turns(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Messages without parts are left out. Speakers of different names stay apart."""
    messages = tuple(messages)
    if _take_turns(messages):
        return tuple([each if len(each.parts) == 1 else _results_first(each) for each in messages])
    turns: list[_Turn] = []
    for each in messages:
        message = each
        for part in each.parts:
            if type(part) is Text and not part.text:
                message = _without_empty_texts(each)
                break
        if message.parts and not (turns and turns[-1].role is message.role and turns[-1].takes(message)):
            turns.append(_Turn(message))
    return tuple([turn.as_message() for turn in turns])


def _take_turns(messages: tuple[Message, ...]) -> bool:
    """Whether they do so already, as most do: found without a step for each."""
    roles = list(map(_role_of, messages))
    parts = chain.from_iterable(map(_parts_of, messages))
    return (
        not any(map(is_, roles, roles[1:]))
        and all(map(_parts_of, messages))
        and "" not in map(getattr, parts, repeat("text"), repeat(None))
    )


def says_something(message: Message) -> bool:
    return not all(map(_is_empty, message.parts))


def _is_empty(part: Part) -> bool:
    return isinstance(part, Text) and not part.text


def _without_empty_texts(message: Message) -> Message:
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
        first = self._messages[0]
        if len(self._messages) == 1:
            return first if self.role is Role.ASSISTANT or len(first.parts) == 1 else _results_first(first)
        parts = tuple(part for message in self._messages for part in message.parts)
        return _results_first(Message(first.role, parts, self._name))

    def _has_results_only(self) -> bool:
        """Asked where names differ only, and then of each message once."""
        while self._is_results_only and self._judged < len(self._messages):
            self._is_results_only = _is_results_only(self._messages[self._judged])
            self._judged += 1
        return self._is_results_only


def _is_results_only(message: Message) -> bool:
    return message.role is Role.USER and all(isinstance(part, ToolResult) for part in message.parts)


def _results_first(message: Message) -> Message:
    if message.role is not Role.USER or len(message.parts) < 2:
        return message
    results = tuple(part for part in message.parts if isinstance(part, ToolResult))
    others = tuple(part for part in message.parts if not isinstance(part, ToolResult))
    return Message(message.role, results + others, message.name, message.wording)
