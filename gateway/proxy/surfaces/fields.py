"""Small checks from which a surface builds its table of parameters. Each raises InvalidRequest naming the parameter."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from gateway.proxy.errors import InvalidRequest
from providers.wire.bounds import MOST_ITEMS

Check = Callable[[Any, str], None]
"""Called with the value and its name, such as `messages[0].role`."""

TOO_MANY = "too_many_entries"
_NUMBERS = frozenset({int, float})
"""As JSON has them: true and false are none."""


def refuse(param: str, allowed: str, given: Any) -> InvalidRequest:
    return InvalidRequest(
        f"'{param}' must be {allowed}, not {_shown(given)}.", code="invalid_value", param=param
    )


def too_many(param: str, value: Sequence[Any] | Mapping[str, Any], most: int) -> InvalidRequest:
    what = "an object" if isinstance(value, Mapping) else "a list"
    message = f"'{param}' must be {what} of at most {most} entries; it has {len(value)}."
    return InvalidRequest(message, code=TOO_MANY, param=param)


def number(least: float, most: float) -> Check:
    def check(value: Any, param: str) -> None:
        if type(value) not in _NUMBERS or not least <= value <= most:
            raise refuse(param, f"a number from {least:g} to {most:g}", value)

    return check


def integer(least: int, most: int = 2**53) -> Check:
    def check(value: Any, param: str) -> None:
        if type(value) is not int or not least <= value <= most:
            raise refuse(param, f"a whole number from {least} to {most}", value)

    return check


def boolean(value: Any, param: str) -> None:
    if not isinstance(value, bool):
        raise refuse(param, "true or false", value)


def text(most: int | None = None, *, least: int = 0) -> Check:
    if most is None and not least:
        return _text
    longest = math.inf if most is None else most

    def check(value: Any, param: str) -> None:
        if not isinstance(value, str):
            raise refuse(param, "a string", value)
        if not least <= len(value) <= longest:
            raise refuse(param, f"a string of {least} to {most} characters", f"{len(value)} characters")

    return check


def _text(value: Any, param: str) -> None:
    if not isinstance(value, str):
        raise refuse(param, "a string", value)


def one_of(*allowed: str) -> Check:
    def check(value: Any, param: str) -> None:
        if not isinstance(value, str) or value not in allowed:
            raise refuse(param, f"one of {', '.join(allowed)}", value)

    return check


def list_of(item: Check, *, least: int = 0, most: int = MOST_ITEMS) -> Check:
    def check(value: Any, param: str) -> None:
        if not isinstance(value, list):
            raise refuse(param, "a list", value)
        if len(value) > most:
            raise too_many(param, value, most)
        if len(value) < least:
            raise refuse(param, f"a list of {least} to {most} items", f"{len(value)} items")
        for index, entry in enumerate(value):
            item(entry, f"{param}[{index}]")

    return check


def record(fields: Mapping[str, Check], *, required: Sequence[str] = ()) -> Check:
    """An object. Named fields are checked where present and not null; unknown ones are kept."""
    if not (fields or required):
        return _object

    def check(value: Any, param: str) -> None:
        if not isinstance(value, dict):
            raise refuse(param, "an object", value)
        prefix = f"{param}." if param else ""
        # What says something is there: only of the others it has to be seen.
        if not all(map(value.get, required)):
            _check_all_there(value, required, prefix)
        for name, entry in value.items():
            if entry is not None and (inner := fields.get(name)):
                inner(entry, prefix + name)

    return check


def _object(value: Any, param: str) -> None:
    if not isinstance(value, dict):
        raise refuse(param, "an object", value)


def _check_all_there(value: Mapping[str, Any], required: Sequence[str], prefix: str) -> None:
    for name in required:
        if value.get(name) is None:
            missing = prefix + name
            raise InvalidRequest(f"'{missing}' is missing.", code="missing_parameter", param=missing)


def mapping_of(value_check: Check, *, most: int) -> Check:
    def check(value: Any, param: str) -> None:
        if not isinstance(value, dict):
            raise refuse(param, "an object", value)
        if len(value) > most:
            raise too_many(param, value, most)
        for name, entry in value.items():
            value_check(entry, f"{param}.{name}")

    return check


def either(allowed: str, *checks: Check) -> Check:
    """Any of several forms; `allowed` describes them all. The form that fits the value's type gives the message."""

    def check(value: Any, param: str) -> None:
        failures = []
        for candidate in checks:
            try:
                return candidate(value, param)
            except InvalidRequest as failure:
                failures.append(failure)
        # A failure inside the value says more than "must be a or b".
        deepest = max(
            failures, key=lambda failure: (len(failure.param or ""), failure.error_code == TOO_MANY)
        )
        is_of_a_form = len(deepest.param or "") > len(param) or deepest.error_code == TOO_MANY
        raise deepest if is_of_a_form else refuse(param, allowed, value)

    return check


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


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f"'{value[:60]}'"
    return orjson.dumps(value).decode()[:60]
