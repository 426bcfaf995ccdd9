"""Tool calls of OpenAI's format as its SDKs need them: numbered, with an id and a type, their arguments as text."""

from collections.abc import Mapping
from typing import Any

import orjson


def mend_calls(calls: list[Any], prefix: str) -> list[Any]:
    """Of a whole message; the very same list where nothing was wrong. `prefix` makes ids where there are none."""
    mended = [_mend_whole(call, f"{prefix}_{number}") for number, call in enumerate(calls)]
    return calls if mended == calls else mended


class CallDeltas:
    """The calls of one choice as they come in pieces. `prefix` as in mend_calls."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._numbers: dict[object, int] = {}

    def mend(self, calls: list[Any]) -> list[Any]:
        """The very same list where nothing was wrong."""
        mended = [self._mend(call) for call in calls]
        return calls if mended == calls else mended

    def _mend(self, call: Any) -> Any:
        if not isinstance(call, dict):
            return call
        key = self._key(call)
        is_first = key not in self._numbers
        number = self._numbers.setdefault(key, len(self._numbers))
        given = call if isinstance(call.get("index"), int) else {**call, "index": number}
        function = _mend_function(given.get("function"))
        if function is not given.get("function"):
            given = {**given, "function": function}
        return _name(given, f"{self._prefix}_{number}") if is_first else given

    def _key(self, call: Mapping[str, Any]) -> object:
        """A server that counts no index sends a new id, or a name again, with each new call."""
        index, function = call.get("index"), call.get("function")
        if isinstance(index, int):
            return index
        if call.get("id"):
            return str(call["id"])
        if not self._numbers or (isinstance(function, Mapping) and function.get("name")):
            return ("unnumbered", len(self._numbers))
        return next(reversed(self._numbers))


def _mend_whole(call: Any, call_id: str) -> Any:
    if not isinstance(call, dict):
        return call
    function = call.get("function")
    if isinstance(function, dict):
        function = {**function, "arguments": _as_text(function.get("arguments", {}))}
        call = {**call, "function": function}
    return _name(call, call_id)


def _mend_function(function: Any) -> Any:
    if not isinstance(function, dict) or isinstance(function.get("arguments"), str | None):
        return function
    return {**function, "arguments": _as_text(function["arguments"])}


def _name(call: dict[str, Any], call_id: str) -> dict[str, Any]:
    if call.get("id") and call.get("type"):
        return call
    return {**call, "id": call.get("id") or call_id, "type": call.get("type") or "function"}


def _as_text(arguments: Any) -> str:
    if isinstance(arguments, str):
        return arguments
    return orjson.dumps({} if arguments is None else arguments).decode()
