"""Refuses by name what is too long or too deep, on every surface alike. The bounds are providers.wire.bounds."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gateway.proxy.errors import InvalidRequest
from gateway.proxy.surfaces.fields import Check, refuse, too_many
from providers.wire.bounds import LONGEST_NAME, MOST_ITEMS, MOST_LEVELS, MOST_MEMBERS, MOST_OBJECTS
from providers.wire.json_text import brackets_in, levels_of

# Fewer bytes with few brackets cannot pass any of these bounds: most requests need no further look.
_SMALL_BYTES = 2 * MOST_MEMBERS
_SHOWN_STEPS = 4


def at_most(most: int) -> Check:
    """Of a list or an object. What else it is, its format judges."""

    def check(value: Any, param: str) -> None:
        if isinstance(value, list | dict) and len(value) > most:
            raise too_many(param, value, most)

    return check


def within(fields: Mapping[str, Check]) -> Check:
    """The members of an object, where it is one. What else it is, its format judges."""

    def check(value: Any, param: str) -> None:
        for name, entry in value.items() if isinstance(value, dict) else ():
            if entry is not None and (inner := fields.get(name)):
                inner(entry, f"{param}.{name}")

    return check


def check_bounds(body: Mapping[str, Any], data: bytes) -> None:
    """Of a whole request, read from `data`. Raises InvalidRequest."""
    names = "".join(body)
    is_long = len(names) > LONGEST_NAME and max(map(len, body)) > LONGEST_NAME
    if is_long or "." in names or "[" in names:
        raise _refuse_name(body)
    if len(data) <= _SMALL_BYTES and brackets_in(data) <= MOST_LEVELS:
        return
    count = 0
    for number, level in enumerate(levels_of(body)):
        count += len(level)
        if count > MOST_OBJECTS:
            raise refuse("body", f"at most {MOST_OBJECTS} objects and lists in all", "more")
        if number >= MOST_LEVELS or any(map(_is_too_long, level)):
            raise next(_refusals(body))


def _refuse_name(names: Iterable[str]) -> InvalidRequest:
    name = next(name for name in names if len(name) > LONGEST_NAME or "." in name or "[" in name)
    allowed = f"a name of at most {LONGEST_NAME} characters without . and ["
    return refuse(name[:LONGEST_NAME], allowed, name)


def _is_too_long(value: Any) -> bool:
    return len(value) > (MOST_MEMBERS if type(value) is dict else MOST_ITEMS)


def _refusals(body: Mapping[str, Any]) -> Iterator[InvalidRequest]:
    for path, value in _walk(body):
        if len(path) >= MOST_LEVELS:
            yield refuse(_name(path[:_SHOWN_STEPS]), f"nested at most {MOST_LEVELS} levels deep", "more")
        if _is_too_long(value):
            yield too_many(_name(path), value, MOST_MEMBERS if isinstance(value, dict) else MOST_ITEMS)


def _walk(body: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every object and list with the steps that lead to it. Without recursion, which has a limit of its own."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), body)]
    while waiting:
        path, value = waiting.pop()
        yield path, value
        named = (
            value.items() if isinstance(value, dict) else ((f"[{i}]", each) for i, each in enumerate(value))
        )
        waiting += [((*path, name), each) for name, each in named if isinstance(each, dict | list)]


def _name(path: tuple[str, ...]) -> str:
    name = "".join(step if step.startswith("[") else f".{step[:LONGEST_NAME]}" for step in path)
    return name.removeprefix(".") or "body"
