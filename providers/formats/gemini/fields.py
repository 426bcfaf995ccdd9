"""Reads JSON objects whose members may be spelt in camelCase or in snake_case, and names what is wrong in them."""

import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from providers.formats.base import BadRequest

_SNAKE = re.compile(r"_([a-z0-9])")


def camel(name: str) -> str:
    return _SNAKE.sub(lambda match: match[1].upper(), name)


class Fields:
    """One object. Members are asked for in camelCase; null is absent. `path` is as the client spells it.

    Every method raises BadRequest for a value of the wrong type.
    """

    __slots__ = ("_spelt", "_value", "path")

    def __init__(self, value: Any, path: str) -> None:
        # Nearly all are plain dictionaries, and to ask for those is much the quicker question.
        if not isinstance(value, (dict, Mapping)):
            raise wrong(path or "body", "an object")
        self.path = path
        self._value = value
        self._spelt = {
            camel(name) if "_" in name else name: name for name, member in value.items() if member is not None
        }

    def __contains__(self, name: str) -> bool:
        return name in self._spelt

    def present(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name in self._spelt]

    def path_of(self, name: str) -> str:
        spelt = self._spelt.get(name, name)
        return f"{self.path}.{spelt}" if self.path else spelt

    def raw(self, name: str) -> Any:
        return self._value[self._spelt[name]] if name in self._spelt else None

    def text(self, name: str) -> str | None:
        value = self.raw(name)
        if value is None or isinstance(value, str):
            return value
        raise wrong(self.path_of(name), "a string")

    def number(self, name: str) -> float | None:
        value = self.raw(name)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        raise wrong(self.path_of(name), "a number")

    def integer(self, name: str) -> int | None:
        """Also from a whole float or a string of digits, as protocol buffers read them."""
        value = self.raw(name)
        if isinstance(value, str) and value.removeprefix("-").isdecimal():
            return int(value)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        raise wrong(self.path_of(name), "an integer")

    def flag(self, name: str) -> bool | None:
        value = self.raw(name)
        if value is None or isinstance(value, bool):
            return value
        raise wrong(self.path_of(name), "true or false")

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.raw(name)
        values = [value] if isinstance(value, str) else value or []
        if isinstance(values, list) and all(isinstance(text, str) for text in values):
            return tuple(values)
        raise wrong(self.path_of(name), "an array of strings")

    def object(self, name: str) -> "Fields | None":
        return Fields(self.raw(name), self.path_of(name)) if name in self else None

    def objects(self, name: str) -> list["Fields"]:
        """A single object stands for an array of one, as it does at Google."""
        value, path = self.raw(name), self.path_of(name)
        if value is None:
            return []
        if isinstance(value, dict):
            return [Fields(value, path)]
        if not isinstance(value, list):
            raise wrong(path, "an array")
        return [Fields(item, f"{path}[{index}]") for index, item in enumerate(value)]

    def others(self, known: AbstractSet[str]) -> dict[str, Any]:
        """The members that are not known, by path."""
        unknown = self._spelt.keys() - known
        return {self.path_of(name): self.raw(name) for name in unknown} if unknown else {}


def wrong(path: str, expected: str) -> BadRequest:
    return BadRequest(f"'{path}' must be {expected}.", param=path, code="invalid_type")
