"""Images, sounds and files: as Gemini's inlineData and fileData, and back."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from providers.formats.base import BadRequest, CannotTranslate
from providers.formats.gemini.members import Members, required
from providers.formats.gemini.signatures import ORIGIN, standard_base64
from providers.wire.conversation import Audio, File, Image

_BY_ENDING = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "heif": "image/heif",
    "pdf": "application/pdf",
    "txt": "text/plain",
}
_AUDIO_FORMATS = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav"}
_PLAIN = "text/plain"


def read_inline(blob: Members) -> Image | Audio | File:
    """Of inlineData. Raises BadRequest."""
    media_type, data = blob.text("mimeType"), blob.text("data")
    if not media_type:
        raise required(blob, "mimeType")
    if data is None:
        raise required(blob, "data")
    kind, _, subtype = media_type.partition("/")
    data = standard_base64(data)
    if kind == "image":
        return Image(data=data, media_type=media_type)
    if kind == "audio":
        return Audio(data, _AUDIO_FORMATS.get(subtype, subtype))
    if media_type == _PLAIN:
        return File(text=_decoded(data, blob), media_type=_PLAIN, name=blob.text("displayName"))
    return File(data=data, media_type=media_type, name=blob.text("displayName"))


def read_file(file: Members) -> Image | File:
    """Of fileData. What lies at Google only Gemini can read. Raises BadRequest."""
    uri = file.text("fileUri")
    if not uri:
        raise required(file, "fileUri")
    media_type, name = file.text("mimeType") or _guess(uri), file.text("displayName")
    if _lies_at_google(uri):
        return File(file_id=uri, media_type=media_type, name=name, origin=ORIGIN)
    if media_type and media_type.startswith("image/"):
        return Image(url=uri, media_type=media_type)
    return File(url=uri, media_type=media_type, name=name)


def write_image(image: Image) -> dict[str, Any]:
    """One part. An address needs a type: where nothing tells it, the commonest one stands."""
    if image.url is None:
        return {"inlineData": {"mimeType": image.media_type or "image/png", "data": image.data}}
    media_type = image.media_type or _guess(image.url) or "image/jpeg"
    return {"fileData": {"mimeType": media_type, "fileUri": image.url}}


def write_audio(audio: Audio) -> dict[str, Any]:
    return {"inlineData": {"mimeType": f"audio/{audio.format}", "data": audio.data}}


def write_file(file: File, param: str) -> dict[str, Any]:
    """One part. Raises CannotTranslate for another provider's file, and for data of no known type."""
    name = {"displayName": file.name} if file.name else {}
    if file.text is not None:
        data = base64.b64encode(file.text.encode()).decode()
        return {"inlineData": {"mimeType": _PLAIN, "data": data, **name}}
    media_type = file.media_type or _guess(file.url or file.name or "")
    if file.data is None:
        return {"fileData": _without_none({"mimeType": media_type, "fileUri": _uri(file, param)}) | name}
    if media_type is None:
        raise CannotTranslate("A file's media type must be told by its data URL or its name.", param=param)
    return {"inlineData": {"mimeType": media_type, "data": file.data, **name}}


def _uri(file: File, param: str) -> str:
    if file.url:
        return file.url
    if file.origin != ORIGIN or not file.file_id:
        raise CannotTranslate(
            f"The file '{file.file_id}' lies at another provider; send its data or its address.", param=param
        )
    return file.file_id


def _lies_at_google(uri: str) -> bool:
    place = urlsplit(uri)
    return place.scheme == "gs" or (place.hostname or "") == "generativelanguage.googleapis.com"


def _guess(place: str) -> str | None:
    path = urlsplit(place).path
    return _BY_ENDING.get(path.rpartition(".")[2].lower()) if "." in path else None


def _decoded(data: str, blob: Members) -> str:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        path = blob.path_of("data")
        raise BadRequest(f"'{path}' must be base64 of UTF-8 text.", param=path) from None


def _without_none(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
