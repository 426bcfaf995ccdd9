"""The marks of a conversation up to which its prompt may be cached."""

from collections.abc import Iterator

from providers.formats.notes import Notes
from providers.wire.conversation import CacheMark, Conversation, ToolResult


def marks_of(conversation: Conversation) -> list[CacheMark]:
    marks: list[CacheMark] = []
    for carrier in carriers_of(conversation):
        mark: CacheMark | None = getattr(carrier, "cache", None)
        if mark is not None:
            marks.append(mark)
    return marks


def leave_marks(conversation: Conversation, notes: Notes) -> None:
    """Where the provider takes none. They change no answer."""
    if marks_of(conversation):
        notes.lose("cache", "")


def carriers_of(conversation: Conversation) -> Iterator[object]:
    """Everything that may carry one."""
    yield from conversation.tools
    for message in conversation.messages:
        for part in message.parts:
            yield part
            if isinstance(part, ToolResult):
                yield from part.parts
