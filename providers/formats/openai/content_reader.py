"""Reads the content of chat messages: a string, or a list of parts."""

from collections.abc import Callable, Mapping

from providers.formats.data_url import split_data_url
from providers.formats.fields import Fields
from providers.formats.openai.cache_marks import read_cache_mark
from providers.formats.wording import as_read
from providers.wire.conversation import Audio, File, Image, Native, Part, Refusal, Text

ORIGIN = "openai"


def read_content(message: Fields, kinds: frozenset[str]) -> list[Part]:
    """`kinds` are the types of part that this role may have."""
    content = message.any("content")
    if content is None or isinstance(content, str):
        return [Text(content)] if content else []
    return [read_part(fields, kinds) for fields in message.things("content")]


def read_part(fields: Fields, kinds: frozenset[str]) -> Part:
    """Native is what only some providers of this format know."""
    kind = fields.needed("type")
    if kind not in kinds:
        return Native(ORIGIN, fields.value, fields.at("type"))
    part = _READERS[kind](fields)
    # What an answer carried beside its text comes back with it, and says nothing new.
    fields.skip("annotations", "index")
    fields.end()
    return as_read(part, ORIGIN, fields.value, fields.own)


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
    if not url.startswith("data:"):
        return Image(url=url, detail=detail, cache=mark)
    media_type, data = _split(image, "url", url)
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
    media_type, data = _split(file, "file_data", data) if data.startswith("data:") else (None, data)
    return File(data=data, media_type=media_type, name=name, cache=mark)


def _split(fields: Fields, name: str, url: str) -> tuple[str | None, str]:
    split = split_data_url(url)
    if split is None:
        raise fields.wrong(name, "has to be a data URL in base64")
    return split


_READERS: Mapping[str, Callable[[Fields], Part]] = {
    "text": _read_text,
    "refusal": _read_refusal,
    "image_url": _read_image,
    "input_audio": _read_audio,
    "file": _read_file,
}
