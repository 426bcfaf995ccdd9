"""Writes turns as items of `input`."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import replace
from itertools import groupby
from typing import Any

from providers.formats.data_url import data_url
from providers.formats.notes import Notes
from providers.formats.openai.cache_marks import BREAKPOINT, breakpoint_of
from providers.formats.openai.messages_writer import FILE_ORIGINS
from providers.formats.responses.signatures import ORIGIN
from providers.formats.wording import in_wording, is_as_read, is_unchanged, wording_in
from providers.wire.conversation import (
    CacheMark,
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
    Wording,
)

_PDF = "application/pdf"
_WORDS = frozenset({Text, Refusal})
_SAID = frozenset({Text, Refusal, Image, File, Native})


class ItemWriter:
    def __init__(self, notes: Notes, quirks: Set[str]) -> None:
        self._notes = notes
        self._has_marks = notes.source == ORIGIN or BREAKPOINT in quirks

    def write(self, message: Message) -> Iterable[dict[str, Any]]:
        """One item for each run of texts and images, and one for everything else."""
        wording = wording_in(message, ORIGIN)
        if wording is not None and _SAID.issuperset(map(type, message.parts)):
            return (_without_id(self._write_own(message, wording)),)
        return self._write_anew(message)

    def _write_anew(self, message: Message) -> Iterator[dict[str, Any]]:
        if message.name:
            raise self._notes.refuse("name", "The chosen provider has no names of speakers.")
        is_text = _is_answer if message.role is Role.ASSISTANT else _is_said
        if _WORDS.issuperset(map(type, message.parts)) and message.parts:
            yield self._write_message(message.role, message.parts)
            return
        for is_said, parts in groupby(message.parts, is_text):
            if is_said:
                yield self._write_message(message.role, parts)
            else:
                yield from (item for part in parts if (item := self._write_item(part)) is not None)

    def _write_own(self, message: Message, wording: Wording) -> dict[str, Any]:
        """A message that a client of this format said, with what of it was changed."""
        original: dict[str, Any] = wording.value if isinstance(wording.value, dict) else {"type": "message"}
        is_same_role = "role" in original and is_as_read(message, ORIGIN, "role")
        if is_same_role and is_as_read(message, ORIGIN, "parts"):
            return original
        role = {} if is_same_role else {"role": str(message.role)}
        text = original.get("content")
        if isinstance(text, str) and message.parts == ((Text(text),) if text else ()):
            return {**original, **role}
        write = self._write_answer_part if message.role is Role.ASSISTANT else self._write_part
        return {**original, **role, "content": [write(part) for part in message.parts]}

    def _write_message(self, role: Role, parts: Iterable[Part]) -> dict[str, Any]:
        write = self._write_answer_part if role is Role.ASSISTANT else self._write_part
        return {"type": "message", "role": str(role), "content": [write(part) for part in parts]}

    def _write_item(self, part: Part) -> dict[str, Any] | None:
        match part:
            case ToolCall():
                return _without_id(in_wording(_unsigned(part), ORIGIN, self._write_call))
            case ToolResult():
                return _without_id(in_wording(part, ORIGIN, self._write_result))
            case Reasoning():
                return self._write_reasoning(part)
            case Native():
                return in_wording(part, ORIGIN, dict)
            case Image():
                return in_wording(part, ORIGIN, self._refuse_picture)
        message = "The chosen provider takes no audio."
        raise self._notes.refuse("audio", message)

    def _refuse_picture(self, picture: Image) -> dict[str, Any]:  # noqa: ARG002
        """It takes those only that it has made."""
        message = "The chosen provider takes no pictures in earlier answers."
        raise self._notes.refuse("messages", message)

    def _write_call(self, call: ToolCall) -> dict[str, Any]:
        return {
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
        }

    def _write_result(self, result: ToolResult) -> dict[str, Any]:
        parts = [self._write_part(part) for part in result.parts]
        if result.is_error:
            self._notes.note("is_error", "'Error:' in the result's text")
            parts.insert(0, {"type": "input_text", "text": "Error:"})
        is_plain = len(parts) == 1 and parts[0].keys() == {"type", "text"}
        output: Any = parts[0]["text"] if is_plain else parts or ""
        return {"type": "function_call_output", "call_id": result.call_id, "output": output}

    def _write_reasoning(self, thought: Reasoning) -> dict[str, Any] | None:
        """None for thoughts of another maker, which this provider refuses."""
        if thought.origin != ORIGIN or not (thought.encrypted or _is_readable(thought)):
            self._notes.lose("reasoning", "")
            return None
        # Its words may stand in it twice, so that a change writes all of it anew.
        wording = wording_in(thought, ORIGIN)
        return wording.value if wording and is_unchanged(thought, wording) else self._write_thought(thought)

    def _write_thought(self, thought: Reasoning) -> dict[str, Any]:
        texts: dict[str, Any] = {"summary": []}
        if not thought.encrypted:
            texts["content"] = [{"type": "reasoning_text", "text": thought.text}]
        elif thought.text:
            texts["summary"] = [{"type": "summary_text", "text": thought.text}]
        members = {"id": thought.id, "encrypted_content": thought.encrypted}
        return (
            {"type": "reasoning"}
            | texts
            | {name: value for name, value in members.items() if value is not None}
        )

    def _write_answer_part(self, part: Part) -> dict[str, Any]:
        return in_wording(part, ORIGIN, self._write_new_answer_part)

    def _write_new_answer_part(self, part: Part) -> dict[str, Any]:
        match part:
            case Text():
                return {"type": "output_text", "text": part.text, "annotations": []}
            case Refusal():
                return {"type": "refusal", "refusal": part.text}
        message = "The chosen provider takes only texts as earlier answers."
        raise self._notes.refuse("messages", message)

    def _write_part(self, part: Part) -> dict[str, Any]:
        return in_wording(part, ORIGIN, self._write_new_part)

    def _write_new_part(self, part: Part) -> dict[str, Any]:
        match part:
            case Text():
                return {"type": "input_text", "text": part.text} | self._mark(part.cache)
            case Image():
                url = part.url or data_url(part.media_type or "image/png", part.data or "")
                detail = {"detail": part.detail} if part.detail else {}
                return {"type": "input_image", "image_url": url} | detail | self._mark(part.cache)
            case File():
                return self._write_file(part) | self._mark(part.cache)
        message = "The chosen provider takes refusals as earlier answers only."
        raise self._notes.refuse("messages", message)

    def _write_file(self, file: File) -> dict[str, Any]:
        name = {"filename": file.name} if file.name else {}
        if file.data is not None:
            url = data_url(file.media_type or _PDF, file.data)
            return {"type": "input_file", "filename": "document", "file_data": url} | name
        if file.url is not None:
            return {"type": "input_file", "file_url": file.url} | name
        if file.text is not None:
            self._notes.note("file", "input_text")
            text = f"{file.name}\n\n{file.text}" if file.name else file.text
            return {"type": "input_text", "text": text}
        if file.origin in FILE_ORIGINS:
            return {"type": "input_file", "file_id": file.file_id} | name
        message = "The file is stored at another provider than the chosen one."
        raise self._notes.refuse("file", message)

    def _mark(self, mark: CacheMark | None) -> dict[str, Any]:
        """A mark changes no answer, so it is left out where the provider takes none."""
        return {"prompt_cache_breakpoint": breakpoint_of(mark)} if mark and self._has_marks else {}


def _is_said(part: Part) -> bool:
    return isinstance(part, Text | Refusal | Image | File)


def _is_answer(part: Part) -> bool:
    """A picture in an earlier answer is an item of its own."""
    return _is_said(part) and not isinstance(part, Image)


def _unsigned(call: ToolCall) -> ToolCall:
    return call if call.signature is None else replace(call, signature=None, origin="")


def _is_readable(thought: Reasoning) -> bool:
    """Whether its client gave it back in plain words, as providers do that sign nothing."""
    wording = wording_in(thought, ORIGIN)
    return wording is not None and bool(wording.value.get("content"))


def _without_id(item: dict[str, Any]) -> dict[str, Any]:
    """The provider keeps nothing, and looks in vain for what it named itself. Thoughts and other items need theirs."""
    return {name: value for name, value in item.items() if name != "id"} if "id" in item else item
