"""What a provider's own tools did in earlier turns, as text: so a session can go on with another provider's model."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import orjson

from providers.formats.base import Telling
from providers.wire.conversation import Conversation, Message, Native, Part, Text, ToolResult
from providers.wire.parts import kinds_of

_LONGEST = 8_000
# Only their maker can read these, and they may be longer than all the rest.
_SEALED = frozenset(
    {"encrypted_content", "encrypted_index", "encrypted_stdout", "id", "status", "cache_control"}
)

Retelling = Callable[[Native], Part | None]
"""The same as every format has it; None for what is nobody else's matter. A Native stays what it is."""


def retell(conversation: Conversation, retelling: Retelling, notes: Telling) -> Conversation:
    """With what `retelling` makes of each Native in a message."""
    if Native not in kinds_of(conversation.messages):
        return conversation
    messages = tuple(_retell_message(message, retelling, notes) for message in conversation.messages)
    is_same = all(new is old for new, old in zip(messages, conversation.messages, strict=True))
    return conversation if is_same else replace(conversation, messages=messages)


def _retell_message(message: Message, retelling: Retelling, notes: Telling) -> Message:
    parts = _retell_parts(message.parts, retelling, notes)
    return message if parts is message.parts else replace(message, parts=parts)


def _retell_parts(parts: tuple[Any, ...], retelling: Retelling, notes: Telling) -> tuple[Any, ...]:
    retold: list[Any] = []
    for part in parts:
        if isinstance(part, ToolResult):
            inner = _retell_parts(part.parts, retelling, notes)
            retold.append(part if inner is part.parts else replace(part, parts=inner))
        elif not isinstance(part, Native):
            retold.append(part)
        elif (said := retelling(part)) is not None:
            if isinstance(said, Text):
                notes.note_path(f"{part.path}={part.value.get('type', '')}", "text")
            retold.append(said)
    is_same = len(retold) == len(parts) and all(new is old for new, old in zip(retold, parts, strict=True))
    return parts if is_same else tuple(retold)


def as_text(name: str, value: Any) -> Text:
    """Names what was done, and says what is readable of it."""
    said = value if isinstance(value, str) else orjson.dumps(_readable(value)).decode()
    return Text(f"[{name}: {said[:_LONGEST]}]")


def _readable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _readable(member) for name, member in value.items() if name not in _SEALED}
    return [_readable(member) for member in value] if isinstance(value, list) else value
