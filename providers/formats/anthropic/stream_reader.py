"""Reads a streamed answer of a provider that speaks Anthropic Messages."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from providers.formats.anthropic.answer_reader import (
    is_call,
    read_citation,
    read_unknown,
    start_call,
    text_of,
)
from providers.formats.anthropic.failures import read_inner_failure
from providers.formats.anthropic.finish import read_finish, read_tier
from providers.formats.anthropic.signatures import ORIGIN, read_signature
from providers.formats.anthropic.usage import read_usage
from providers.formats.sse_events import SseEventReader
from providers.wire.events import (
    Event,
    Finished,
    ReasoningDelta,
    ReasoningSigned,
    Started,
    TextDelta,
    ToolArguments,
    UsageSeen,
)
from providers.wire.failure import bad_response
from providers.wire.json_text import read_object

Member = Mapping[str, Any]
_KNOWN = frozenset({"text", "thinking", "redacted_thinking", "tool_use"})
_OF_DELTAS = frozenset({"type", "partial_json"})


class AnthropicStreamReader(SseEventReader):
    """See formats.base.EventReader. Blocks come one after the other; the numbers of usage replace earlier ones."""

    def __init__(self) -> None:
        super().__init__()
        self._usage: dict[str, Any] = {}
        self._block: Member = {}
        self._signature = ""
        self._unknown: list[Member] = []
        """What was added to a block that only Anthropic's clients know."""
        self._has_arguments = False
        self._calls = 0
        self._has_finished = False
        self._has_told_usage = False

    def _end(self) -> list[Event]:
        return self._tell_usage()

    def _does_more(self, value: Member) -> bool:
        return value.get("type") == "content_block_delta"

    def _read_value(self, member: Member) -> list[Event] | None:
        kind = member.get("type")
        if kind == "error" or member.get("error"):
            raise read_inner_failure(member)
        read = self._READERS.get(kind) if isinstance(kind, str) else None
        return None if read is None else read(self, member)

    def _start(self, member: Member) -> list[Event]:
        message = _inner(member, "message")
        self._add_usage(message.get("usage"))
        return [Started(text_of(message, "id"), read_tier(self._usage))]

    def _start_block(self, member: Member) -> list[Event]:
        block = self._block = _inner(member, "content_block")
        self._signature, self._has_arguments, self._unknown = text_of(block, "signature"), False, []
        kind = block.get("type")
        if is_call(block):
            self._calls += 1
            return [start_call(block, self._calls - 1)]
        if kind == "redacted_thinking":
            return [ReasoningSigned(encrypted=text_of(block, "data"), origin=ORIGIN)]
        if kind == "thinking" and (thought := text_of(block, "thinking")):
            return [ReasoningDelta(thought)]
        return [TextDelta(text)] if kind == "text" and (text := text_of(block, "text")) else []

    def _add_delta(self, member: Member) -> list[Event]:
        delta = _inner(member, "delta")
        kind = delta.get("type")
        if kind == "text_delta" and self._block.get("type") == "text":
            return [TextDelta(text)] if (text := text_of(delta, "text")) else []
        if kind == "thinking_delta":
            return [ReasoningDelta(thought)] if (thought := text_of(delta, "thinking")) else []
        if kind == "input_json_delta" and self._block.get("type") == "tool_use":
            return self._add_arguments(text_of(delta, "partial_json"))
        if text_of(self._block, "type") not in _KNOWN:
            self._unknown.append(delta)
            return []
        if kind == "citations_delta":
            return [read_citation(delta.get("citation"))]
        if kind == "signature_delta":
            self._signature = text_of(delta, "signature")
        return []

    def _add_arguments(self, text: str) -> list[Event]:
        if not text:
            return []
        self._has_arguments = True
        return [ToolArguments(self._calls - 1, text) if is_call(self._block) else TextDelta(text)]

    def _stop_block(self, member: Member) -> list[Event]:  # noqa: ARG002
        block, self._block = self._block, {}
        if block.get("type") == "thinking":
            return [read_signature(self._signature)]
        if text_of(block, "type") not in _KNOWN:
            return read_unknown(_gather(block, self._unknown))
        if block.get("type") != "tool_use" or self._has_arguments:
            return []
        text = orjson.dumps(block.get("input") or {}).decode()
        return [ToolArguments(self._calls - 1, text) if is_call(block) else TextDelta(text)]

    def _read_end(self, member: Member) -> list[Event]:
        self._add_usage(member.get("usage"))
        events = read_finish(_inner(member, "delta"), has_calls=self._calls > 0)
        if not events or self._has_finished:
            return []
        self._has_finished = any(isinstance(event, Finished) for event in events)
        return events

    def _stop(self, member: Member) -> list[Event]:  # noqa: ARG002
        self.is_done = True
        return self._tell_usage()

    def _add_usage(self, usage: object) -> None:
        if isinstance(usage, Mapping):
            self._usage |= {name: value for name, value in usage.items() if value is not None}
            self._report(read_usage({"output_tokens": 0, **self._usage}))

    def _tell_usage(self) -> list[Event]:
        if self.reported is None or self._has_told_usage:
            return []
        self._has_told_usage = True
        return [UsageSeen(self.reported)]

    _READERS: Mapping[str, Callable[["AnthropicStreamReader", Member], list[Event]]] = {
        "message_start": _start,
        "content_block_start": _start_block,
        "content_block_delta": _add_delta,
        "content_block_stop": _stop_block,
        "message_delta": _read_end,
        "message_stop": _stop,
    }


def _gather(block: Member, deltas: Sequence[Member]) -> Member:
    """The whole block, as an SDK gathers it: texts are added to, everything else is new."""
    whole, arguments = dict(block), "".join(text_of(delta, "partial_json") for delta in deltas)
    for name, value in (item for delta in deltas for item in delta.items() if item[0] not in _OF_DELTAS):
        kept = whole.get(name)
        whole[name] = kept + value if isinstance(kept, str) and isinstance(value, str) else value
    return whole | {"input": read_object(arguments) or arguments} if arguments else whole


def _inner(member: Member, name: str) -> Member:
    value = member.get(name)
    if not isinstance(value, Mapping):
        raise bad_response(f"The provider sent an event without '{name}'.")
    return value
