"""The marks of a conversation up to which its prompt may be cached."""

from collections.abc import Sequence

from providers.formats.field_names import client_field
from providers.formats.losses import COMMON
from providers.formats.notes import Notes
from providers.wire.conversation import CacheMark, Conversation, ToolResult
from providers.wire.parts import marks_in, parts_of


def marks_of(conversation: Conversation) -> list[CacheMark]:
    # Most have none, which is quickly seen.
    if not (marks_in(conversation.tools) or marks_in(parts_of(conversation.messages))):
        return []
    return marks_in(carriers_of(conversation))


def leave_marks(conversation: Conversation, notes: Notes) -> None:
    """Where the provider takes none. They change no answer."""
    if marks := marks_of(conversation):
        notes.lose_path(marks_field(conversation.source, marks), COMMON["cache"].kind)


def marks_field(source: str, marks: Sequence[CacheMark]) -> str:
    """As the client wrote it."""
    field = client_field(source, "cache")
    return f"{field.rpartition('.')[0]}.{marks[0].name}" if marks[0].name else field


def carriers_of(conversation: Conversation) -> list[object]:
    """Everything that may carry one."""
    carriers: list[object] = [*conversation.tools]
    for message in conversation.messages:
        for part in message.parts:
            carriers.append(part)
            if type(part) is ToolResult:
                carriers += part.parts
    return carriers
