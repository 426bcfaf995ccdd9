"""The marks of a conversation up to which its prompt may be cached."""

from providers.formats.notes import Notes
from providers.wire.conversation import CacheMark, Conversation, ToolResult


def marks_of(conversation: Conversation) -> list[CacheMark]:
    marks: list[CacheMark | None] = [getattr(carrier, "cache", None) for carrier in carriers_of(conversation)]
    return [mark for mark in marks if mark is not None]


def leave_marks(conversation: Conversation, notes: Notes) -> None:
    """Where the provider takes none. They change no answer."""
    if marks_of(conversation):
        notes.lose("cache", "")


def carriers_of(conversation: Conversation) -> list[object]:
    """Everything that may carry one."""
    carriers: list[object] = [*conversation.tools]
    for message in conversation.messages:
        for part in message.parts:
            carriers.append(part)
            if type(part) is ToolResult:
                carriers += part.parts
    return carriers
