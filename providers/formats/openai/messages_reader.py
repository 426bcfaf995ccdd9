"""Reads chat messages, each by its role."""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from providers.formats.fields import Fields
from providers.formats.openai.cache_marks import read_cache_mark
from providers.formats.openai.content_reader import ORIGIN, read_content, read_part
from providers.formats.openai.reasoning import read_reasoning
from providers.formats.openai.signatures import read_signature
from providers.formats.wording import as_read, worded
from providers.wire.conversation import (
    CacheMark,
    File,
    Image,
    Message,
    Native,
    Part,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
)

_TEXT = frozenset({"text"})
_USER_PARTS = frozenset({"text", "image_url", "input_audio", "file"})
_PICTURES = frozenset({"image_url"})
_ASSISTANT_PARTS = frozenset({"text", "refusal"})
# Images of results are not in OpenAI's types, and many providers take them.
_RESULT_PARTS = frozenset({"text", "image_url", "file"})
# What our answers and those of other gateways carry, and clients send back without a thought.
_REPEATED = ("annotations", "reasoning", "reasoning_content", "reasoning_details", "provider_specific_fields")


def read_messages(messages: Iterable[Fields]) -> tuple[Message, ...]:
    """Raises BadRequest, also for a result without its call."""
    calls = _Calls()
    read: list[Message] = []
    for fields in messages:
        role = fields.needed("role")
        reader = _READERS.get(role)
        if reader is None:
            raise fields.wrong("role", f"cannot be '{role}'")
        message = reader(fields, calls)
        fields.end()
        read.append(as_read(message, ORIGIN, fields.value, fields.own))
    return tuple(read)


class _Calls:
    """The calls so far, so that results find theirs, also in the way before tools had ids."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._open_functions: deque[str] = deque()

    def add(self, call_id: str) -> None:
        self._ids.add(call_id)

    def add_function(self) -> str:
        call_id = f"call_function_{len(self._ids)}"
        self.add(call_id)
        self._open_functions.append(call_id)
        return call_id

    def answer(self, fields: Fields, call_id: str) -> str:
        if call_id not in self._ids:
            raise fields.wrong("tool_call_id", f"answers no call of an earlier message: '{call_id}'")
        return call_id

    def answer_function(self, fields: Fields) -> str:
        if not self._open_functions:
            raise fields.wrong("role", "is 'function', and no earlier message called one")
        return self._open_functions.popleft()


def _read_system(fields: Fields, _calls: _Calls) -> Message:
    return _said(fields, Role.SYSTEM, read_content(fields, _TEXT))


def _read_user(fields: Fields, _calls: _Calls) -> Message:
    return _said(fields, Role.USER, read_content(fields, _USER_PARTS))


def _read_assistant(fields: Fields, calls: _Calls) -> Message:
    if fields.any("audio") is not None:
        # It is known to the provider alone that gave it.
        fields.set_aside("audio")
    parts: list[Part] = [*read_reasoning(dict(fields.rest())), *read_content(fields, _ASSISTANT_PARTS)]
    if refusal := fields.text("refusal"):
        parts.append(Refusal(refusal))
    parts += _read_pictures(fields)
    parts += [_read_call(call, calls) for call in fields.things("tool_calls")]
    if call := fields.part("function_call"):
        function = ToolCall(calls.add_function(), call.needed("name"), call.text("arguments") or "{}")
        parts.append(as_read(function, ORIGIN, call.value, {}))
    fields.skip(*_REPEATED)
    return _said(fields, Role.ASSISTANT, parts)


def _read_pictures(fields: Fields) -> list[Part]:
    """What a model drew, as answers hold it; see images.read_images. Another shape is the client's own."""
    images = fields.any("images")
    if isinstance(images, list) and all(map(_is_picture, images)):
        return [read_part(each, _PICTURES) for each in fields.things("images")]
    if images:
        fields.set_aside("images")
    return []


def _is_picture(image: object) -> bool:
    match image:
        case {"type": "image_url", "image_url": {"url": str()}}:
            return True
    return False


def _read_call(fields: Fields, calls: _Calls) -> ToolCall | Native:
    """Native is a call of what is no function."""
    call_id, kind = fields.needed("id"), fields.text("type") or "function"
    calls.add(call_id)
    function = fields.part("function")
    if kind != "function" or function is None:
        return Native(ORIGIN, fields.value, fields.at("type"))
    fields.skip("index", "provider_specific_fields")
    signature, origin = read_signature(fields.any("extra_content"))
    arguments, mark = function.text("arguments") or "{}", read_cache_mark(fields)
    call = ToolCall(call_id, function.needed("name"), arguments, signature, origin, mark)
    fields.end()
    return as_read(call, ORIGIN, fields.value, fields.own)


def _read_tool(fields: Fields, calls: _Calls) -> Message:
    call_id = calls.answer(fields, fields.needed("tool_call_id"))
    # A tool's name is that of the call.
    fields.skip("name")
    return _result(fields, call_id)


def _read_function(fields: Fields, calls: _Calls) -> Message:
    fields.needed("name")
    return _result(fields, calls.answer_function(fields))


def _result(fields: Fields, call_id: str) -> Message:
    parts = read_content(fields, _RESULT_PARTS)
    said = tuple(part for part in parts if isinstance(part, Text | Image | File | Native))
    return Message(Role.USER, (ToolResult(call_id, said, cache=read_cache_mark(fields)),))


def _said(fields: Fields, role: Role, parts: list[Part]) -> Message:
    mark = read_cache_mark(fields)
    return Message(role, tuple(_mark_last(parts, mark)), fields.text("name"))


def _mark_last(parts: list[Part], mark: CacheMark | None) -> list[Part]:
    """A mark on a message stands for one on its last part."""
    last = parts[-1] if parts else None
    if mark is None or not isinstance(last, Text | Image | File | ToolCall):
        return parts
    marked = replace(last, cache=mark)
    if last.wording is not None:
        marked = worded(marked, replace(last.wording, read=replace(last.wording.read, cache=mark)))
    return [*parts[:-1], marked]


_READERS = {
    "system": _read_system,
    "developer": _read_system,
    "user": _read_user,
    "assistant": _read_assistant,
    "tool": _read_tool,
    "function": _read_function,
}
