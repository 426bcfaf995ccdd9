"""Reads JSON that a provider or a model wrote: repairs broken text inside it, and bounds how deep it is."""

import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import orjson

from providers.wire.bounds import MOST_LEVELS

_CONTAINERS = frozenset({dict, list})

_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)",
    re.DOTALL,
)


def read_json(data: bytes) -> tuple[Any, bytes]:
    """The value, and the JSON to pass on: `data` itself unless its text had to be repaired.

    Bytes that are not UTF-8 and halves of surrogate pairs become replacement characters. Raises ValueError, also for
    what is nested too deeply to be written again.
    """
    value, data = load_json(data)
    if is_too_deep(value, data):
        raise ValueError(f"nested deeper than {MOST_LEVELS} levels")
    return value, data


def load_json(data: bytes) -> tuple[Any, bytes]:
    """The same, however deep it is: for what is not written again."""
    try:
        return orjson.loads(data), data
    except orjson.JSONDecodeError:
        data = _ESCAPE.sub(_repair, data.decode("utf-8-sig", "replace")).encode()
        return orjson.loads(data), data


def read_object(text: str) -> dict[str, Any] | None:
    """The object that a model wrote as text, such as a call's arguments. None for what is none, or is too deep."""
    data = text.encode() or b"{}"
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) and not is_too_deep(value, data) else None


def is_too_deep(value: Any, data: bytes) -> bool:
    """`data` is what the value was read from: if it is short, or has few brackets, the value cannot be deep."""
    if len(data) <= 2 * MOST_LEVELS or brackets_in(data) <= MOST_LEVELS:
        return False
    return next(islice(levels_of(value), MOST_LEVELS, None), None) is not None


def brackets_in(data: bytes) -> int:
    """How many open. `count` would say the same, but looks at each byte, and this only for the next one."""
    return 2 * len(data) - len(data.replace(b"{", b"")) - len(data.replace(b"[", b""))


def levels_of(value: Any) -> Iterator[list[Any]]:
    """The objects and lists of each level of nesting, from the outermost inwards."""
    level = [value] if type(value) in _CONTAINERS else []
    while level:
        yield level
        inner = chain.from_iterable(each.values() if type(each) is dict else each for each in level)
        level = [each for each in inner if type(each) in _CONTAINERS]


def _repair(match: re.Match[str]) -> str:
    escape = match.group()
    is_lone_surrogate = (
        len(escape) == 6 and escape[1] == "u" and escape[2] in "dD" and escape[3] not in "01234567"
    )
    return r"\ufffd" if is_lone_surrogate else escape
