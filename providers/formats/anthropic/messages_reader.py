"""Reads the turns of a request: the system prompt in front, then what was said."""

from collections.abc import Iterator

from providers.formats.anthropic.blocks_reader import read_content
from providers.formats.anthropic.signatures import ORIGIN
from providers.formats.base import BadRequest
from providers.formats.fields import Fields
from providers.formats.wording import as_read
from providers.wire.conversation import Message, Role, ToolCall, ToolResult


def read_messages(body: Fields) -> tuple[Message, ...]:
    """A result of a tool that nobody called raises BadRequest."""
    if body.any("messages") is None:
        raise body.wrong("messages", "is missing")
    turns = [_read_message(fields) for fields in body.things("messages")]
    if not turns:
        raise body.wrong("messages", "has to hold at least one message")
    _check_results(turns)
    system = _read_system(body)
    return (*system, *turns)


def _read_system(body: Fields) -> tuple[Message, ...]:
    value = body.any("system")
    if value is None:
        return ()
    message = Message(Role.SYSTEM, read_content(body, "system", Role.SYSTEM))
    return (as_read(message, ORIGIN, value, {}),)


def _read_message(fields: Fields) -> Message:
    try:
        role = Role(fields.needed("role"))
    except ValueError:
        raise fields.wrong("role", "has to be user, assistant or system") from None
    message = Message(role, read_content(fields, "content", role))
    fields.end()
    return as_read(message, ORIGIN, fields.value, fields.own)


def _check_results(turns: list[Message]) -> None:
    called: set[str] = set()
    for number, turn in enumerate(turns):
        called.update(part.id for part in turn.parts if isinstance(part, ToolCall))
        for call_id in _answered(turn):
            if call_id not in called:
                raise BadRequest(
                    f"There is no tool_use with the id '{call_id}' before its tool_result.",
                    param=f"messages[{number}].content",
                )


def _answered(turn: Message) -> Iterator[str]:
    return (part.call_id for part in turn.parts if isinstance(part, ToolResult))
