"""Facts that one version of this program writes and another may read: the lane's messages, the spool's lines.

A fact more or fewer is no new version. What a reader does not know it drops, and what it misses has a default: so
every fact that is added needs one. `VERSION` goes up only where an old fact comes to mean something else; readers
of a lower one then refuse the whole record.

Dataclasses that are written here have no `__slots__`: orjson takes four times as long to write those.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")

VERSION = 1
_STAMP = b'{"v":%d,' % VERSION


class Unreadable(ValueError):
    """These are no facts of the kind that was expected."""


class Newer(Unreadable):
    """A later version's, with another meaning: for a process of that version to read."""


def encode(facts: object) -> bytes:
    """One line of JSON of a dataclass or a mapping, which must not be empty; no line break."""
    return encode_line(facts)[:-1]


def encode_line(facts: object) -> bytes:
    """The same, with its line break."""
    try:
        return _STAMP + orjson.dumps(facts, _plain, orjson.OPT_APPEND_NEWLINE)[1:]
    except orjson.JSONEncodeError:
        # Slower, but takes what clients and providers may send and orjson refuses: lone surrogates, endless integers.
        return b"%b%b\n" % (_STAMP, json.dumps(facts, default=_plain).encode()[1:])


def parse(line: bytes) -> Mapping[str, Any]:
    """The facts of one line, whatever their kind. Raises Unreadable."""
    try:
        parsed = _loads(line)
    except ValueError as error:
        raise Unreadable(f"This is not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise Unreadable("This is not a record.")
    # What was written before there were versions is of the first.
    version = parsed.get("v", 1)
    if not isinstance(version, int) or version > VERSION:
        raise Newer(f"This is of version {version!r}; {VERSION} is the latest that can be read here.")
    return parsed


def read(kind: type[Record], facts: Mapping[str, Any]) -> Record:
    """The dataclass `kind` of those facts that it knows. Raises Unreadable where one without a default is missing."""
    try:
        return kind(**{name: facts[name] for name in kind.__dataclass_fields__ if name in facts})
    except TypeError as error:
        raise Unreadable(f"Not enough is said for a {kind.__name__}: {error}") from error


def decode(kind: type[Record], line: bytes) -> Record:
    """Raises Unreadable."""
    return read(kind, parse(line))


def _loads(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return json.loads(line)


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return dict(value) if isinstance(value, Mapping) else str(value)
