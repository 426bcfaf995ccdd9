"""Reads an answer of a provider that speaks Anthropic Messages, whole or streamed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from providers.formats.answer_tool import ANSWER_TOOL
from providers.formats.anthropic.finish import read_finish, read_inner_failure, read_tier
from providers.formats.anthropic.signatures import ORIGIN, read_signature
from providers.formats.anthropic.usage import read_usage
from providers.formats.sse_events import SseEventReader
from providers.wire.events import (
    CitationAdded,
    Event,
    Finished,
    Native,
    ReasoningDelta,
    ReasoningSigned,
    Started,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
    UsageSeen,
)
from providers.wire.failure import bad_response
from providers.wire.json_text import read_object

Member = Mapping[str, Any]
_KNOWN = frozenset({"text", "thinking", "redacted_thinking", "tool_use"})
_OF_DELTAS = frozenset({"type", "partial_json"})


def read_answer(value: Any) -> list[Event]:
    """Raises UpstreamFailure."""
    if not isinstance(value, Mapping) or value.get("type") == "error" or value.get("error"):
        raise read_inner_failure(value)
    content = value.get("content")
    if not isinstance(content, list):
        raise bad_response()
    events: list[Event] = [Started(text_of(value, "id"), read_tier(value.get("usage")))]
    calls = 0
    for block in content:
        events += _read_block(block, calls)
        calls += is_call(block)
    events += _read_end(value, has_calls=calls > 0, has_answer=any(map(is_answer, content)))
    return events


def is_call(block: object) -> bool:
    """A call for the client: the structured answer by a tool is none."""
    is_tool = isinstance(block, Mapping) and block.get("type") == "tool_use"
    return is_tool and not is_answer(block)


def is_answer(block: object) -> bool:
    return isinstance(block, Mapping) and block.get("name") == ANSWER_TOOL


def text_of(value: Mapping[str, Any], name: str) -> str:
    text = value.get(name)
    return text if isinstance(text, str) else ""


def read_citation(value: object) -> CitationAdded:
    """`native` is left out where the provider sent something else."""
    citation: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
    return CitationAdded(
        url=text_of(citation, "url") or None,
        title=text_of(citation, "title") or text_of(citation, "document_title") or None,
        cited_text=text_of(citation, "cited_text") or None,
        native=citation or None,
    )


def start_call(block: Mapping[str, Any], index: int) -> ToolCallStarted:
    return ToolCallStarted(index, text_of(block, "id"), text_of(block, "name"))


def _read_end(value: Mapping[str, Any], *, has_calls: bool, has_answer: bool) -> list[Event]:
    finish = read_finish(value, has_calls=has_calls, has_answer=has_answer)
    if not finish:
        raise bad_response("The provider's answer does not say why it ended.")
    usage = read_usage(value.get("usage"))
    return [*finish, UsageSeen(usage)] if usage else finish


def _read_block(block: object, index: int) -> list[Event]:
    if not isinstance(block, Mapping):
        raise bad_response()
    kind = block.get("type")
    if kind == "text":
        citations = block.get("citations")
        cited = map(read_citation, citations) if isinstance(citations, list) else ()
        return [*([TextDelta(text)] if (text := text_of(block, "text")) else []), *cited]
    if kind == "thinking":
        signed = read_signature(text_of(block, "signature"))
        return [ReasoningDelta(text), signed] if (text := text_of(block, "thinking")) else [signed]
    if kind == "redacted_thinking":
        return [ReasoningSigned(encrypted=text_of(block, "data"), origin=ORIGIN)]
    return _read_call(block, index) if kind == "tool_use" else read_unknown(block)


def read_unknown(block: Mapping[str, Any]) -> list[Event]:
    """What Anthropic's own tools did, for its own clients; nothing of a block without a kind."""
    kind = text_of(block, "type")
    return [Native(ORIGIN, dict(block), f"content.{kind}")] if kind else []


def _read_call(block: Mapping[str, Any], index: int) -> list[Event]:
    arguments = orjson.dumps(block.get("input") or {}).decode()
    if not is_call(block):
        return [TextDelta(arguments)]
    return [start_call(block, index), ToolArguments(index, arguments)]


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
        self._has_answer = False
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
        self._has_answer = self._has_answer or is_answer(block)
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
        events = read_finish(_inner(member, "delta"), has_calls=self._calls > 0, has_answer=self._has_answer)
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
