"""What importing a row would do, and everything that is said of it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Change:
    """A column's value as a sheet would write it."""

    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row cannot be imported. The column is empty where it is about the row as a whole."""

    column: str
    reason: str

    def __str__(self) -> str:
        return f"{self.column}: {self.reason}" if self.column else self.reason


@dataclass(slots=True)
class JudgedRow:
    """`row` is what would be saved, with the values of the sheet; `names` are its fields that differ."""

    number: int
    name: str
    kind: Kind
    row: Any = None
    names: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
