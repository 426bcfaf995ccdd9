"""The marks of a conversation up to which its prompt may be cached."""

from collections.abc import Iterator, Sequence

from providers.formats.field_names import client_field
from providers.wire.conversation import CacheMark, Conversation, ToolResult


def marks_of(conversation: Conversation) -> list[CacheMark]:
    marks: list[CacheMark] = []
    for carrier in carriers_of(conversation):
        mark: CacheMark | None = getattr(carrier, "cache", None)
        if mark is not None:
            marks.append(mark)
    return marks


def marks_left_out(conversation: Conversation) -> list[str]:
    """For WrittenRequest.translated, where the provider takes none. They change no answer."""
    marks = marks_of(conversation)
    return [f"{marks_field(conversation.source, marks)} -> left out"] if marks else []


def marks_field(source: str, marks: Sequence[CacheMark]) -> str:
    """As the client wrote it."""
    field = client_field(source, "cache")
    return f"{field.rpartition('.')[0]}.{marks[0].name}" if marks[0].name else field


def carriers_of(conversation: Conversation) -> Iterator[object]:
    """Everything that may carry one."""
    yield from conversation.tools
    for message in conversation.messages:
        for part in message.parts:
            yield part
            if isinstance(part, ToolResult):
                yield from part.parts
