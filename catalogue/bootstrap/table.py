"""One table of a TOML file: what is taken from it is checked, and what nobody takes is refused."""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from catalogue.bootstrap.entries import BootstrapError
from gateway.core.lines import is_one_line

T = TypeVar("T", str, int, bool)


class Table:
    """`place` says where it stands, for messages. Every method that takes raises BootstrapError."""

    def __init__(self, place: str, values: Mapping[str, Any]) -> None:
        self.place = place
        self._left = dict(values)

    def take(self, name: str, kind: type[T]) -> T:
        if name not in self._left:
            raise BootstrapError(f"{self.place}: {name} is missing.")
        value = self._left.pop(name)
        if type(value) is not kind:
            raise BootstrapError(f"{self.place}: {name} is not of type {kind.__name__}.")
        if isinstance(value, str) and not is_one_line(value):
            raise BootstrapError(f"{self.place}: {name} is more than one line of plain text.")
        return value

    def prose(self, name: str) -> str:
        """A text of any number of lines, without the space around it."""
        text = self._left.pop(name, None)
        if not isinstance(text, str):
            raise BootstrapError(f"{self.place}: {name} is missing, or no text.")
        return text.strip()

    def take_or(self, name: str, default: T) -> T:
        return self.take(name, type(default)) if name in self._left else default

    def count(self, name: str) -> int | None:
        """None: it is not there. Raises BootstrapError unless it is positive."""
        if name not in self._left:
            return None
        value = self.take(name, int)
        if value < 1:
            raise BootstrapError(f"{self.place}: {name} is not positive.")
        return value

    def flag(self, name: str) -> bool | None:
        """None: it is not there."""
        return self.take(name, bool) if name in self._left else None

    def words(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        value = self._left.pop(name, list(default))
        if not isinstance(value, list) or not all(isinstance(word, str) and word for word in value):
            raise BootstrapError(f"{self.place}: {name} is not a list of words.")
        if len(set(value)) != len(value):
            raise BootstrapError(f"{self.place}: {name} holds a word twice.")
        return tuple(value)

    def day(self, name: str) -> datetime | None:
        """Its first moment in UTC. None: it is not there."""
        value = self._left.pop(name, None)
        if value is None:
            return None
        if type(value) is not date:
            raise BootstrapError(f"{self.place}: {name} is not a day, such as 2026-11-22.")
        return datetime(value.year, value.month, value.day, tzinfo=UTC)

    def table(self, name: str) -> "Table":
        """Empty if it is not there."""
        value = self._left.pop(name, {})
        if not isinstance(value, dict):
            raise BootstrapError(f"{self.place}: {name} is not a table.")
        return Table(f"{self.place}: {name}", value)

    def word_lists(self) -> dict[str, tuple[str, ...]]:
        """Everything that is left, as lists of words."""
        return {name: self.words(name) for name in list(self._left)}

    def amounts(self) -> dict[str, Decimal]:
        """Everything that is left, as exact numbers that are not negative."""
        amounts = {}
        for name, value in self._left.items():
            if type(value) not in {int, Decimal} or value < 0:
                raise BootstrapError(f"{self.place}: {name} is not a price.")
            amounts[name] = Decimal(value)
        self._left.clear()
        return amounts

    def tables(self, name: str) -> Iterator["Table"]:
        value = self._left.pop(name, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise BootstrapError(f"{self.place}: {name} is not a list of tables.")
        for number, item in enumerate(value, start=1):
            yield Table(f"{self.place}: {name} {number}", item)

    def named_tables(self) -> Iterator[tuple[str, "Table"]]:
        """Every value under its name; all of them have to be tables."""
        for name, value in self._left.items():
            if not isinstance(value, dict):
                raise BootstrapError(f"{self.place}: {name} is not a table.")
            yield name, Table(f"{self.place}: {name}", value)

    def close(self) -> None:
        """Raises BootstrapError if something was left: a misspelt field is not a silent default."""
        if self._left:
            raise BootstrapError(f"{self.place}: unknown: {', '.join(sorted(self._left))}.")


def read_table(folder: Path, path: Path) -> Table:
    """The whole file, with exact decimals. Raises BootstrapError."""
    place = path.relative_to(folder).as_posix()
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BootstrapError(f"{place}: {error}") from error
    return Table(place, values)
