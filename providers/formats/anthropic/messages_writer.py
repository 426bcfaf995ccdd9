"""Writes the turns of a conversation: what the system says in front, then the messages."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from providers.formats.anthropic.blocks_writer import Block, write_blocks
from providers.formats.anthropic.signatures import ORIGIN
from providers.formats.notes import Notes
from providers.formats.turns import merge_turns
from providers.formats.wording import wording_in
from providers.wire.conversation import Conversation, Message, Role, Text, ToolCall, ToolResult


def write_messages(conversation: Conversation, notes: Notes) -> dict[str, Any]:
    """`system`, where there is any, and `messages`. Raises CannotTranslate."""
    messages = conversation.messages
    leading = list(takewhile(_stands_in_front, messages))
    rest = messages[len(leading) :]
    if conversation.source == ORIGIN:
        turns = [turn for message in rest if (turn := _write_own(message, notes))["content"]]
    else:
        _check(messages, notes)
        turns = _write_turns(merge_turns(rest), notes)
    if not turns:
        raise notes.refuse(
            "messages", "The chosen provider needs at least one message that is not the system's."
        )
    system = _write_system(leading, notes)
    return ({"system": system} if system else {}) | {"messages": turns}


def _stands_in_front(message: Message) -> bool:
    """Whether it is what `system` is for; clients of Anthropic's format may have others among the messages."""
    wording = wording_in(message, ORIGIN)
    return message.role is Role.SYSTEM and not (wording and isinstance(wording.value, dict))


def _write_system(messages: Sequence[Message], notes: Notes) -> str | list[Block]:
    if len(messages) == 1 and (wording := wording_in(messages[0], ORIGIN)):
        text: Any = wording.value
        if _says(messages[0], text):
            return str(text)
    return [block for message in messages for block in write_blocks(message.parts, Role.SYSTEM, notes)]


def _write_own(message: Message, notes: Notes) -> dict[str, Any]:
    """One message for each. Its content is empty where Anthropic does without all that it says."""
    wording = wording_in(message, ORIGIN)
    said = wording.value if wording else {}
    content = said.get("content")
    if not _says(message, content):
        content = write_blocks(message.parts, message.role, notes)
    return {**said, "role": message.role.value, "content": content}


def _says(message: Message, text: object) -> bool:
    """Whether this is all."""
    return isinstance(text, str) and (message.parts == (Text(text),) if text else not message.parts)


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
