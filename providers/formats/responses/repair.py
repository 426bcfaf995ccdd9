"""What servers of a partial Responses leave out of their events, and its SDKs cannot do without: numbers and details.

llama.cpp, vLLM, Ollama and LM Studio give no numbers of events, items or parts, or not all of them; others no status.
"""

from collections.abc import Mapping
from typing import Any

import orjson

_Map = Mapping[str, Any]
DETAILS: Mapping[str, Mapping[str, int]] = {
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens_details": {"reasoning_tokens": 0},
}
"""Of usage; their users read them without asking."""
_ADDED, _DONE = "response.output_item.added", "response.output_item.done"
_TEXT = "response.output_text.delta"
_OF_TEXT = ("sequence_number", "output_index", "item_id", "content_index")
_CONTENT = ("content_part.", "output_text.", "refusal.", "reasoning_text.")
_SUMMARY = ("reasoning_summary_part.", "reasoning_summary_text.")
_TOLD_STATUSES = {f"response.{word}": word for word in ("completed", "incomplete", "failed")}
_OF_ITEMS = (
    *_CONTENT,
    *_SUMMARY,
    "function_call_arguments.",
    "custom_tool_call_input.",
    "mcp_call_arguments.",
)


class Numbers:
    """Counts along with a stream, and says what an event should have said."""

    def __init__(self) -> None:
        self._next = 0
        self._indices: dict[object, int] = {}
        self._item: object = None
        self._part = -1

    def mended(self, value: _Map, shown: bytes) -> tuple[_Map, bytes]:
        """The event and its JSON; as they were where nothing is missing."""
        kind = value.get("type")
        kind = kind if isinstance(kind, str) else ""
        given = value.get("sequence_number")
        if kind == _TEXT and None not in map(value.get, _OF_TEXT) and "response" not in value:
            # The commonest by far, and whole.
            self._next = (given if isinstance(given, int) else self._next) + 1
            return value, shown
        expected: dict[str, Any] = {"sequence_number": self._next}
        name = kind.removeprefix("response.")
        if kind in {_ADDED, _DONE}:
            expected["output_index"] = self._of_item(value)
        elif name.startswith(_OF_ITEMS):
            expected |= self._of_part(name, value)
        missing = {key: number for key, number in expected.items() if value.get(key) is None}
        missing |= _with_details(value, kind)
        item = value.get("item")
        if isinstance(item, Mapping) and with_id(item) is not item:
            missing["item"] = with_id(item)
        self._next = (given if isinstance(given, int) else self._next) + 1
        if not missing:
            return value, shown
        whole = {**value, **missing}
        return whole, orjson.dumps(whole)

    def _of_item(self, value: _Map) -> int:
        item = value.get("item")
        said = item.get("id") if isinstance(item, Mapping) else None
        key = said if isinstance(said, str) else None
        given = value.get("output_index")
        begins = value.get("type") == _ADDED
        if not begins and key is None and self._item is not None:
            # What ends without an id is what began last.
            began, self._item = self._item, None
            return self._indices[began]
        if begins or key not in self._indices:
            index = given if isinstance(given, int) else len(self._indices)
            # One without an id is known by its place.
            self._item, self._part = index if key is None else key, -1
            self._indices[self._item] = index
            self._item = self._item if begins or key is not None else None
            return index
        return self._indices[key]

    def _of_part(self, name: str, value: _Map) -> dict[str, Any]:
        item = value.get("item_id", self._item)
        index = self._indices.get(item if isinstance(item, str | int) else None, 0)
        expected: dict[str, Any] = {"output_index": index}
        if isinstance(self._item, str):
            expected["item_id"] = self._item
        if name.endswith("part.added"):
            self._part += 1
        if name.startswith(_CONTENT):
            expected["content_index"] = max(self._part, 0)
        elif name.startswith(_SUMMARY):
            expected["summary_index"] = max(self._part, 0)
        return expected


def _with_details(value: _Map, kind: str) -> dict[str, Any]:
    """The response that an event holds, where it lacks the status that the event tells, or its usage some details."""
    response = value.get("response")
    if not isinstance(response, Mapping):
        return {}
    mended = with_status(response, kind)
    usage = response.get("usage")
    if isinstance(usage, Mapping):
        missing = {name: zero for name, zero in DETAILS.items() if not isinstance(usage.get(name), Mapping)}
        mended = {**mended, "usage": {**usage, **missing}} if missing else mended
    return {} if mended is response else {"response": mended}


def with_status(response: _Map, kind: str) -> _Map:
    """The response that an event of this kind holds, with the status that the event tells where it has none itself."""
    status = _TOLD_STATUSES.get(kind) if response.get("status") is None else None
    return {**response, "status": status} if status else response


def with_id(item: _Map) -> _Map:
    """A call without an id of its own, as llama.cpp's, is known by that which its result names, as in its deltas."""
    call_id = item.get("call_id") if item.get("id") is None else None
    return {**item, "id": call_id} if call_id else item
