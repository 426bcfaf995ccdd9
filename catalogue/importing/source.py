"""One record of a file: what is taken from it is checked, and what nobody takes is reported."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from catalogue.importing.findings import Findings, Kind
from catalogue.instants import parse_instant

T = TypeVar("T", str, int, bool)
_LARGEST_COUNT = 2**31 - 1


class Row:
    """Takes members by type. One of a wrong type is an error, and counts as missing from then on."""

    def __init__(
        self, file: str, line: int, members: Mapping[str, Any], findings: Findings, prefix: str = ""
    ) -> None:
        self.file = file
        self.line = line
        self._left = dict(members)
        self._findings = findings
        self._prefix = prefix

    @property
    def place(self) -> tuple[str, int]:
        return self.file, self.line

    def error(self, field: str, reason: str) -> None:
        self.note(Kind.ERROR, field, reason)

    def note(self, kind: Kind, field: str, reason: str) -> None:
        self._findings.add(kind, self.file, self.line, self._prefix + field, reason)

    def text(self, name: str) -> str:
        """Empty: it is not there."""
        return self._take(name, str) or ""

    def required(self, name: str) -> str:
        value = self._take(name, str)
        if value == "":
            self.error(name, "is empty.")
        elif value is None and not self._was_wrong(name):
            self.error(name, "is missing.")
        return value or ""

    def flag(self, name: str) -> bool | None:
        return self._take(name, bool)

    def supports(self, name: str) -> bool:
        """A flag, or an object with more about it, of which only `supported` is kept."""
        value = self._left.get(name)
        if not isinstance(value, dict):
            return bool(self.flag(name))
        self._left.pop(name)
        self.note(Kind.NOT_KEPT, name, f"{_short(value)} has no place in the catalogue.")
        return value.get("supported", True) is True

    def count(self, name: str) -> int | None:
        """A positive number that a column can hold."""
        value = self._take(name, int)
        if value is not None and not 0 < value <= _LARGEST_COUNT:
            self.error(name, f"{value} is not a number from 1 to {_LARGEST_COUNT}.")
            return None
        return value

    def number(self, name: str, default: int) -> int:
        """Any whole number."""
        value = self._take(name, int)
        return default if value is None else value

    def everything(self) -> Mapping[str, Any]:
        """Whatever is left, as it is. Exact decimals become texts."""
        left, self._left = self._left, {}
        return {name: str(value) if isinstance(value, Decimal) else value for name, value in left.items()}

    def words(self, name: str) -> tuple[str, ...]:
        """In their order, each once. A single word counts as a list of one."""
        value = self._left.pop(name, None)
        if value is None:
            return ()
        words = [value] if isinstance(value, str) else value
        if not isinstance(words, list | dict) or not all(isinstance(word, str) and word for word in words):
            self.error(name, "is not a list of words.")
            return ()
        return tuple(dict.fromkeys(words))

    def moment(self, name: str) -> datetime | None:
        """By the rule of catalogue.instants."""
        value = self._take(name, str)
        if value is None:
            return None
        try:
            return parse_instant(value)
        except (ValueError, OverflowError):
            self.error(name, f"{value!r} is not a date such as 2026-03-01 or 2026-03-01T14:30:00Z.")
            return None

    def amount(self, name: str) -> Decimal | None:
        """An exact decimal, as a string or a number; not negative."""
        value = self._left.pop(name, None)
        if not isinstance(value, str | int | Decimal) or isinstance(value, bool):
            self.error(name, "is missing." if value is None else "is not a decimal number.")
            return None
        try:
            amount = Decimal(value)
        except ArithmeticError:
            amount = Decimal("NaN")
        if not amount.is_finite() or amount < 0:
            self.error(name, f"{value} is not a decimal number of 0 or more.")
            return None
        return amount

    def table(self, name: str) -> Mapping[str, Any]:
        value = self._left.pop(name, {})
        if isinstance(value, dict):
            return value
        self.error(name, "is not an object.")
        return {}

    def rows(self, name: str) -> list["Row"]:
        value = self._left.pop(name, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.error(name, "is not a list of objects.")
            return []
        return [
            Row(self.file, self.line, item, self._findings, f"{self._prefix}{name}.{number}.")
            for number, item in enumerate(value)
        ]

    def skip(self, *names: str) -> None:
        """Members that say what another one says already."""
        for name in names:
            self._left.pop(name, None)

    def close(self) -> None:
        """Report whatever nobody took."""
        for name, value in self._left.items():
            self.note(Kind.NOT_KEPT, name, f"{_short(value)} has no place in the catalogue.")

    def _take(self, name: str, kind: type[T]) -> T | None:
        value = self._left.pop(name, None)
        if value is None or type(value) is kind:
            return value
        self.error(name, f"{_short(value)} is not of type {kind.__name__}.")
        self._left[f"\x00{name}"] = None
        return None

    def _was_wrong(self, name: str) -> bool:
        return self._left.pop(f"\x00{name}", self) is None


def read_rows(path: Path, findings: Findings) -> Iterator[Row]:
    """One record a line, in an array. A line that cannot be read is an error and is passed over."""
    try:
        # Other line ends may stand inside texts.
        lines = path.read_text(encoding="utf-8-sig").strip().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        findings.add(Kind.ERROR, path.name, 0, "", f"cannot be read: {error}.")
        return
    if not lines or lines[0].strip() != "[" or lines[-1].strip() != "]":
        findings.add(Kind.ERROR, path.name, 0, "", "is not an array with one record a line.")
        return
    for number, line in enumerate(lines[1:-1], start=2):
        members = _parse(line.strip().removesuffix(","), path.name, number, findings)
        if members is not None:
            yield Row(path.name, number, members, findings)


def _parse(line: str, file: str, number: int, findings: Findings) -> dict[str, Any] | None:
    if not line:
        return None
    try:
        value = json.loads(line, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_members)
    except (ValueError, RecursionError) as error:
        findings.add(Kind.ERROR, file, number, "", f"cannot be read: {error}.")
        return None
    if not isinstance(value, dict):
        findings.add(Kind.ERROR, file, number, "", "is not an object.")
        return None
    unfit = [name for name, item in value.items() if not _is_storable(name) or not _is_storable(item)]
    for name in unfit:
        findings.add(Kind.ERROR, file, number, _visible(name), "holds a character that no text may hold.")
    return None if unfit else value


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not a number")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member appears twice")
    return members


def _is_storable(value: Any) -> bool:
    """Neither NUL nor half a character, at any depth."""
    if isinstance(value, dict):
        return all(_is_storable(name) and _is_storable(item) for name, item in value.items())
    if isinstance(value, list):
        return all(map(_is_storable, value))
    return not isinstance(value, str) or ("\x00" not in value and _visible(value) == value)


def _visible(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\x00", "?")


def _short(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."
