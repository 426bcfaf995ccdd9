"""Writes turns as chat messages: results of tools as messages of their own, in front of what the user says."""

from collections.abc import Iterable
from typing import Any

from providers.formats.base import CannotTranslate
from providers.formats.chat.cache_marks import write_cache_mark
from providers.formats.chat.call_signatures import write_signature
from providers.formats.chat.reasoning import thoughts_for, write_reasoning
from providers.formats.chat.tool_names import write_name
from providers.formats.chat.write_content import ContentWriter, Said
from providers.formats.spelling import spelt
from providers.wire.conversation import (
    Audio,
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

_ATTACHED = "The result is attached to the next message."


class MessageWriter:
    """Quirks: `thought_signatures` for providers that want signed calls back; those of reasoning.thoughts_for."""

    def __init__(self, content: ContentWriter) -> None:
        self._content = content
        self._source = content.source
        self._calls: set[str] = set()

    def write(self, message: Message) -> list[dict[str, Any]]:
        if message.role is Role.ASSISTANT:
            return [self._named(message, self._write_assistant(message.parts))]
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        others = [part for part in message.parts if isinstance(part, Said)]
        written = [self._write_result(result) for result in results]
        said = [part for result in results for part in self._attachments(result)] + others
        if said:
            content = self._content.write(said)
            written.append(self._named(message, {"role": message.role.value, "content": content}))
        return written

    def _named(self, message: Message, written: dict[str, Any]) -> dict[str, Any]:
        return written | ({"name": message.name} if message.name else {})

    def _write_assistant(self, parts: Iterable[Part]) -> dict[str, Any]:
        parts = tuple(parts)
        self._refuse_files(parts)
        said = [part for part in parts if isinstance(part, Text | Refusal)]
        calls = [self._write_call(part) for part in parts if isinstance(part, ToolCall)]
        thoughts = [part for part in parts if isinstance(part, Reasoning)]
        written: dict[str, Any] = {
            "role": "assistant",
            "content": self._content.write(said) if said else None,
        }
        written |= self._write_thoughts(thoughts)
        return written | ({"tool_calls": calls} if calls else {})

    def _refuse_files(self, parts: Iterable[Part]) -> None:
        """What a model made in an earlier answer: chat has texts there only."""
        if any(isinstance(part, Image | File | Audio) for part in parts):
            message = "The chosen provider takes no pictures and files in earlier answers."
            raise CannotTranslate(message, param=spelt(self._source, "messages"))

    def _write_thoughts(self, thoughts: list[Reasoning]) -> dict[str, Any]:
        members = thoughts_for(self._content.quirks, write_reasoning(thoughts))
        says_all = members and ("reasoning_details" in members or all(thought.text for thought in thoughts))
        if thoughts and not says_all:
            self._content.note("reasoning", "left out")
        return members

    def _write_call(self, call: ToolCall) -> dict[str, Any]:
        self._calls.add(call.id)
        function = {"name": write_name(call.name, self._source), "arguments": call.arguments}
        mark = write_cache_mark(call.cache, self._content.quirks)
        # Only who asks for them back understands them, whoever made them.
        is_wanted = "thought_signatures" in self._content.quirks
        signature = write_signature(call.signature, call.origin) if is_wanted else {}
        return {"id": call.id, "type": "function", "function": function} | mark | signature

    def _write_result(self, result: ToolResult) -> dict[str, Any]:
        if result.call_id not in self._calls:
            message = f"No earlier message holds the call '{result.call_id}' which this result answers."
            raise CannotTranslate(message, param=spelt(self._source, "tool_result"), code="invalid_value")
        content = self._content.write(self._said_in(result)) or ""
        mark = write_cache_mark(result.cache, self._content.quirks)
        return {"role": "tool", "tool_call_id": result.call_id, "content": content} | mark

    def _said_in(self, result: ToolResult) -> list[Text]:
        texts = [part for part in result.parts if isinstance(part, Text)]
        if len(texts) < len(result.parts) and not texts:
            texts = [Text(_ATTACHED)]
        if not result.is_error:
            return texts
        self._content.note("is_error", "'Error:' in the result's text")
        first = texts[0].text if texts else ""
        return [Text(f"Error: {first}".rstrip()), *texts[1:]]

    def _attachments(self, result: ToolResult) -> list[Said]:
        """A tool message holds text only, so what else there is follows, said to be of which call."""
        attached: list[Said] = [part for part in result.parts if isinstance(part, Image | File)]
        if not attached:
            return []
        self._content.note("tool_result", "attachments in the user's message")
        return [Text(f"Attached to the result of the call {result.call_id}:"), *attached]
