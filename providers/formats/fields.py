"""Reads the fields of a client's JSON object one by one, naming the one that is wrong."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeVar

from providers.formats.base import BadRequest

T = TypeVar("T")


class Fields:
    """One object of a request. `path` is where it stands as the client spells it, empty for the whole body.

    An explicit null is an absent value. Whatever was asked for counts as known; `rest` is what nobody asked for.
    `own` is filled with what only the client's own format may know, by path; an object and its parts share it.
    """

    __slots__ = ("_known", "own", "path", "value")

    def __init__(self, value: object, path: str = "", own: dict[str, Any] | None = None) -> None:
        # Nearly all are plain dictionaries, and to ask for those is much the quicker question.
        if type(value) is not dict and not isinstance(value, Mapping):
            raise BadRequest(f"'{path}' has to be an object.", param=path)
        self.value: Mapping[str, Any] = value
        self._known: set[str] = set()
        self.path = path
        self.own = {} if own is None else own

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def any(self, name: str) -> Any:
        value = self.value.get(name)
        if value is not None:
            self._known.add(name)
        return value

    def skip(self, *names: str) -> None:
        self._known.update(names)

    def text(self, name: str) -> str | None:
        # The commonest by far, and so without the way by `_typed`.
        value = self.value.get(name)
        if value is None:
            return None
        self._known.add(name)
        if isinstance(value, str):
            return value
        raise self.wrong(name, "has to be a string")

    def number(self, name: str) -> float | None:
        value = self.value.get(name)
        if value is None:
            return None
        self._known.add(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        raise self.wrong(name, "has to be a number")

    def integer(self, name: str) -> int | None:
        value = self.number(name)
        if value is None or isinstance(value, int):
            return value
        raise self.wrong(name, "has to be a whole number")

    def flag(self, name: str) -> bool | None:
        return self._typed(name, bool, "true or false")

    def mapping(self, name: str) -> Mapping[str, Any] | None:
        return self._typed(name, dict, "an object")

    def needed(self, name: str) -> str:
        value = self.value.get(name)
        if value is None:
            raise self.wrong(name, "is missing")
        if isinstance(value, str):
            self._known.add(name)
            return value
        raise self.wrong(name, "has to be a string")

    def part(self, name: str) -> "Fields | None":
        value = self.value.get(name)
        if value is None:
            return None
        self._known.add(name)
        return Fields(value, self.at(name), self.own)

    def entries(self, name: str) -> list[Any]:
        """Empty where it is absent."""
        return self._typed(name, list, "a list") or []

    def items(self, name: str) -> Iterator[tuple[Any, str]]:
        """Every item of a list, with its path."""
        values, path = self.entries(name), self.at(name)
        return ((value, f"{path}[{i}]") for i, value in enumerate(values))

    def parts(self, name: str) -> "Iterator[Fields]":
        return (Fields(value, path, self.own) for value, path in self.items(name))

    def things(self, name: str) -> "Iterator[Fields]":
        """Objects of a list that stand for something of their own."""
        values, path = self.entries(name), self.at(name)
        return (Fields(value, f"{path}[{i}]") for i, value in enumerate(values))

    def rest(self) -> dict[str, Any]:
        return {
            name: value for name, value in self.value.items() if name not in self._known and value is not None
        }

    def end(self, noted: Collection[str] = ()) -> None:
        """What nobody asked for is the format's own, but for members that are `noted` to say nothing new."""
        if not self.value.keys() <= self._known:
            self._known.update(noted)
            for name in self.rest():
                self.set_aside(name)

    def set_aside(self, name: str) -> None:
        """That one is the format's own."""
        self.own[self.at(name)] = self.any(name)

    def wrong(self, name: str, what: str) -> BadRequest:
        return BadRequest(f"'{self.at(name)}' {what}.", param=self.at(name))

    def _typed(self, name: str, kind: type[T], what: str) -> T | None:
        value = self.value.get(name)
        if value is None:
            return None
        self._known.add(name)
        if isinstance(value, kind):
            return value
        raise self.wrong(name, f"has to be {what}")
