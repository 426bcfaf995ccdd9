"""Writes the turns of a conversation: what the system says in front, then the messages."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from providers.formats.anthropic.blocks_writer import Block, write_blocks
from providers.formats.anthropic.notes import Notes
from providers.formats.turns import merge_turns
from providers.wire.conversation import Message, Role, ToolCall, ToolResult


def write_messages(messages: Sequence[Message], notes: Notes) -> dict[str, Any]:
    """`system`, where there is any, and `messages`. Raises CannotTranslate."""
    _check(messages, notes)
    leading = list(takewhile(lambda message: message.role is Role.SYSTEM, messages))
    system = [block for message in leading for block in write_blocks(message.parts, Role.SYSTEM, notes)]
    turns = _write_turns(merge_turns(messages[len(leading) :]), notes)
    if not turns:
        raise notes.refuse(
            "messages", "The chosen provider needs at least one message that is not the system's."
        )
    return ({"system": system} if system else {}) | {"messages": turns}


def _write_turns(messages: Sequence[Message], notes: Notes) -> list[dict[str, Any]]:
    """A turn that is empty in this format is left out, and its neighbours become one."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        blocks: list[Block] = write_blocks(message.parts, message.role, notes)
        if not blocks:
            continue
        if turns and turns[-1]["role"] == message.role.value:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": message.role.value, "content": blocks})
    return turns


def _check(messages: Sequence[Message], notes: Notes) -> None:
    called: set[str] = set()
    for message in messages:
        if message.name:
            raise notes.refuse("name", "The chosen provider has no names for those who speak.")
        for part in message.parts:
            if isinstance(part, ToolCall):
                called.add(part.id)
            elif isinstance(part, ToolResult) and part.call_id not in called:
                raise notes.refuse("tool_result", f"There is no tool call with the id '{part.call_id}'.")
