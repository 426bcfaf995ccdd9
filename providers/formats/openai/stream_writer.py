"""Writes a streamed chat answer for a client."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from gateway.core.envelopes import openai_envelope
from providers.formats.base import AnswerFacts, remark
from providers.formats.openai.answer_writer import Thoughts, write_call, write_citation
from providers.formats.openai.finish import write_finish
from providers.formats.openai.images import write_image
from providers.formats.openai.reasoning import write_details
from providers.formats.openai.usage import write_stream_usage
from providers.wire.events import (
    CitationAdded,
    Event,
    FileGenerated,
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
from providers.wire.sse import event as sse
from providers.wire.usage import Usage

_DONE = sse(b"[DONE]")


class OpenAIStreamWriter:
    """See providers.formats.base.AnswerWriter."""

    def __init__(self, facts: AnswerFacts) -> None:
        self._facts = facts
        self._usage: Usage | None = None
        self._head: dict[str, Any] = {
            "id": f"chatcmpl-{facts.id}",
            "object": "chat.completion.chunk",
            "created": facts.created,
            "model": facts.model,
        }
        self._thoughts = Thoughts()
        self._blocks = 0
        self._images = 0
        self._annotations = 0
        self._length = 0
        self._has_begun = False

    def write(self, events: Sequence[Event]) -> bytes:
        return b"".join(piece for event in events for piece in self._write(event))

    def finish(self, left_out: Sequence[str] = ()) -> bytes:
        if self._usage is None or not self._facts.wants_usage:
            return remark(left_out) + _DONE
        chunk = self._head | {"choices": [], "usage": write_stream_usage(self._usage, self._facts.cost_usd)}
        return remark(left_out) + sse(orjson.dumps(chunk)) + _DONE

    def fail(self, error: Mapping[str, Any]) -> bytes:
        return sse(orjson.dumps(openai_envelope(error)))

    def _write(self, event: Event) -> Iterable[bytes]:
        match event:
            case UsageSeen():
                self._usage = event.usage
                return
            case Started():
                self._head |= {"service_tier": event.service_tier} if event.service_tier else {}
        if not self._has_begun:
            self._has_begun = True
            yield self._chunk({"role": "assistant", "content": ""})
        if isinstance(event, Finished):
            yield self._chunk({}, write_finish(event))
        elif delta := self._delta(event):
            yield self._chunk(delta, _logprobs(event))

    def _delta(self, event: Event) -> dict[str, Any]:
        match event:
            case TextDelta():
                self._length += len(event.text)
                return {"content": event.text}
            case ToolArguments():
                return {"tool_calls": [{"index": event.index, "function": {"arguments": event.text}}]}
            case ToolCallStarted():
                return {"tool_calls": [{"index": event.index} | write_call(event)]}
            case ReasoningDelta():
                self._thoughts.take(event)
                return {"reasoning_content": event.text, "reasoning": event.text}
            case RefusalDelta():
                return {"refusal": event.text}
            case _:
                return self._rare_delta(event)

    def _rare_delta(self, event: Event) -> dict[str, Any]:
        match event:
            case ReasoningSigned():
                details = write_details([self._thoughts.sign(event)], self._blocks)
                self._blocks += 1
                return {"reasoning_details": details}
            case CitationAdded():
                return self._annotate(event)
            case FileGenerated():
                self._images += 1
                return {"images": [write_image(event, self._images - 1)]}
            case Native():
                return dict(event.value)
            case _:
                return {}

    def _annotate(self, event: CitationAdded) -> dict[str, Any]:
        """Numbered, since OpenAI's SDK tells the entries of a streamed list apart by that."""
        annotations = write_citation(event, self._length)
        numbered = [{"index": self._annotations, **annotation} for annotation in annotations]
        self._annotations += len(annotations)
        return {"annotations": numbered} if numbered else {}

    def _chunk(self, delta: dict[str, Any], more: Mapping[str, Any] | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": None, **(more or {})}
        usage = {"usage": None} if self._facts.wants_usage else {}
        return sse(orjson.dumps(self._head | {"choices": [choice]} | usage))


def _logprobs(event: Event) -> dict[str, Any]:
    if not isinstance(event, TextDelta) or not event.logprobs:
        return {}
    return {"logprobs": {"content": list(event.logprobs), "refusal": None}}
