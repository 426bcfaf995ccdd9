"""Writes parts of a message as chat has them."""

from collections.abc import Iterable, Set
from typing import Any

from providers.formats.base import CannotTranslate
from providers.formats.data_url import data_url
from providers.formats.field_names import client_field
from providers.formats.notes import Notes
from providers.formats.openai.cache_marks import write_cache_mark
from providers.formats.openai.content_reader import ORIGIN
from providers.formats.wording import in_wording
from providers.wire.conversation import Audio, File, Image, Native, Refusal, Text

# One company's two formats name the same stored files.
FILE_ORIGINS = frozenset({"openai", "responses"})
_PDF = "application/pdf"

Said = Text | Refusal | Image | Audio | File | Native


class ContentWriter:
    def __init__(self, quirks: Set[str], notes: Notes) -> None:
        self.source = notes.source
        self.quirks = quirks
        self.notes = notes

    def write(self, parts: Iterable[Said]) -> str | list[dict[str, Any]]:
        """A plain string where it says all, since every provider takes one."""
        written = [in_wording(part, ORIGIN, self._write_part) for part in parts]
        if len(written) == 1 and written[0].keys() == {"type", "text"}:
            return str(written[0]["text"])
        return written

    def _write_part(self, part: Text | Refusal | Image | Audio | File) -> dict[str, Any]:
        match part:
            case Text():
                return {"type": "text", "text": part.text} | write_cache_mark(part.cache, self.quirks)
            case Refusal():
                return {"type": "refusal", "refusal": part.text}
            case Image():
                return self._write_image(part)
            case Audio():
                return {"type": "input_audio", "input_audio": {"data": part.data, "format": part.format}}
            case File():
                return self._write_file(part)

    def _write_image(self, image: Image) -> dict[str, Any]:
        url = image.url or data_url(image.media_type or "image/png", image.data or "")
        detail = {"detail": image.detail} if image.detail else {}
        mark = write_cache_mark(image.cache, self.quirks)
        return {"type": "image_url", "image_url": {"url": url} | detail} | mark

    def _write_file(self, file: File) -> dict[str, Any]:
        mark = write_cache_mark(file.cache, self.quirks)
        if file.text is not None:
            self.notes.note("file", "text")
            text = f"{file.name}\n\n{file.text}" if file.name else file.text
            return {"type": "text", "text": text} | mark
        return {"type": "file", "file": self._write_source(file)} | mark

    def _write_source(self, file: File) -> dict[str, Any]:
        if file.data is not None:
            url = data_url(file.media_type or _PDF, file.data)
            return {"filename": file.name or "document", "file_data": url}
        if file.file_id is not None and file.origin in FILE_ORIGINS:
            return {"file_id": file.file_id} | ({"filename": file.name} if file.name else {})
        message = "The chosen provider takes files as data only."
        raise CannotTranslate(message, param=client_field(self.source, "file"))
