"""What a mail says, whatever it is about. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.core.lines import as_one_line

SUBJECT_LENGTH = 200
_FACT = re.compile(r"(?P<name>[A-Z][^:\n]{0,39}): (?P<value>.*)")


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what they are."""

    lines: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Table:
    """The first column names the row; the others are numbers, or words as short as those."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Listing:
    title: str
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Heading:
    """Above what follows."""

    text: str


Part = str | Facts | Table | Listing | Heading
"""A text is a paragraph; it may have several lines."""


@dataclass(frozen=True, slots=True)
class Button:
    label: str
    address: str


@dataclass(frozen=True, slots=True)
class Message:
    """`subject` is also the first line: what happened, and to what.

    `kind` names the list that it belongs to. `why` says why somebody gets it, `stop` how that ends, or that it cannot.
    `stop_address`: where one click, or one POST, ends it; empty where it is a duty. `id` is the same however often it
    is sent; empty: a new one.
    """

    kind: str
    subject: str
    parts: Sequence[Part]
    why: str
    stop: str
    button: Button | None = None
    stop_address: str = ""
    id: str = ""

    @property
    def first_line(self) -> str:
        line = as_one_line(self.subject)
        return line if len(line) <= SUBJECT_LENGTH else f"{line[: SUBJECT_LENGTH - 1]}…"


def read_parts(text: str) -> list[Part]:
    """Of a plain text: blocks between empty lines. One that begins with a name is facts, whose values may go on."""
    return [_block(block) for block in re.split(r"\n{2,}", text.strip("\n")) if block.strip()]


def _block(block: str) -> Part:
    lines: list[tuple[str, str]] = []
    for line in block.split("\n"):
        found = _FACT.fullmatch(line)
        if found is None and not lines:
            return block
        if found:
            lines.append((found["name"], found["value"]))
        else:
            name, value = lines[-1]
            lines[-1] = (name, f"{value}\n{line}")
    return Facts(lines)


def keep_parts(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """As JSON."""
    return [{"part": _NAMES[type(part)], **_members(part)} for part in parts]


def kept_parts(kept: Sequence[Mapping[str, Any]]) -> Iterator[Part]:
    """The same back. Raises KeyError or TypeError for what is none."""
    for each in kept:
        members = {name: value for name, value in each.items() if name != "part"}
        yield members["text"] if each["part"] == "text" else _TYPES[each["part"]](**members)


def _members(part: Part) -> dict[str, Any]:
    if isinstance(part, str):
        return {"text": part}
    return {name: getattr(part, name) for name in part.__slots__}


_TYPES: Mapping[str, Any] = {"facts": Facts, "table": Table, "listing": Listing, "heading": Heading}
_NAMES: Mapping[type, str] = {str: "text"} | {made: name for name, made in _TYPES.items()}
