"""Writes messages as contents and systemInstruction."""

from collections.abc import Iterable, Sequence
from typing import Any

from providers.formats.base import CannotTranslate, no_object
from providers.formats.gemini.media import write_audio, write_file, write_image
from providers.formats.gemini.part_list import PartList
from providers.formats.gemini.signatures import ORIGIN, UNSIGNED
from providers.formats.gemini.tool_names import write_name
from providers.formats.spelling import spelt
from providers.formats.turns import merge_turns
from providers.wire.conversation import (
    Audio,
    Conversation,
    File,
    Image,
    Message,
    Part,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from providers.wire.json_text import read_object

_ROLES = {Role.USER: "user", Role.SYSTEM: "user", Role.ASSISTANT: "model"}


class ContentsWriter:
    """`translated` is added to: what was said in other words; see WrittenRequest.

    `needs_signatures`: the model refuses a turn whose first call bears none.
    """

    def __init__(self, conversation: Conversation, translated: list[str], *, needs_signatures: bool) -> None:
        self._translated = translated
        self._source = conversation.source
        self._needs_signatures = needs_signatures
        self._messages = merge_turns(conversation.messages)
        self._names = {
            part.id: part.name
            for message in conversation.messages
            for part in message.parts
            if isinstance(part, ToolCall)
        }

    def write(self) -> dict[str, Any]:
        """Raises CannotTranslate."""
        leading = _count_leading(self._messages)
        contents = self._contents(self._messages[leading:])
        if not contents:
            raise self._refusal("messages", "This provider needs a turn of the user.")
        instruction = [part for message in self._messages[:leading] for part in self._instruction(message)]
        return {"contents": contents} | ({"systemInstruction": {"parts": instruction}} if instruction else {})

    def _contents(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        contents: list[dict[str, Any]] = []
        for message in messages:
            role, parts = _ROLES[message.role], self._parts(message)
            if contents and contents[-1]["role"] == role:
                contents[-1]["parts"] += parts
            elif parts:
                contents.append({"role": role, "parts": parts})
        for content in contents:
            content["parts"].sort(key=lambda part: "functionResponse" not in part)
        return contents

    def _instruction(self, message: Message) -> list[dict[str, Any]]:
        self._refuse_name(message)
        return [self._system_part(part) for part in message.parts]

    def _parts(self, message: Message) -> list[dict[str, Any]]:
        self._refuse_name(message)
        if message.role is Role.SYSTEM:
            self._translated.append(
                f"{spelt(self._source, 'messages')} of the system -> contents of the user"
            )
        parts = PartList(keeps_places=self._source == ORIGIN)
        for part in message.parts:
            self._append(parts, part)
        written = parts.finish()
        return _with_signature(written) if self._needs_signatures else written

    def _append(self, parts: PartList, part: Part) -> None:
        match part:
            case Text() | Refusal():
                parts.add_text(part.text)
            case Reasoning():
                if part.encrypted and part.origin != ORIGIN:
                    self._translated.append(f"{spelt(self._source, 'reasoning')} -> left out")
                parts.add_reasoning(part)
            case ToolCall():
                parts.add_call(self._call(part))
            case Image() | Audio() | File() | ToolResult():
                parts.add(self._other_part(part))

    def _other_part(self, part: Image | Audio | File | ToolResult) -> dict[str, Any]:
        match part:
            case Image():
                return write_image(part)
            case Audio():
                return write_audio(part)
            case File():
                return write_file(part, spelt(self._source, "file"))
            case ToolResult():
                return {"functionResponse": self._result(part)}

    def _call(self, call: ToolCall) -> dict[str, Any]:
        function = {"id": call.id, "name": write_name(call.name, self._source), "args": self._arguments(call)}
        if call.signature and call.origin == ORIGIN:
            return {"functionCall": function, "thoughtSignature": call.signature}
        return {"functionCall": function}

    def _arguments(self, call: ToolCall) -> dict[str, Any]:
        arguments = read_object(call.arguments)
        if arguments is None:
            raise self._refusal("tool_arguments", no_object(call.id))
        return arguments

    def _result(self, result: ToolResult) -> dict[str, Any]:
        if result.call_id not in self._names:
            raise self._refusal("tool_result", f"There is no tool call '{result.call_id}' for this result.")
        texts = [part.text for part in result.parts if isinstance(part, Text)]
        media = [self._other_part(part) for part in result.parts if isinstance(part, Image | File)]
        return {
            "id": result.call_id,
            "name": write_name(self._names[result.call_id], self._source),
            "response": {"error" if result.is_error else "result": "\n".join(texts)},
        } | ({"parts": media} if media else {})

    def _system_part(self, part: Part) -> dict[str, Any]:
        if not isinstance(part, Text):
            raise self._refusal("messages", "This provider takes system messages of text only.")
        return {"text": part.text}

    def _refuse_name(self, message: Message) -> None:
        if message.name:
            raise self._refusal("name", "This provider has no names for those who speak.")

    def _refusal(self, field: str, message: str) -> CannotTranslate:
        return CannotTranslate(message, param=spelt(self._source, field))


def _with_signature(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    first = next((part for part in parts if "functionCall" in part), None)
    if first is not None:
        first.setdefault("thoughtSignature", UNSIGNED)
    return parts


def _count_leading(messages: Iterable[Message]) -> int:
    count = 0
    for message in messages:
        if message.role is not Role.SYSTEM:
            break
        count += 1
    return count
