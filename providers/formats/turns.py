"""Makes turns of messages: neighbours of one role are one, and results of tools stand in front of what is said."""

from collections.abc import Iterable

from providers.wire.conversation import Message, Role, ToolResult


def merge_turns(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Messages without parts are left out. Speakers of different names stay apart."""
    merged: list[Message] = []
    for message in messages:
        if not message.parts:
            continue
        last = merged[-1] if merged else None
        if last is not None and _is_same_turn(last, message):
            merged[-1] = Message(last.role, last.parts + message.parts, last.name or message.name)
        else:
            merged.append(message)
    return tuple(map(_results_first, merged))


def _is_same_turn(last: Message, message: Message) -> bool:
    if last.role is not message.role:
        return False
    return last.name == message.name or _is_results_only(last) or _is_results_only(message)


def _is_results_only(message: Message) -> bool:
    return all(isinstance(part, ToolResult) for part in message.parts)


def _results_first(message: Message) -> Message:
    if message.role is not Role.USER or len(message.parts) < 2:
        return message
    results = tuple(part for part in message.parts if isinstance(part, ToolResult))
    others = tuple(part for part in message.parts if not isinstance(part, ToolResult))
    return Message(message.role, results + others, message.name)
