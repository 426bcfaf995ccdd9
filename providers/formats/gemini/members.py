"""Reads JSON objects whose members may be written in camelCase or in snake_case, and names what is wrong in them."""

import math
import re
from collections.abc import Mapping, Set
from types import MappingProxyType
from typing import Any

from providers.formats.base import BadRequest

_NO_NAMES: Mapping[str, str] = MappingProxyType({})
_DIGITS_MOST = 20
_SNAKE = re.compile(r"_([a-z0-9])")


def camel(name: str) -> str:
    return _SNAKE.sub(lambda match: match[1].upper(), name)


class Members:
    """One object. Members are asked for in camelCase; null is absent. `path` is as the client spells it.

    Every method raises BadRequest for a value of the wrong type.
    """

    __slots__ = ("_given", "_sent_names", "path", "value")

    def __init__(self, value: Any, path: str) -> None:
        # Nearly all are plain dictionaries, and to ask for those is much the quicker question.
        if type(value) is not dict and not isinstance(value, Mapping):
            raise wrong(path or "body", "an object")
        self.path = path
        self.value = value
        self._given: Mapping[str, Any] = value
        """What is no null, by its name in camelCase."""
        self._sent_names: Mapping[str, str] = _NO_NAMES
        """As the client spells them, where any is spelled otherwise or null."""
        if "_" in "".join(value) or None in value.values():
            self._sent_names = {
                camel(name) if "_" in name else name: name
                for name, member in value.items()
                if member is not None
            }
            self._given = {name: value[sent] for name, sent in self._sent_names.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def present(self, names: Set[str]) -> list[str]:
        return [name for name in self._given if name in names]

    def path_of(self, name: str) -> str:
        sent = self._sent_names.get(name, name)
        return f"{self.path}.{sent}" if self.path else sent

    def raw(self, name: str) -> Any:
        return self._given.get(name)

    def text(self, name: str) -> str | None:
        value = self._given.get(name)
        if value is None or isinstance(value, str):
            return value
        raise wrong(self.path_of(name), "a string")

    def number(self, name: str, least: float = -math.inf, most: float = math.inf) -> float | None:
        value = self.raw(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong(self.path_of(name), "a number")
        if not least <= value <= most:
            raise _out_of_range(self.path_of(name), f"from {least:g} to {most:g}")
        return value

    def integer(self, name: str, least: int = -(2**63), most: int = 2**63 - 1) -> int | None:
        """Also from a whole float or a string of digits, as protocol buffers read them."""
        value = self.raw(name)
        if value is None:
            return None
        whole = _whole(value)
        if whole is None:
            raise wrong(self.path_of(name), "an integer")
        if not least <= whole <= most:
            raise _out_of_range(self.path_of(name), f"from {least} to {most}")
        return whole

    def flag(self, name: str) -> bool | None:
        value = self.raw(name)
        if value is None or isinstance(value, bool):
            return value
        raise wrong(self.path_of(name), "true or false")

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.raw(name)
        values = [value] if isinstance(value, str) else [] if value is None else value
        if isinstance(values, list) and all(isinstance(text, str) for text in values):
            return tuple(values)
        raise wrong(self.path_of(name), "an array of strings")

    def object(self, name: str) -> "Members | None":
        return Members(self.raw(name), self.path_of(name)) if name in self else None

    def entries(self, name: str) -> list[Any]:
        """A single object stands for an array of one, as it does at Google."""
        value = self.raw(name)
        if value is None:
            return []
        if isinstance(value, dict):
            return [value]
        if not isinstance(value, list):
            raise wrong(self.path_of(name), "an array")
        return value

    def entry(self, name: str, index: int) -> "Members":
        """That object of them."""
        value = self.raw(name)
        path = self.path_of(name)
        return Members(value, path) if isinstance(value, dict) else Members(value[index], f"{path}[{index}]")

    def objects(self, name: str) -> list["Members"]:
        return [self.entry(name, index) for index in range(len(self.entries(name)))]

    def others(self, known: frozenset[str] | set[str]) -> dict[str, Any]:
        """The members that are not known, by path, in the order in which they came."""
        if known.issuperset(self._given):
            return {}
        return {self.path_of(name): value for name, value in self._given.items() if name not in known}


def _whole(value: Any) -> int | None:
    """None for what is not a whole number. Longer strings of digits are no number that anybody means."""
    if isinstance(value, str):
        return int(value) if len(value) <= _DIGITS_MOST and value.removeprefix("-").isdecimal() else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _out_of_range(path: str, allowed: str) -> BadRequest:
    return BadRequest(f"'{path}' must be {allowed}.", param=path)


def wrong(path: str, expected: str) -> BadRequest:
    return BadRequest(f"'{path}' must be {expected}.", param=path, code="invalid_type")


def required(members: Members, name: str) -> BadRequest:
    path = members.path_of(name)
    return BadRequest(f"'{path}' is required.", param=path)
