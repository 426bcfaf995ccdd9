"""Bodies of requests, as clients send them: one object of JSON, or a form with files. Pure.

Source: RFC 7578 (forms), RFC 2046, 5.1.1 (their parts).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson

_MOST_PARTS = 200
_LINE = b"\r\n"
_NAME = re.compile(rb'content-disposition:[^\r\n]*;\s*name="([^"\r\n]*)"', re.IGNORECASE)
_FILE_NAME = re.compile(rb'content-disposition:[^\r\n]*;\s*filename="([^"\r\n]*)"', re.IGNORECASE)
_MEDIA_TYPE = re.compile(rb"content-type:\s*([^\r\n]+)", re.IGNORECASE)


class BodyKind(StrEnum):
    """By their content types."""

    JSON = "application/json"
    FORM = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a form."""

    name: str
    media_type: str
    data: bytes = field(repr=False)


def parse_form(data: bytes) -> Mapping[str, Any]:
    """Texts and uploads by their names; a list of those that have one name. Raises ValueError.

    The first line is the boundary, so that its header is not needed.
    """
    boundary = data.partition(_LINE)[0]
    before, *parts = (_LINE + data).split(_LINE + boundary)
    if not boundary.startswith(b"--") or before or not parts or not parts[-1].startswith(b"--"):
        raise ValueError("it does not begin and end with its boundary")
    if len(parts) > _MOST_PARTS:
        raise ValueError(f"it has more than {_MOST_PARTS} parts")
    form: dict[str, list[str | Upload]] = {}
    for part in parts[:-1]:
        name, value = _parse_part(part)
        form.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in form.items()}


def _parse_part(part: bytes) -> tuple[str, str | Upload]:
    head, _, content = part.partition(_LINE + _LINE)
    name, file_name, media_type = (pattern.search(head) for pattern in (_NAME, _FILE_NAME, _MEDIA_TYPE))
    if name is None:
        raise ValueError("a part of it has no name")
    if file_name is None:
        return name[1].decode(), content.decode()
    kind = media_type[1].decode("latin-1") if media_type else "application/octet-stream"
    return name[1].decode(), Upload(file_name[1].decode(), kind, content)


PARSERS: Mapping[BodyKind, Callable[[bytes], Any]] = {BodyKind.JSON: orjson.loads, BodyKind.FORM: parse_form}
"""All raise ValueError."""
