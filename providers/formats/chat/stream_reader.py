"""Reads a provider's streamed chat answer into events."""

from collections.abc import Mapping
from typing import Any

from providers.formats.call_order import CallOrder
from providers.formats.chat.finish import read_finish
from providers.formats.chat.read_answer import read_start, seal
from providers.formats.chat.read_calls import CallReader
from providers.formats.chat.read_delta import delta_of, read_text
from providers.formats.chat.reasoning import read_details, visible_reasoning
from providers.formats.sse_events import SseEventReader
from providers.wire.events import Event, ReasoningDelta, ReasoningSealed, UsageSeen
from providers.wire.failure import FailureKind, UpstreamFailure, reported_inside
from providers.wire.usage import read_openai_usage


class ChatStreamReader(SseEventReader):
    """See providers.formats.base.EventReader. Of several choices only the first is read."""

    ends_with_done = True

    def __init__(self) -> None:
        super().__init__()
        self._calls = CallReader()
        self._order = CallOrder()
        self._thought = ""
        self._has_started = False
        self._has_finished = False

    def _end(self) -> list[Event]:
        """What was held goes out also where no finish came, since the provider did say it."""
        held = self._order.end()
        return held if self.reported is None else [*held, UsageSeen(self.reported)]

    def _read_value(self, chunk: Mapping[str, Any]) -> list[Event]:
        if error := chunk.get("error") or _vendor_error(chunk):
            raise reported_inside(error)
        # Some servers repeat the sum so far in every chunk: the last one counts.
        self._report(read_openai_usage(chunk.get("usage"), chunk.get("service_tier")))
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
        word = choice.get("finish_reason")
        if word == "error":
            message = "The provider broke its answer off."
            raise UpstreamFailure(FailureKind.UNAVAILABLE, message, code="provider_unavailable")
        # A choice that has finished says nothing more, though some servers repeat it beside the usage.
        if self._has_finished:
            return []
        events = self._read_delta(delta_of(choice), choice.get("logprobs"))
        if not word or not isinstance(word, str):
            return events
        self._has_finished = True
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
            events += self._seal(seal(thought))
        return events

    def _think(self, text: str) -> list[Event]:
        self._thought += text
        return [ReasoningDelta(text)] if text else []

    def _seal(self, sealed: list[ReasoningSealed]) -> list[Event]:
        if sealed:
            self._thought = ""
        return list(sealed)


def _vendor_error(chunk: Mapping[str, Any]) -> object:
    # Groq reports late errors here (its SDK's types, November 2026).
    extras = chunk.get("x_groq")
    return extras.get("error") if isinstance(extras, Mapping) else None
