"""Writes turns as chat messages: results of tools as messages of their own, in front of what the user says."""

from collections.abc import Iterable, Set
from typing import Any, TypeGuard

from providers.formats.data_url import data_url
from providers.formats.notes import Notes
from providers.formats.openai.cache_marks import MARKS, write_cache_mark
from providers.formats.openai.signatures import (
    DETAILS,
    ORIGIN,
    thoughts_for,
    write_reasoning,
    write_signature,
)
from providers.formats.wording import in_wording, is_as_read, merged, was, wording_in
from providers.wire.conversation import (
    Audio,
    File,
    Image,
    Message,
    Native,
    Part,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from providers.wire.parts import of_kind
from providers.wire.quirks import quirk

_SIGNATURES = quirk(
    "thought_signatures", "Takes signatures of tool calls back, as Gemini's OpenAI address does"
)
# One company's two formats name the same stored files.
FILE_ORIGINS = frozenset({"openai", "responses"})
_PDF = "application/pdf"

Said = Text | Refusal | Image | Audio | File | Native
_SAID = (Text, Refusal, Image, Audio, File, Native)
_FILES = frozenset({Image, File, Audio})
_ATTACHED = "The result is attached to the next message."
# What a provider of a chat client may be told as the client said it; what it does not take is fitted afterwards.
_OWN_QUIRKS = frozenset({DETAILS, _SIGNATURES})


class ContentWriter:
    def __init__(self, notes: Notes, quirks: Set[str]) -> None:
        self.notes = notes
        self.quirks = quirks

    def write(self, parts: Iterable[Said]) -> str | list[dict[str, Any]]:
        """A plain string where it says all, since every provider takes one."""
        written = [in_wording(part, ORIGIN, self._write_part) for part in parts]
        if len(written) == 1 and written[0].keys() == {"type", "text"}:
            return str(written[0]["text"])
        return written

    def _write_part(self, part: Text | Refusal | Image | Audio | File) -> dict[str, Any]:
        match part:
            case Text():
                text = {"type": "text", "text": part.text}
                return text if part.cache is None else text | write_cache_mark(part.cache, self.quirks)
            case Refusal():
                return {"type": "refusal", "refusal": part.text}
            case Image():
                return self._write_image(part)
            case Audio():
                return {"type": "input_audio", "input_audio": {"data": part.data, "format": part.format}}
            case File():
                return self._write_file(part)

    def _write_image(self, image: Image) -> dict[str, Any]:
        url = image.url or data_url(image.media_type or "image/png", image.data or "")
        detail = {"detail": image.detail} if image.detail else {}
        mark = write_cache_mark(image.cache, self.quirks)
        return {"type": "image_url", "image_url": {"url": url} | detail} | mark

    def _write_file(self, file: File) -> dict[str, Any]:
        mark = write_cache_mark(file.cache, self.quirks)
        if file.text is not None:
            self.notes.note("file", "text")
            text = f"{file.name}\n\n{file.text}" if file.name else file.text
            return {"type": "text", "text": text} | mark
        return {"type": "file", "file": self._write_source(file)} | mark

    def _write_source(self, file: File) -> dict[str, Any]:
        if file.data is not None:
            url = data_url(file.media_type or _PDF, file.data)
            return {"filename": file.name or "document", "file_data": url}
        if file.file_id is not None and file.origin in FILE_ORIGINS:
            return {"file_id": file.file_id} | ({"filename": file.name} if file.name else {})
        raise self.notes.refuse("file", "The chosen provider takes files as data only.")


class MessageWriter:
    def __init__(self, content: ContentWriter) -> None:
        self._content = content
        self._notes = content.notes

    def write_call(self, call: ToolCall | Native) -> dict[str, Any]:
        return in_wording(call, ORIGIN, self._write_call)

    def write(self, message: Message) -> list[dict[str, Any]]:
        if message.role is Role.ASSISTANT:
            return [self._named(message, self._write_assistant(message.parts))]
        results = of_kind(message.parts, ToolResult)
        others: list[Said] = [part for part in message.parts if isinstance(part, _SAID)]
        written = [self._write_result(result) for result in results]
        content_parts = [part for result in results for part in self._attachments(result)] + others
        if content_parts:
            content = self._content.write(content_parts)
            written.append(self._named(message, {"role": str(message.role), "content": content}))
        return written

    def _named(self, message: Message, written: dict[str, Any]) -> dict[str, Any]:
        return written | {"name": message.name} if message.name else written

    def _write_assistant(self, parts: Iterable[Part]) -> dict[str, Any]:
        parts = tuple(parts)
        self._refuse_files(parts)
        texts: list[Said] = []
        calls: list[dict[str, Any]] = []
        thoughts: list[Reasoning] = []
        for part in parts:
            if isinstance(part, Text | Refusal) or _is_content(part):
                texts.append(part)
            elif isinstance(part, ToolCall) or _is_call(part):
                calls.append(self.write_call(part))
            elif isinstance(part, Reasoning):
                thoughts.append(part)
        written: dict[str, Any] = {
            "role": "assistant",
            "content": self._content.write(texts) if texts else None,
        }
        written |= self._write_thoughts(thoughts)
        return written | ({"tool_calls": calls} if calls else {})

    def _refuse_files(self, parts: Iterable[Part]) -> None:
        """What a model made in an earlier answer: chat has texts there only."""
        if not _FILES.isdisjoint(map(type, parts)):
            message = "The chosen provider takes no pictures and files in earlier answers."
            raise self._notes.refuse("messages", message)

    def _write_thoughts(self, thoughts: list[Reasoning]) -> dict[str, Any]:
        members = thoughts_for(self._content.quirks, write_reasoning(thoughts))
        says_all = members and ("reasoning_details" in members or all(thought.text for thought in thoughts))
        if thoughts and not says_all:
            self._notes.lose("reasoning", "")
        return members

    def _write_call(self, call: ToolCall) -> dict[str, Any]:
        function = {"name": call.name, "arguments": call.arguments}
        mark = write_cache_mark(call.cache, self._content.quirks)
        # Only who asks for them back understands them, whoever made them.
        is_wanted = _SIGNATURES in self._content.quirks
        signature = write_signature(call.signature, call.origin) if is_wanted else {}
        return {"id": call.id, "type": "function", "function": function} | mark | signature

    def _write_result(self, result: ToolResult) -> dict[str, Any]:
        content = self._content.write(self._said_in(result)) or ""
        mark = write_cache_mark(result.cache, self._content.quirks)
        return {"role": "tool", "tool_call_id": result.call_id, "content": content} | mark

    def _said_in(self, result: ToolResult) -> list[Text]:
        texts = [part for part in result.parts if isinstance(part, Text)]
        if len(texts) < len(result.parts) and not texts:
            texts = [Text(_ATTACHED)]
        if not result.is_error:
            return texts
        self._notes.note("is_error", "'Error:' in the result's text")
        first = texts[0].text if texts else ""
        return [Text(f"Error: {first}".rstrip()), *texts[1:]]

    def _attachments(self, result: ToolResult) -> list[Said]:
        """A tool message holds text only, so what else there is follows, said to be of which call."""
        attached: list[Said] = [part for part in result.parts if isinstance(part, Image | File)]
        if not attached:
            return []
        self._notes.note("tool_result", "attachments in the user's message")
        return [Text(f"Attached to the result of the call {result.call_id}:"), *attached]


class OwnMessageWriter(MessageWriter):
    """For what clients of chat said themselves: one message for each, and only what was changed is written anew."""

    def __init__(self, quirks: Set[str]) -> None:
        super().__init__(ContentWriter(Notes(ORIGIN), quirks | _OWN_QUIRKS))

    def write_own(self, message: Message) -> list[dict[str, Any]]:
        wording = wording_in(message, ORIGIN)
        if wording is None:
            return self.write(message)
        if is_as_read(message, ORIGIN, "role", "parts", "name"):
            return [wording.value]
        before = was(wording)
        then, now = self.write(before), self.write(message)
        if len(then) != 1 or len(now) != 1:
            return now
        marks = {name: wording.value[name] for name in MARKS if name in wording.value}
        kept = marks if _last_mark(message) == _last_mark(before) else {}
        return [merged(wording.value, then[0] | marks, now[0] | kept)]

    def _write_assistant(self, parts: Iterable[Part]) -> dict[str, Any]:
        """A refusal that was a member of the message is one again, and so are pictures and a call of before tools."""
        parts = tuple(parts)
        written = super()._write_assistant([part for part in parts if not _is_member(part)])
        if pictures := [part for part in parts if isinstance(part, Image)]:
            written["images"] = self._content.write(pictures)
        for part in filter(_is_member, parts):
            if isinstance(part, Refusal):
                written["refusal"] = part.text
            elif isinstance(part, ToolCall):
                written["function_call"] = in_wording(part, ORIGIN, self._write_old)
        return written

    def _write_old(self, call: ToolCall) -> dict[str, Any]:
        return {"name": call.name, "arguments": call.arguments}

    def _write_result(self, result: ToolResult) -> dict[str, Any]:
        """It may hold what only some providers of chat take in one."""
        content = self._content.write(result.parts) if result.parts else ""
        mark = write_cache_mark(result.cache, self._content.quirks)
        return {"role": "tool", "tool_call_id": result.call_id, "content": content} | mark

    def _attachments(self, result: ToolResult) -> list[Said]:  # noqa: ARG002
        return []


def _is_call(part: Part) -> TypeGuard[Native]:
    return isinstance(part, Native) and ".tool_calls[" in part.path


def _is_content(part: Part) -> TypeGuard[Native]:
    return isinstance(part, Native) and ".tool_calls[" not in part.path


def _is_member(part: Part) -> bool:
    if isinstance(part, Refusal):
        return part.wording is None
    if isinstance(part, Image):
        return True
    return isinstance(part, ToolCall) and part.wording is not None and "function" not in part.wording.value


def _last_mark(message: Message) -> object:
    return getattr(message.parts[-1], "cache", None) if message.parts else None
