"""Data URLs: base64 with its media type in one string. Source: RFC 2397."""

import re

_DATA_URL = re.compile(r"data:([^;,]*)(?:;[^;,]+)*?;base64,(.*)", re.DOTALL | re.IGNORECASE)


def split_data_url(url: str) -> tuple[str | None, str] | None:
    """Media type and base64. None for what is no data URL in base64."""
    match = _DATA_URL.fullmatch(url)
    return (match[1] or None, match[2]) if match else None


def data_url(media_type: str, data: str) -> str:
    return f"data:{media_type};base64,{data}"
