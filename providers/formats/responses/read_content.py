"""Reads the content of items: a string, or a list of parts."""

from typing import Any

from providers.formats.chat.cache_marks import read_cache_mark
from providers.formats.data_url import split_data_url
from providers.formats.fields import Fields
from providers.formats.responses.seals import ORIGIN
from providers.wire.conversation import File, Image, Refusal, Text

Said = Text | Refusal | Image | File


def read_content(item: Fields, name: str, kinds: frozenset[str]) -> list[Said]:
    """Of the field `name`. `kinds` are the types of part that may stand here. Empty texts are left out."""
    content: Any = item.any(name)
    if content is None or isinstance(content, str):
        return [Text(content)] if content else []
    return [part for fields in item.parts(name) if (part := _read_part(fields, kinds)) is not None]


def _read_part(fields: Fields, kinds: frozenset[str]) -> Said | None:
    """None for what only Responses knows, and for an empty text."""
    kind = fields.needed("type")
    if kind not in kinds:
        fields.set_aside("type")
        return None
    part = _READERS[kind](fields)
    fields.end()
    return part


def _read_text(fields: Fields) -> Text | None:
    # Answers come back with what they carried beside the text, which says nothing new.
    fields.skip("annotations", "logprobs")
    text, mark = fields.needed("text"), read_cache_mark(fields)
    return Text(text, mark) if text else None


def _read_refusal(fields: Fields) -> Refusal:
    return Refusal(fields.needed("refusal"))


def _read_image(fields: Fields) -> Image | None:
    mark, detail, url = read_cache_mark(fields), fields.text("detail"), fields.text("image_url")
    if url is None:
        if fields.text("file_id") is None:
            raise fields.wrong("image_url", "is missing")
        fields.set_aside("file_id")
        return None
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


_READERS = {
    "input_text": _read_text,
    "output_text": _read_text,
    # Some clients send answers back as they would send text of their own.
    "text": _read_text,
    "refusal": _read_refusal,
    "input_image": _read_image,
    "input_file": _read_file,
}
