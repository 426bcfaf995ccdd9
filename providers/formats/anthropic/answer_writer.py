"""Writes an answer for a client, whole or as a stream: both are made of the same blocks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from gateway.core.envelopes import anthropic_envelope
from providers.formats.anthropic.finish import write_finish, write_tier
from providers.formats.anthropic.signatures import OF_CALL, ORIGIN, write_signature
from providers.formats.anthropic.usage import write_usage
from providers.formats.base import AnswerFacts, remark
from providers.formats.call_order import CallOrder
from providers.wire.events import (
    CitationAdded,
    Event,
    Finished,
    Native,
    ReasoningDelta,
    ReasoningSigned,
    RefusalDelta,
    Started,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
    UsageSeen,
)
from providers.wire.json_text import read_object
from providers.wire.usage import Usage, counted

_OF_TEXTS = frozenset({Started, TextDelta, Finished, UsageSeen})
_SAID_IN = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
Member = dict[str, Any]
_OWN_CITATIONS = ("char_location", "page_location", "content_block_location", "search_result_location")
EMPTY: dict[str, Member] = {
    "text": {"type": "text", "text": ""},
    "thinking": {"type": "thinking", "thinking": "", "signature": ""},
}
"""Blocks that are added to. What is said stands in the member of the block's own name."""
_MORE_TEXT = (
    b"event: content_block_delta\n"
    b'data: {"type":"content_block_delta","index":%d,"delta":{"type":"text_delta","text":%b}}\n\n'
)


def write_answer(events: Sequence[Event], facts: AnswerFacts) -> Mapping[str, Any]:
    """`events` hold exactly one Finished. Usage that nobody reported is written as zero."""
    if _OF_TEXTS.issuperset(map(type, events)):
        return _write_text(events, facts)
    blocks = AnswerBlocks()
    members = blocks.put(events)
    message = write_message(facts, blocks.usage or Usage(), blocks.service_tier)
    return message | {"content": _fold(members)} | blocks.finish()


def _write_text(events: Sequence[Event], facts: AnswerFacts) -> Mapping[str, Any]:
    """An answer of text alone, as most are: one block, or none."""
    text = "".join([event.text for event in events if isinstance(event, TextDelta)])
    told: dict[type, Any] = dict(zip(map(type, events), events, strict=True))
    usage, tier = Usage(), None
    if UsageSeen in told:
        usage = told[UsageSeen].usage
    if Started in told:
        tier = told[Started].service_tier
    content = [{"type": "text", "text": text}] if text else []
    end = write_finish(told[Finished], "", has_calls=False)
    return write_message(facts, usage, tier) | {"content": content} | end


def write_message(facts: AnswerFacts, usage: Usage, service_tier: str | None) -> Member:
    """The answer around its content."""
    return {
        "id": f"msg_{facts.id}",
        "type": "message",
        "role": "assistant",
        "model": facts.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "usage": write_usage(usage) | write_tier(service_tier),
    }


def _fold(members: Sequence[Member]) -> list[Member]:
    """The blocks that a client would gather from a stream."""
    content: list[Member] = []
    pieces: list[str] = []
    for member in members:
        if member["type"] == "content_block_start":
            content.append(dict(member["content_block"]))
            pieces = []
        elif member["type"] == "content_block_delta":
            _add(content[-1], pieces, member["delta"])
        else:
            _end(content[-1], "".join(pieces))
    return content


def _add(block: Member, pieces: list[str], delta: Member) -> None:
    if delta["type"] == "signature_delta":
        block["signature"] = delta["signature"]
    elif delta["type"] == "citations_delta":
        block.setdefault("citations", []).append(delta["citation"])
    else:
        pieces.append(delta[_SAID_IN[delta["type"]]])


def _end(block: Member, text: str) -> None:
    if block["type"] == "tool_use":
        block["input"] = _read_input(text)
    elif block["type"] in EMPTY:
        block[block["type"]] = text


def _read_input(arguments: str) -> Any:
    """Broken arguments are the model's mistake, and still have to reach whoever can tell it so."""
    value = read_object(arguments)
    return {"invalid_json": arguments} if value is None else value


class AnthropicStreamWriter:
    """See formats.base.AnswerWriter. The SDKs leave out events without an `event:` line."""

    def __init__(self, facts: AnswerFacts) -> None:
        self._facts = facts
        self._blocks = AnswerBlocks()
        self._has_started = False

    def write(self, events: Sequence[Event]) -> bytes:
        if self._has_started:
            return b"".join(map(self._write, events))
        if not events:
            return b""
        members = self._blocks.put(events)
        return _write([*self._start(), *members])

    def finish(self, left_out: Sequence[str] = ()) -> bytes:
        """Nothing without Finished: an end is not invented."""
        if self._blocks.finished is None:
            return b""
        usage = write_usage(self._blocks.usage or Usage())
        members = [*self._start(), *self._blocks.end()]
        members.append({"type": "message_delta", "delta": self._blocks.finish(), "usage": usage})
        return remark(left_out) + _write([*members, {"type": "message_stop"}])

    def fail(self, error: Mapping[str, Any]) -> bytes:
        return _write([anthropic_envelope(error)])

    def _write(self, event: Event) -> bytes:
        blocks = self._blocks
        if type(event) is TextDelta and event.text and blocks.open == "text":
            return _MORE_TEXT % (blocks.count, orjson.dumps(event.text))
        return _write(blocks.take(event))

    def _start(self) -> list[Member]:
        """With our own count of what was asked: the provider's is known at the end, which corrects it."""
        if self._has_started:
            return []
        self._has_started = True
        asked = Usage(counted(input_tokens=self._facts.input_tokens))
        message = write_message(self._facts, asked, self._blocks.service_tier)
        return [{"type": "message_start", "message": message}]


def _write(members: Iterable[Member]) -> bytes:
    return b"".join(
        b"event: %b\ndata: %b\n\n" % (member["type"].encode(), orjson.dumps(member)) for member in members
    )


class AnswerBlocks:
    """Gives content_block_start, _delta and _stop. What ends the answer is kept for `end`: it may still change."""

    def __init__(self) -> None:
        self.service_tier: str | None = None
        self.usage: Usage | None = None
        self.finished: Finished | None = None
        self._order = CallOrder()
        self.count = 0
        """Blocks that have ended."""
        self.open = ""
        """What kind of block is open; of a text, nothing is held back."""
        self._has_calls = False
        self._refusal: list[str] = []

    def put(self, events: Sequence[Event]) -> list[Member]:
        return [member for event in events for member in self.take(event)]

    def end(self) -> list[Member]:
        """No more comes: the blocks that were still held."""
        return [member for event in self._order.end() for member in self._write(event)] + self._close()

    def finish(self) -> Member:
        """The members that say why it ended. Only after Finished."""
        if self.finished is None:
            raise ValueError("an answer without a finish")
        return write_finish(self.finished, "".join(self._refusal), has_calls=self._has_calls)

    def take(self, event: Event) -> list[Member]:
        if isinstance(event, Started):
            self.service_tier = event.service_tier
        elif isinstance(event, UsageSeen):
            self.usage = event.usage
        elif isinstance(event, RefusalDelta):
            self._refusal.append(event.text)
        elif isinstance(event, Finished):
            self.finished = event
            return self.end()
        else:
            return [member for passed in self._order.put(event) for member in self._write(passed)]
        return []

    def _write(self, event: Event) -> list[Member]:
        if isinstance(event, TextDelta):
            return self._delta("text", {"type": "text_delta", "text": event.text}) if event.text else []
        if isinstance(event, ReasoningDelta):
            return self._delta("thinking", {"type": "thinking_delta", "thinking": event.text})
        if isinstance(event, ReasoningSigned):
            return self._sign(event)
        if isinstance(event, ToolCallStarted):
            return self._start_call(event)
        if isinstance(event, ToolArguments):
            return self._add_arguments(event.text)
        if isinstance(event, CitationAdded):
            return self._delta("text", {"type": "citations_delta", "citation": _citation(event)})
        if isinstance(event, Native):
            return self._start(dict(event.value)) + self._close()
        return []

    def _delta(self, kind: str, delta: Member) -> list[Member]:
        opened = [] if self.open == kind else self._start(EMPTY[kind])
        return [*opened, self._member("content_block_delta", delta=delta)]

    def _sign(self, signed: ReasoningSigned) -> list[Member]:
        if signed.origin == ORIGIN and signed.encrypted is not None:
            closed = self._close()
            block = {"type": "redacted_thinking", "data": signed.encrypted}
            return closed + self._start(block) + self._close()
        signature = write_signature(signed)
        if not signature:
            return self._close() if self.open == "thinking" else []
        return [*self._delta("thinking", {"type": "signature_delta", "signature": signature}), *self._close()]

    def _start_call(self, event: ToolCallStarted) -> list[Member]:
        self._has_calls = True
        signed = self._sign_call(event) if event.signature and event.origin != ORIGIN else []
        return signed + self._start({"type": "tool_use", "id": event.id, "name": event.name, "input": {}})

    def _sign_call(self, event: ToolCallStarted) -> list[Member]:
        """In a block of thoughts of its own, which clients give back in front of the call."""
        closed = self._close()
        return closed + self._sign(ReasoningSigned(event.signature, origin=event.origin, id=OF_CALL))

    def _add_arguments(self, text: str) -> list[Member]:
        if not text:
            return []
        return [self._member("content_block_delta", delta={"type": "input_json_delta", "partial_json": text})]

    def _start(self, block: Member) -> list[Member]:
        closed = self._close()
        self.open = block["type"]
        return [*closed, self._member("content_block_start", content_block=block)]

    def _close(self) -> list[Member]:
        if not self.open:
            return []
        stop = self._member("content_block_stop")
        self.open = ""
        self.count += 1
        return [stop]

    def _member(self, kind: str, **members: Any) -> Member:
        return {"type": kind, "index": self.count, **members}


def _citation(event: CitationAdded) -> Any:
    """As Anthropic wrote it, or in the form that it has for pages of the web."""
    native = event.native
    if isinstance(native, dict) and native.get("type") in (*_OWN_CITATIONS, "web_search_result_location"):
        return native
    return {
        "type": "web_search_result_location",
        "url": event.url or "",
        "title": event.title,
        "cited_text": event.cited_text or "",
        "encrypted_index": "",
    }
