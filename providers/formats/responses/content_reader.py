"""Reads the content of items: a string, or a list of parts."""

from collections.abc import Callable, Mapping
from typing import Any

from providers.formats.data_url import split_data_url
from providers.formats.fields import Fields
from providers.formats.openai.cache_marks import read_cache_mark
from providers.formats.responses.signatures import ORIGIN
from providers.formats.wording import as_read
from providers.wire.conversation import File, Image, Native, Refusal, Text

Said = Text | Refusal | Image | File | Native


def read_content(item: Fields, name: str, kinds: frozenset[str]) -> list[Said]:
    """Of the field `name`. `kinds` are the types of part that may stand here."""
    content: Any = item.any(name)
    if content is None or isinstance(content, str):
        return [Text(content)] if content else []
    return [_read_part(fields, kinds) for fields in item.things(name)]


def _read_part(fields: Fields, kinds: frozenset[str]) -> Said:
    """Native is what only Responses knows."""
    kind = fields.needed("type")
    if kind not in kinds:
        return Native(ORIGIN, fields.value, fields.at("type"))
    part = _READERS[kind](fields)
    if isinstance(part, Native):
        return part
    fields.end()
    return as_read(part, ORIGIN, fields.value, fields.own)


def _read_text(fields: Fields) -> Text:
    # Answers come back with what they carried beside the text, which says nothing new.
    fields.skip("annotations", "logprobs")
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
    if not url.startswith("data:"):
        return Image(url=url, detail=detail, cache=mark)
    media_type, data = _split(fields, "image_url", url)
    return Image(data=data, media_type=media_type, detail=detail, cache=mark)


def _read_file(fields: Fields) -> File:
    mark, name, data = read_cache_mark(fields), fields.text("filename"), fields.text("file_data")
    url, file_id = fields.text("file_url"), fields.text("file_id")
    if fields.text("detail") not in {None, "auto"}:
        fields.set_aside("detail")
    if data is not None:
        media_type, data = _split(fields, "file_data", data) if data.startswith("data:") else (None, data)
        return File(data=data, media_type=media_type, name=name, cache=mark)
    if url is not None:
        return File(url=url, name=name, cache=mark)
    if file_id is None:
        raise fields.wrong("file_data", "'file_url' or 'file_id' has to be given")
    return File(file_id=file_id, name=name, origin=ORIGIN, cache=mark)


def _split(fields: Fields, name: str, url: str) -> tuple[str | None, str]:
    split = split_data_url(url)
    if split is None:
        raise fields.wrong(name, "has to be a data URL in base64")
    return split


_READERS: Mapping[str, Callable[[Fields], Said]] = {
    "input_text": _read_text,
    "output_text": _read_text,
    # Some clients send answers back as they would send text of their own.
    "text": _read_text,
    "refusal": _read_refusal,
    "input_image": _read_image,
    "input_file": _read_file,
}
