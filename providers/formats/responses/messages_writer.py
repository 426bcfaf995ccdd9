"""Writes turns as items of `input`."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import replace
from itertools import groupby
from typing import Any

from providers.formats.base import CannotTranslate
from providers.formats.data_url import data_url
from providers.formats.field_names import client_field
from providers.formats.openai.cache_marks import breakpoint_of
from providers.formats.openai.messages_writer import FILE_ORIGINS
from providers.formats.openai.tools import write_name
from providers.formats.responses.signatures import ORIGIN
from providers.formats.wording import in_wording, wording_in
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
)

_PDF = "application/pdf"
_SAID = (Text, Refusal, Image, File, Native)


class ItemWriter:
    """`translated` collects what was said in other words."""

    def __init__(self, source: str, quirks: Set[str], translated: list[str]) -> None:
        self._source = source
        self._has_marks = source == ORIGIN or "prompt_cache_breakpoint" in quirks
        self._translated = translated
        self._calls: set[str] = set()

    def write(self, message: Message) -> Iterator[dict[str, Any]]:
        """One item for each run of texts and images, and one for everything else."""
        if wording_in(message, ORIGIN) is not None and all(isinstance(part, _SAID) for part in message.parts):
            yield _without_id(self._write_own(message))
            return
        if message.name:
            raise CannotTranslate(
                "The chosen provider has no names of speakers.", param=client_field(self._source, "name")
            )
        is_text = _is_answer if message.role is Role.ASSISTANT else _is_said
        for is_said, parts in groupby(message.parts, is_text):
            if is_said:
                yield self._write_message(message.role, parts)
            else:
                yield from (item for part in parts if (item := self._write_item(part)) is not None)

    def _write_own(self, message: Message) -> dict[str, Any]:
        """A message that a client of this format said, with what of it was changed."""
        wording = wording_in(message, ORIGIN)
        said = wording.value if wording and isinstance(wording.value, dict) else {"type": "message"}
        is_same_role = "role" in said and wording is not None and wording.read.role is message.role
        role = {} if is_same_role else {"role": message.role.value}
        text = said.get("content")
        if isinstance(text, str) and message.parts == ((Text(text),) if text else ()):
            return {**said, **role}
        write = self._write_answer_part if message.role is Role.ASSISTANT else self._write_part
        return {**said, **role, "content": [write(part) for part in message.parts]}

    def _write_message(self, role: Role, parts: Iterable[Part]) -> dict[str, Any]:
        write = self._write_answer_part if role is Role.ASSISTANT else self._write_part
        return {"type": "message", "role": role.value, "content": [write(part) for part in parts]}

    def _write_item(self, part: Part) -> dict[str, Any] | None:
        match part:
            case ToolCall():
                self._calls.add(part.id)
                return _without_id(in_wording(_unsigned(part), ORIGIN, self._write_call))
            case ToolResult():
                self._check_result(part)
                return _without_id(in_wording(part, ORIGIN, self._write_result))
            case Reasoning():
                return self._write_reasoning(part)
            case Native():
                return in_wording(part, ORIGIN, dict)
            case Image():
                return in_wording(part, ORIGIN, self._refuse_picture)
        message = "The chosen provider takes no audio."
        raise CannotTranslate(message, param=client_field(self._source, "audio"))

    def _refuse_picture(self, picture: Image) -> dict[str, Any]:  # noqa: ARG002
        """It takes those only that it has made."""
        message = "The chosen provider takes no pictures in earlier answers."
        raise CannotTranslate(message, param=client_field(self._source, "messages"))

    def _write_call(self, call: ToolCall) -> dict[str, Any]:
        name = write_name(call.name, self._source)
        return {"type": "function_call", "call_id": call.id, "name": name, "arguments": call.arguments}

    def _check_result(self, result: ToolResult) -> None:
        """Those of a client of this format may answer calls that somebody keeps; their reader has looked at them."""
        if self._source != ORIGIN and result.call_id not in self._calls:
            message = f"No earlier item holds the call '{result.call_id}' which this result answers."
            raise CannotTranslate(
                message, param=client_field(self._source, "tool_result"), code="invalid_value"
            )

    def _write_result(self, result: ToolResult) -> dict[str, Any]:
        parts = [self._write_part(part) for part in result.parts]
        if result.is_error:
            self._note("is_error", "'Error:' in the result's text")
            parts.insert(0, {"type": "input_text", "text": "Error:"})
        is_plain = len(parts) == 1 and parts[0].keys() == {"type", "text"}
        output: Any = parts[0]["text"] if is_plain else parts or ""
        return {"type": "function_call_output", "call_id": result.call_id, "output": output}

    def _write_reasoning(self, thought: Reasoning) -> dict[str, Any] | None:
        """None for thoughts of another maker, which this provider refuses."""
        if thought.origin != ORIGIN or not (thought.encrypted or _is_readable(thought)):
            self._note("reasoning", "left out")
            return None
        # Its words may stand in it twice, so that a change writes all of it anew.
        wording = wording_in(thought, ORIGIN)
        return wording.value if wording and wording.read == thought else self._write_thought(thought)

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
        raise CannotTranslate(message, param=client_field(self._source, "messages"))

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
        raise CannotTranslate(message, param=client_field(self._source, "messages"))

    def _write_file(self, file: File) -> dict[str, Any]:
        name = {"filename": file.name} if file.name else {}
        if file.data is not None:
            url = data_url(file.media_type or _PDF, file.data)
            return {"type": "input_file", "filename": "document", "file_data": url} | name
        if file.url is not None:
            return {"type": "input_file", "file_url": file.url} | name
        if file.text is not None:
            self._note("file", "input_text")
            text = f"{file.name}\n\n{file.text}" if file.name else file.text
            return {"type": "input_text", "text": text}
        if file.origin in FILE_ORIGINS:
            return {"type": "input_file", "file_id": file.file_id} | name
        message = "The file is stored at another provider than the chosen one."
        raise CannotTranslate(message, param=client_field(self._source, "file"))

    def _mark(self, mark: CacheMark | None) -> dict[str, Any]:
        """A mark changes no answer, so it is left out where the provider takes none."""
        return {"prompt_cache_breakpoint": breakpoint_of(mark)} if mark and self._has_marks else {}

    def _note(self, field: str, words: str) -> None:
        said = f"{client_field(self._source, field)} -> {words}"
        if said not in self._translated:
            self._translated.append(said)


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
