"""Keeps the ids of calls apart within a conversation: some servers begin anew with `call_0` in every answer.

Chat makes all of its answers' ids good (`CallIds`). What another format's client is passed on untouched is changed
only where the request that is answered has the id already (`RenamedCalls`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from providers.formats.limits import LIMITS, shortened
from providers.wire.call import Call
from providers.wire.events import Event, ToolCallStarted

# A request may be long, and a provider may say as many calls as it likes.
_MOST_LOOKED_FOR = 200
# The shortest that any format permits.
_LONGEST_ID = LIMITS["openai"].longest_id
_MEMBERS = {"tool_use": "id", "function_call": "call_id", "custom_tool_call": "call_id"}
"""By the type of an object that is a call: which member is its id. Gemini's stands in `functionCall`."""


class CallIds:
    """Of the calls of one choice, each another one in the conversation: some servers begin anew in every answer.

    `prefix` makes ids where there are none, `asked` is the client's request, word for word.
    """

    def __init__(self, prefix: str, asked: bytes) -> None:
        self._prefix = prefix
        self._asked = asked
        self._seen: set[str] = set()

    def take(self, given: object, number: int) -> Any:
        """`given` is the provider's for its call of that number: the very same where it is good, however long."""
        made = f"{self._prefix}_{number}"
        if not given:
            return made if len(made) <= _LONGEST_ID else shortened("call", made, _LONGEST_ID)
        if not isinstance(given, str):
            return given
        call_id = shortened(given, made, _LONGEST_ID) if self._is_known(given) else given
        self._seen.add(call_id)
        return call_id

    def _is_known(self, call_id: str) -> bool:
        if call_id in self._seen:
            return True
        return len(self._seen) < _MOST_LOOKED_FOR and orjson.dumps(call_id) in self._asked


class RenamedCalls:
    """Of one answer. `note` sees its events, `rename` gives the JSON in which they came another id where one is."""

    def __init__(self, call: Call) -> None:
        self._ids = CallIds(f"call_{call.id}", call.raw)
        self._names: dict[str, str] = {}
        self._noted: set[str] = set()

    def note(self, events: Sequence[Event]) -> None:
        for event in events:
            if type(event) is ToolCallStarted and event.id and event.id not in self._noted:
                self._noted.add(event.id)
                name = self._ids.take(event.id, event.index)
                if name != event.id:
                    self._names[event.id] = name

    def rename(self, value: Mapping[str, Any], data: bytes) -> tuple[Mapping[str, Any], bytes]:
        """The very same where no call has another id."""
        if not self._names:
            return value, data
        renamed = self._in(value)
        return (value, data) if renamed == value else (renamed, orjson.dumps(renamed))

    def _in(self, value: Any, name: str = "") -> Any:
        if isinstance(value, list):
            return [self._in(each) for each in value]
        if not isinstance(value, Mapping):
            return value
        member = "id" if name == "functionCall" else _MEMBERS.get(str(value.get("type")), "")
        # What a model wrote is its own, whatever its members are called.
        return {
            key: self._names.get(inner, inner)
            if key == member and isinstance(inner, str)
            else inner
            if key in ("input", "args", "arguments")
            else self._in(inner, key)
            for key, inner in value.items()
        }
