"""Reads the system prompt and the messages of a request, and their content blocks."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import orjson

from providers.formats.anthropic.cache_marks import read_cache_mark
from providers.formats.anthropic.signatures import OF_CALL, ORIGIN, read_signature
from providers.formats.base import BadRequest
from providers.formats.contents import ContentReader, PlainReader
from providers.formats.fields import Fields
from providers.formats.wording import as_read
from providers.wire.conversation import (
    File,
    Image,
    Message,
    Native,
    Part,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
)

# What an answer told of these comes back with it, and says nothing new.
_SOURCES = "citations"
_SYSTEM = frozenset({"text"})
_RESULT = frozenset({"text", "image", "document"})
_USER = _RESULT | {"tool_result"}
_ASSISTANT = _RESULT | {"thinking", "redacted_thinking", "tool_use"}
_ROLES: Mapping[str, Role] = {role.value: role for role in Role}
_BY_ROLE = {Role.SYSTEM: _SYSTEM, Role.USER: _USER, Role.ASSISTANT: _ASSISTANT}


def read_messages(body: Fields) -> tuple[Message, ...]:
    """A result of a tool that nobody called raises BadRequest."""
    if body.any("messages") is None:
        raise body.wrong("messages", "is missing")
    turns = [
        _PLAIN.read(value) or _read_message(Fields(value, f"messages[{number}]"))
        for number, value in enumerate(body.entries("messages"))
    ]
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
    role = _ROLES.get(fields.needed("role"))
    if role is None:
        raise fields.wrong("role", "has to be user, assistant or system")
    message = Message(role, read_content(fields, "content", role))
    fields.end()
    return as_read(message, ORIGIN, fields.value, fields.own)


def _check_results(turns: list[Message]) -> None:
    called: set[str] = set()
    for number, turn in enumerate(turns):
        for part in turn.parts:
            if type(part) is ToolCall:
                called.add(part.id)
        for part in turn.parts:
            if type(part) is ToolResult and part.call_id not in called:
                raise BadRequest(
                    f"There is no tool_use with the id '{part.call_id}' before its tool_result.",
                    param=f"messages[{number}].content",
                )


def read_content(message: Fields, name: str, role: Role) -> tuple[Part, ...]:
    """A string or a list of blocks."""
    return tuple(_sign_calls(_CONTENTS.read(message, name, _BY_ROLE[role])))


def _sign_calls(parts: list[Part]) -> list[Part]:
    """A signature that travelled in front of its call goes back to it."""
    if Reasoning not in map(type, parts):
        return parts
    signed: list[Part] = []
    for part in parts:
        last = signed[-1] if signed else None
        if isinstance(part, ToolCall) and isinstance(last, Reasoning) and last.id == OF_CALL:
            signed[-1] = replace(part, signature=last.signature, origin=last.origin)
        else:
            signed.append(part)
    return signed


def _read_text(block: Fields) -> Text:
    block.skip(_SOURCES)
    return Text(block.needed("text"), read_cache_mark(block))


def _read_image(block: Fields) -> Image | Native:
    mark, source = read_cache_mark(block), _source(block)
    kind = source.needed("type")
    if kind == "url":
        image = Image(url=source.needed("url"), cache=mark)
    elif kind == "base64":
        image = Image(data=source.needed("data"), media_type=source.needed("media_type"), cache=mark)
    elif kind == "file":
        source.needed("file_id")
        return Native(ORIGIN, block.value, source.at("file_id"))
    else:
        raise source.wrong("type", "has to be base64, url or file")
    source.end()
    return image


def _read_document(block: Fields) -> File | Native:
    mark, name, source = read_cache_mark(block), block.text("title"), _source(block)
    citations = block.part("citations")
    if citations is not None and citations.flag("enabled"):
        block.set_aside("citations")
    if block.text("context"):
        block.set_aside("context")
    kind = source.needed("type")
    if kind == "base64":
        file = File(data=source.needed("data"), media_type=source.needed("media_type"), name=name, cache=mark)
    elif kind == "text":
        file = File(text=source.needed("data"), media_type=source.text("media_type"), name=name, cache=mark)
    elif kind == "url":
        file = File(url=source.needed("url"), name=name, cache=mark)
    elif kind == "file":
        file = File(file_id=source.needed("file_id"), name=name, origin=ORIGIN, cache=mark)
    elif kind == "content":
        return Native(ORIGIN, block.value, source.at("type"))
    else:
        raise source.wrong("type", "has to be base64, text, content, url or file")
    source.end()
    return file


def _source(block: Fields) -> Fields:
    source = block.part("source")
    if source is None:
        raise block.wrong("source", "is missing")
    return source


def _read_reasoning(block: Fields) -> Reasoning:
    signed = read_signature(block.text("signature") or "")
    return Reasoning(
        block.text("thinking") or "", signed.signature, signed.encrypted, signed.origin, signed.id
    )


def _read_redacted(block: Fields) -> Reasoning:
    return Reasoning(encrypted=block.needed("data"), origin=ORIGIN)


def _read_call(block: Fields) -> ToolCall:
    mark = read_cache_mark(block)
    # Who called a tool is told where Anthropic's own tools are declared, which no other provider has.
    block.skip("caller")
    arguments = orjson.dumps(block.mapping("input") or {}).decode()
    return ToolCall(block.needed("id"), block.needed("name"), arguments, cache=mark)


def _read_result(block: Fields) -> ToolResult:
    blocks = _CONTENTS.read(block, "content", _RESULT)
    parts = [part for part in blocks if isinstance(part, Text | Image | File | Native)]
    return ToolResult(
        block.needed("tool_use_id"), tuple(parts), block.flag("is_error") or False, read_cache_mark(block)
    )


_READERS: Mapping[str, Callable[[Fields], Part]] = {
    "text": _read_text,
    "image": _read_image,
    "document": _read_document,
    "thinking": _read_reasoning,
    "redacted_thinking": _read_redacted,
    "tool_use": _read_call,
    "tool_result": _read_result,
}
_CONTENTS = ContentReader(ORIGIN, _READERS)
"""Native is what only Anthropic knows, such as what its own tools did."""
_PLAIN = PlainReader(ORIGIN, _ROLES, dict.fromkeys(Role, ("text",)), of_text=("type", _SOURCES))
