"""Reads JSON that a provider sent, mending broken text inside it."""

import re
from typing import Any

import orjson

_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)",
    re.DOTALL,
)


def read_json(data: bytes) -> tuple[Any, bytes]:
    """The value, and the JSON to pass on: `data` itself unless its text had to be mended.

    Bytes that are not UTF-8 and halves of surrogate pairs become replacement characters. Raises ValueError.
    """
    try:
        return orjson.loads(data), data
    except orjson.JSONDecodeError:
        mended = _ESCAPE.sub(_mend, data.decode("utf-8-sig", "replace")).encode()
        return orjson.loads(mended), mended


def _mend(match: re.Match[str]) -> str:
    escape = match.group()
    is_lone_surrogate = (
        len(escape) == 6 and escape[1] == "u" and escape[2] in "dD" and escape[3] not in "01234567"
    )
    return r"\ufffd" if is_lone_surrogate else escape
