"""Reads chat messages, each by its role, and their content: a string, or a list of parts."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from providers.formats.contents import ContentReader, PlainReader
from providers.formats.data_url import split_data_url
from providers.formats.fields import Fields
from providers.formats.openai.cache_marks import read_cache_mark
from providers.formats.openai.signatures import ORIGIN, read_reasoning, read_signature
from providers.formats.wording import as_read
from providers.wire.conversation import (
    Audio,
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
_OF_ALL = frozenset({"role", "content", "name"})
"""What a message of every role has."""
# What our answers and those of other gateways carry, and clients send back without a thought.
_REPEATED = ("annotations", "reasoning", "reasoning_content", "reasoning_details", "provider_specific_fields")


def read_messages(body: Fields) -> tuple[Message, ...]:
    """Raises BadRequest, also for a result without its call."""
    calls = _Calls()
    return tuple(
        [
            _PLAIN.read(value) or _read_message(Fields(value, f"messages[{number}]"), calls)
            for number, value in enumerate(body.entries("messages"))
        ]
    )


def _read_message(fields: Fields, calls: "_Calls") -> Message:
    role = fields.needed("role")
    reader = _READERS.get(role)
    if reader is None:
        raise fields.wrong("role", f"cannot be '{role}'")
    message = reader(fields, calls)
    fields.end()
    return as_read(message, ORIGIN, fields.value, fields.own)


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
    return _said(fields, Role.SYSTEM, _CONTENTS.read(fields, "content", _TEXT))


def _read_user(fields: Fields, _calls: _Calls) -> Message:
    return _said(fields, Role.USER, _CONTENTS.read(fields, "content", _USER_PARTS))


def _read_assistant(fields: Fields, calls: _Calls) -> Message:
    parts = _CONTENTS.read(fields, "content", _ASSISTANT_PARTS)
    if not fields.value.keys() <= _OF_ALL:
        parts = [*read_reasoning(fields.value), *parts, *_read_own_members(fields, calls)]
    return _said(fields, Role.ASSISTANT, parts)


def _read_own_members(fields: Fields, calls: _Calls) -> Iterator[Part]:
    """What stands in members that only an assistant's message has, but for its thoughts."""
    if fields.any("audio") is not None:
        # It is known to the provider alone that gave it.
        fields.set_aside("audio")
    if refusal := fields.text("refusal"):
        yield Refusal(refusal)
    yield from _read_pictures(fields)
    for each in fields.things("tool_calls"):
        yield _read_call(each, calls)
    if call := fields.part("function_call"):
        function = ToolCall(calls.add_function(), call.needed("name"), call.text("arguments") or "{}")
        yield as_read(function, ORIGIN, call.value, {})
    fields.skip(*_REPEATED)


def _read_pictures(fields: Fields) -> list[Part]:
    """What a model drew, as answers hold it; see images.read_images. Another shape is the client's own."""
    images = fields.any("images")
    if isinstance(images, list) and all(map(_is_picture, images)):
        return [_CONTENTS.read_part(each, _PICTURES) for each in fields.things("images")]
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
    parts = _CONTENTS.read(fields, "content", _RESULT_PARTS)
    told = tuple(part for part in parts if isinstance(part, Text | Image | File | Native))
    return Message(Role.USER, (ToolResult(call_id, told, cache=read_cache_mark(fields)),))


def _said(fields: Fields, role: Role, parts: list[Part]) -> Message:
    mark = read_cache_mark(fields)
    told = parts if mark is None else _mark_last(parts, mark)
    return Message(role, tuple(told), fields.text("name"))


def _mark_last(parts: list[Part], mark: CacheMark) -> list[Part]:
    """A mark on a message stands for one on its last part."""
    last = parts[-1] if parts else None
    if not isinstance(last, Text | Image | File | ToolCall):
        return parts
    marked = replace(last, cache=mark)
    if (wording := last.wording) is not None:
        marked = as_read(marked, ORIGIN, wording.value, wording.own)
    return [*parts[:-1], marked]


_READERS = {
    "system": _read_system,
    "developer": _read_system,
    "user": _read_user,
    "assistant": _read_assistant,
    "tool": _read_tool,
    "function": _read_function,
}


def _read_text(fields: Fields) -> Text:
    return Text(fields.needed("text"), read_cache_mark(fields))


def _read_refusal(fields: Fields) -> Refusal:
    return Refusal(fields.needed("refusal"))


def _read_image(fields: Fields) -> Image:
    mark = read_cache_mark(fields)
    image = fields.part("image_url")
    if image is None:
        raise fields.wrong("image_url", "is missing")
    url, detail = image.needed("url"), image.text("detail")
    image.end()
    return image_at(image, "url", url, detail, mark)


def image_at(fields: Fields, name: str, url: str, detail: str | None, mark: CacheMark | None) -> Image:
    """`url`, from the field `name`, is where it is, or the picture itself."""
    if not url.startswith("data:"):
        return Image(url=url, detail=detail, cache=mark)
    media_type, data = _split(fields, name, url)
    return Image(data=data, media_type=media_type, detail=detail, cache=mark)


def _read_audio(fields: Fields) -> Audio:
    # Audio carries no mark between formats; a mark changes no answer.
    fields.skip("prompt_cache_breakpoint", "cache_control")
    audio = fields.part("input_audio")
    if audio is None:
        raise fields.wrong("input_audio", "is missing")
    return Audio(audio.needed("data"), audio.needed("format"))


def _read_file(fields: Fields) -> File:
    mark = read_cache_mark(fields)
    file = fields.part("file")
    if file is None:
        raise fields.wrong("file", "is missing")
    data, file_id, name = file.text("file_data"), file.text("file_id"), file.text("filename")
    file.end()
    if data is None:
        if file_id is None:
            raise file.wrong("file_data", "or its 'file_id' has to be given")
        return File(file_id=file_id, name=name, origin=ORIGIN, cache=mark)
    return file_of(file, data, name, mark)


def file_of(fields: Fields, data: str, name: str | None, mark: CacheMark | None) -> File:
    """`data`, from the field `file_data`, has its type with it or not."""
    media_type, data = _split(fields, "file_data", data) if data.startswith("data:") else (None, data)
    return File(data=data, media_type=media_type, name=name, cache=mark)


def _split(fields: Fields, name: str, url: str) -> tuple[str | None, str]:
    split = split_data_url(url)
    if split is None:
        raise fields.wrong(name, "has to be a data URL in base64")
    return split


_PART_READERS: Mapping[str, Callable[[Fields], Part]] = {
    "text": _read_text,
    "refusal": _read_refusal,
    "image_url": _read_image,
    "input_audio": _read_audio,
    "file": _read_file,
}
# What an answer carried beside its text comes back with it, and says nothing new.
_NOTED = ("annotations", "index")
# Native is what only some providers of this format know.
_CONTENTS = ContentReader(ORIGIN, _PART_READERS, _NOTED)
_PLAIN = PlainReader(
    ORIGIN,
    {"developer": Role.SYSTEM, **{role.value: role for role in Role}},
    dict.fromkeys(Role, ("text",)),
    of_text=("type", *_NOTED),
)
