"""Reads a provider's streamed chat answer into events."""

from collections.abc import Mapping
from typing import Any

from providers.formats.call_order import CallOrder
from providers.formats.openai.answer_reader import read_start, sign
from providers.formats.openai.calls_reader import CallReader
from providers.formats.openai.delta_reader import read_text
from providers.formats.openai.finish import read_finish
from providers.formats.openai.reasoning import read_details
from providers.formats.openai.vendors import (
    Finishes,
    delta_of,
    finish_of,
    refuse_error,
    usage_in,
    visible_reasoning,
)
from providers.formats.sse_events import SseEventReader
from providers.wire.events import Event, ReasoningDelta, ReasoningSigned, UsageSeen
from providers.wire.usage import read_openai_usage


class OpenAIStreamReader(SseEventReader):
    """See providers.formats.base.EventReader. Of several choices only the first is read."""

    ends_with_done = True

    def __init__(self) -> None:
        super().__init__()
        self._calls = CallReader()
        self._order = CallOrder()
        self._thought = ""
        self._has_started = False
        self._finishes = Finishes()

    def _end(self) -> list[Event]:
        """What was held goes out also where no finish came, since the provider did say it."""
        held = self._order.end()
        return held if self.reported is None else [*held, UsageSeen(self.reported)]

    def _read_value(self, chunk: Mapping[str, Any]) -> list[Event]:
        refuse_error(chunk)
        self._report(read_openai_usage(usage_in(chunk), chunk.get("service_tier")))
        events = self._start(chunk)
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, Mapping) and not choice.get("index"):
                events += self._read_choice(choice)
        return events

    def _start(self, chunk: Mapping[str, Any]) -> list[Event]:
        if self._has_started:
            return []
        self._has_started = True
        started = read_start(chunk)
        self._calls.prefix = f"call_{started.id}" if started.id else "call"
        return [started]

    def _read_choice(self, choice: Mapping[str, Any]) -> list[Event]:
        word = finish_of(choice)
        if self._finishes.are_all:
            # Events have one end, so whatever comes after it says nothing more.
            return []
        self._finishes.take(0, word)
        events = self._read_delta(delta_of(choice), choice.get("logprobs"))
        if word is None:
            return events
        finished = read_finish(word, choice.get("native_finish_reason"), has_calls=self._calls.has_calls)
        return [*events, *self._order.end(), finished]

    def _read_delta(self, delta: Mapping[str, Any], logprobs: object) -> list[Event]:
        said = [*self._read_thoughts(delta), *read_text(delta, logprobs), *self._calls.read(delta)]
        return [passed for event in said for passed in self._order.put(event)]

    def _read_thoughts(self, delta: Mapping[str, Any]) -> list[Event]:
        visible, thoughts = visible_reasoning(delta), read_details(delta.get("reasoning_details"))
        events = self._think(visible)
        for thought in thoughts:
            # Some give the text in both members, some the whole of it once more beside its signature.
            if not visible and thought.text != self._thought:
                events += self._think(thought.text)
            events += self._sign(sign(thought))
        return events

    def _think(self, text: str) -> list[Event]:
        self._thought += text
        return [ReasoningDelta(text)] if text else []

    def _sign(self, signed: list[ReasoningSigned]) -> list[Event]:
        if signed:
            self._thought = ""
        return list(signed)
