"""Reads the tool calls of a provider's message or delta: numbered from 0, each with an id."""

from collections.abc import Iterator, Mapping
from typing import Any

from providers.formats.chat.call_signatures import read_signature
from providers.formats.chat.read_delta import read_arguments
from providers.formats.chat.tool_names import read_name
from providers.wire.events import Event, ToolArguments, ToolCallStarted


class CallReader:
    """`prefix` makes ids where the provider gives none."""

    def __init__(self) -> None:
        self.prefix = "call"
        self._numbers: dict[object, int] = {}

    @property
    def has_calls(self) -> bool:
        return bool(self._numbers)

    def read(self, message: Mapping[str, Any], *, is_whole: bool = False) -> Iterator[Event]:
        calls = message.get("tool_calls")
        for position, call in enumerate(calls if isinstance(calls, list) else ()):
            if isinstance(call, Mapping):
                yield from self._read_call(call, None if is_whole else position)
        legacy = message.get("function_call")
        if isinstance(legacy, Mapping):
            yield from self._read_call({"function": legacy, "index": "function_call"}, 0)

    def _read_call(self, call: Mapping[str, Any], position: int | None) -> Iterator[Event]:
        function = call.get("function")
        function = function if isinstance(function, Mapping) else {}
        key = self._key(call, function, position)
        if key not in self._numbers:
            number = self._numbers[key] = len(self._numbers)
            call_id = call.get("id") or f"{self.prefix}_{number}"
            signature, origin = read_signature(call.get("extra_content"))
            name = read_name(str(function.get("name") or ""))
            yield ToolCallStarted(number, str(call_id), name, signature, origin)
        if arguments := read_arguments(function) or ("{}" if position is None else ""):
            yield ToolArguments(self._numbers[key], arguments)

    def _key(self, call: Mapping[str, Any], function: Mapping[str, Any], position: int | None) -> object:
        """What tells a call from others. Calls of a whole message are all different.

        A server that counts no index sends a new id, or a name again, with each new call.
        """
        if position is None:
            return len(self._numbers)
        for name in ("index", "id"):
            if isinstance(call.get(name), int | str) and call[name] != "":
                return call[name]
        if function.get("name") or not self._numbers:
            return ("unnumbered", len(self._numbers))
        return next(reversed(self._numbers))
