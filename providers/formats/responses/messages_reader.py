"""Reads the items of `input` into turns, and their content: a string, or a list of parts."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from providers.formats.contents import ContentReader, PlainReader
from providers.formats.fields import Fields
from providers.formats.openai.cache_marks import read_cache_mark
from providers.formats.openai.messages_reader import file_of, image_at
from providers.formats.responses import signatures
from providers.formats.responses.answer_reader import MEDIA_TYPES
from providers.formats.responses.signatures import ORIGIN, read_signature
from providers.formats.wording import as_read
from providers.wire.conversation import (
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

T = TypeVar("T", Message, ToolCall, ToolResult, Reasoning)
_ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
}
_TEXTS = {
    Role.SYSTEM: ("input_text", "text"),
    Role.USER: ("input_text", "text"),
    Role.ASSISTANT: ("output_text", "input_text", "text"),
}
_KINDS = {
    Role.SYSTEM: frozenset(_TEXTS[Role.SYSTEM]),
    Role.USER: frozenset({*_TEXTS[Role.USER], "input_image", "input_file"}),
    Role.ASSISTANT: frozenset({*_TEXTS[Role.ASSISTANT], "refusal"}),
}
_RESULT_KINDS = frozenset({"input_text", "text", "input_image", "input_file"})
# What the provider noted on items, and clients send back. `phase` tells an answer's last message from those
# before it, which their order does as well.
_NOTED = ("id", "status", "phase", "created_by")
# What answers carry beside their text.
_NOTED_OF_TEXT = ("annotations", "logprobs")


class ItemReader:
    """Without `needs_calls` results may answer calls that the provider or the gateway keeps."""

    def __init__(self, *, needs_calls: bool) -> None:
        self._needs_calls = needs_calls
        self._calls: set[str] = set()

    def read(self, body: Fields) -> list[Message]:
        """One message for each item of `input`; a signature that belongs to a call is put into it."""
        messages: list[Message] = []
        for number, value in enumerate(body.entries("input")):
            if (plain := _PLAIN.read(value)) is not None:
                messages.append(plain)
                continue
            message = self._read_item(Fields(value, f"input[{number}]"))
            if (signed := sign_call(messages[-1:], message)) is not None:
                messages[-1] = signed
            else:
                messages.append(message)
        return messages

    def _read_item(self, fields: Fields) -> Message:
        """Native is an item that only Responses has: a built-in tool's, a reference."""
        kind = fields.text("type")
        if kind is None and fields.any("role") is not None:
            kind = "message"
        match kind:
            case "message":
                return _as_read(self._read_message(fields), fields)
            case "function_call":
                return Message(Role.ASSISTANT, (_as_read(self._read_call(fields), fields),))
            case "function_call_output":
                return Message(Role.USER, (_as_read(self._read_result(fields), fields),))
            case "reasoning":
                return Message(Role.ASSISTANT, (_as_read(_read_reasoning(fields), fields),))
            case "image_generation_call" if fields.any("result"):
                return Message(Role.ASSISTANT, (_read_picture(fields),))
            case None:
                raise fields.wrong("type", "is missing")
        return Message(Role.ASSISTANT, (Native(ORIGIN, fields.value, fields.at("type")),))

    def _read_message(self, fields: Fields) -> Message:
        name = fields.needed("role")
        role = _ROLES.get(name)
        if role is None:
            raise fields.wrong("role", f"cannot be '{name}'")
        return Message(role, tuple(_CONTENTS.read(fields, "content", _KINDS[role])))

    def _read_call(self, fields: Fields) -> ToolCall:
        call = ToolCall(fields.needed("call_id"), fields.needed("name"), fields.text("arguments") or "{}")
        self._calls.add(call.id)
        return call

    def _read_result(self, fields: Fields) -> ToolResult:
        call_id = fields.needed("call_id")
        if self._needs_calls and call_id not in self._calls:
            raise fields.wrong("call_id", f"answers no call of an earlier item: '{call_id}'")
        parts = _CONTENTS.read(fields, "output", _RESULT_KINDS)
        return ToolResult(
            call_id, tuple(part for part in parts if isinstance(part, Text | Image | File | Native))
        )


def _as_read(thing: T, fields: Fields) -> T:
    fields.end(_NOTED)
    return as_read(thing, ORIGIN, fields.value, fields.own)


def sign_call(last: list[Message], message: Message) -> Message | None:
    """The call with the signature that stood in front of it. None where there is none."""
    # Asked of every message, most of which are no calls.
    if (
        len(message.parts) != 1
        or type(message.parts[0]) is not ToolCall
        or message.role is not Role.ASSISTANT
    ):
        return None
    match last, message.parts:
        case [Message(parts=(Reasoning(id=signatures.OF_CALL) as thought,))], (ToolCall() as call,):
            signed = replace(call, signature=thought.signature, origin=thought.origin)
            return Message(Role.ASSISTANT, (signed,))
    return None


def _read_reasoning(fields: Fields) -> Reasoning:
    text = _texts(fields, "summary") or _texts(fields, "content")
    return read_signature(text, fields.text("encrypted_content"), fields.text("id"))


def _read_picture(fields: Fields) -> Image:
    """One that a model made, of whichever provider. How it was made is nobody else's matter."""
    media_type = MEDIA_TYPES.get(fields.text("output_format") or "png")
    return as_read(Image(data=fields.text("result"), media_type=media_type), ORIGIN, fields.value, {})


def _texts(fields: Fields, name: str) -> str:
    return "\n\n".join(part.needed("text") for part in fields.parts(name))


def _read_text(fields: Fields) -> Text:
    fields.skip(*_NOTED_OF_TEXT)
    return Text(fields.needed("text"), read_cache_mark(fields))


def _read_refusal(fields: Fields) -> Refusal:
    return Refusal(fields.needed("refusal"))


def _read_image(fields: Fields) -> Image | Native:
    mark, detail, url = read_cache_mark(fields), fields.text("detail"), fields.text("image_url")
    if url is None:
        if fields.text("file_id") is None:
            raise fields.wrong("image_url", "is missing")
        return Native(ORIGIN, fields.value, fields.at("file_id"))
    fields.skip("file_id")
    return image_at(fields, "image_url", url, detail, mark)


def _read_file(fields: Fields) -> File:
    mark, name, data = read_cache_mark(fields), fields.text("filename"), fields.text("file_data")
    url, file_id = fields.text("file_url"), fields.text("file_id")
    if fields.text("detail") not in {None, "auto"}:
        fields.set_aside("detail")
    if data is not None:
        return file_of(fields, data, name, mark)
    if url is not None:
        return File(url=url, name=name, cache=mark)
    if file_id is None:
        raise fields.wrong("file_data", "'file_url' or 'file_id' has to be given")
    return File(file_id=file_id, name=name, origin=ORIGIN, cache=mark)


_READERS: Mapping[str, Callable[[Fields], Part]] = {
    "input_text": _read_text,
    "output_text": _read_text,
    # Some clients send answers back as they would send text of their own.
    "text": _read_text,
    "refusal": _read_refusal,
    "input_image": _read_image,
    "input_file": _read_file,
}
_CONTENTS = ContentReader(ORIGIN, _READERS)
"""Native is what only Responses knows."""
_PLAIN = PlainReader(ORIGIN, _ROLES, _TEXTS, members=("type", *_NOTED), of_text=("type", *_NOTED_OF_TEXT))
