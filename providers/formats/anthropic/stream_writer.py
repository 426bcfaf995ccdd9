"""Writes a streamed answer for a client that speaks Anthropic Messages."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from gateway.core.envelopes import anthropic_envelope
from providers.formats.anthropic.answer_blocks import AnswerBlocks, Member
from providers.formats.anthropic.answer_writer import write_message
from providers.formats.anthropic.usage import write_usage
from providers.formats.base import AnswerFacts, remark
from providers.wire.events import Event
from providers.wire.usage import Usage


class AnthropicStreamWriter:
    """See formats.base.AnswerWriter. The SDKs leave out events without an `event:` line."""

    def __init__(self, facts: AnswerFacts) -> None:
        self._facts = facts
        self._blocks = AnswerBlocks()
        self._has_started = False

    def write(self, events: Sequence[Event]) -> bytes:
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

    def _start(self) -> list[Member]:
        """Usage is not known yet; the last event replaces it."""
        if self._has_started:
            return []
        self._has_started = True
        message = write_message(self._facts, Usage(), self._blocks.service_tier)
        return [{"type": "message_start", "message": message}]


def _write(members: Iterable[Member]) -> bytes:
    return b"".join(
        b"event: %b\ndata: %b\n\n" % (member["type"].encode(), orjson.dumps(member)) for member in members
    )
