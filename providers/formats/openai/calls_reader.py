"""Reads the tool calls of a provider's message or delta: numbered from 0, each with an id."""

from collections.abc import Iterator, Mapping
from typing import Any

from providers.formats.openai.signatures import read_signature
from providers.formats.openai.tool_names import read_name
from providers.formats.openai.vendors import CallNumbers, arguments_of, function_of
from providers.wire.events import Event, ToolArguments, ToolCallStarted

_LEGACY = -1
"""The index of a `function_call`, which is one of its own."""


class CallReader:
    """`prefix` makes ids where the provider gives none."""

    def __init__(self, prefix: str = "call") -> None:
        self.prefix = prefix
        self._numbers = CallNumbers()

    @property
    def has_calls(self) -> bool:
        return bool(self._numbers)

    def read(self, message: Mapping[str, Any], *, is_whole: bool = False) -> Iterator[Event]:
        calls = message.get("tool_calls")
        for position, call in enumerate(calls if isinstance(calls, list) else ()):
            if isinstance(call, Mapping):
                # The calls of a whole message are all different, whatever they say.
                yield from self._read_call(
                    {**call, "index": position} if is_whole else call, is_whole=is_whole
                )
        legacy = message.get("function_call")
        if isinstance(legacy, Mapping):
            yield from self._read_call({"function": legacy, "index": _LEGACY}, is_whole=is_whole)

    def _read_call(self, call: Mapping[str, Any], *, is_whole: bool) -> Iterator[Event]:
        number, is_first = self._numbers.take(call)
        function = function_of(call)
        if is_first:
            call_id = call.get("id") or f"{self.prefix}_{number}"
            signature, origin = read_signature(call.get("extra_content"))
            name = read_name(str(function.get("name") or ""))
            yield ToolCallStarted(number, str(call_id), name, signature, origin)
        if arguments := arguments_of(function) or ("{}" if is_whole else ""):
            yield ToolArguments(number, arguments)
