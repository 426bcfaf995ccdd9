"""Writes citations as OpenAI's annotations."""

from collections.abc import Mapping
from typing import Any

from providers.wire.events import CitationAdded

# What OpenAI's formats have beside pages: these name its own files.
_FILE_KINDS = frozenset({"file_citation", "container_file_citation", "file_path"})


def page_of(citation: CitationAdded, start: int, end: int) -> dict[str, Any] | None:
    """`start` and `end` count characters of the text. None for what is no page."""
    if citation.url is None:
        return None
    place = _place(citation.native)
    return {
        "start_index": place.get("start_index", start),
        "end_index": place.get("end_index", end),
        "title": citation.title or citation.url,
        "url": citation.url,
    }


def file_of(citation: CitationAdded) -> dict[str, Any] | None:
    """An annotation of a file as OpenAI wrote it. None for what is none."""
    native = citation.native
    return dict(native) if isinstance(native, Mapping) and native.get("type") in _FILE_KINDS else None


def _place(native: object) -> Mapping[str, Any]:
    if not isinstance(native, Mapping) or native.get("type") != "url_citation":
        return {}
    inner = native.get("url_citation", native)
    return inner if isinstance(inner, Mapping) else {}
