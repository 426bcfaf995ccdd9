"""Tool calls of OpenAI's format as its SDKs need them: numbered, with an id and a type, their arguments as text."""

from typing import Any

from providers.formats.openai.vendors import CallNumbers, arguments_of


def repair_calls(calls: list[Any], prefix: str) -> list[Any]:
    """Of a whole message; the very same list where nothing was wrong. `prefix` makes ids where there are none."""
    repaired = [_repair_whole(call, f"{prefix}_{number}") for number, call in enumerate(calls)]
    return calls if repaired == calls else repaired


class CallDeltas:
    """The calls of one choice as they come in pieces. `prefix` as in repair_calls."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._numbers = CallNumbers()

    def repair(self, calls: list[Any]) -> list[Any]:
        """The very same list where nothing was wrong."""
        repaired = [self._repair(call) for call in calls]
        return calls if repaired == calls else repaired

    def _repair(self, call: Any) -> Any:
        if not isinstance(call, dict):
            return call
        number, is_first = self._numbers.take(call)
        given = call if isinstance(call.get("index"), int) else {**call, "index": number}
        function = given.get("function")
        if isinstance(function, dict) and not isinstance(function.get("arguments"), str | None):
            given = {**given, "function": {**function, "arguments": arguments_of(function)}}
        return _name(given, f"{self._prefix}_{number}") if is_first else given


def _repair_whole(call: Any, call_id: str) -> Any:
    if not isinstance(call, dict):
        return call
    function = call.get("function")
    if isinstance(function, dict) and not isinstance(function.get("arguments"), str):
        call = {**call, "function": {**function, "arguments": arguments_of(function) or "{}"}}
    return _name(call, call_id)


def _name(call: dict[str, Any], call_id: str) -> dict[str, Any]:
    if call.get("id") and call.get("type"):
        return call
    return {**call, "id": call.get("id") or call_id, "type": call.get("type") or "function"}
