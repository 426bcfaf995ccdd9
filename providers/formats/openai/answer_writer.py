"""Writes a whole chat answer for a client."""

from collections.abc import Mapping, Sequence
from typing import Any

from providers.formats.base import AnswerFacts
from providers.formats.openai.annotations import page_of
from providers.formats.openai.finish import write_finish
from providers.formats.openai.images import write_image
from providers.formats.openai.reasoning import write_reasoning
from providers.formats.openai.signatures import write_signature
from providers.formats.openai.usage import write_usage
from providers.wire.conversation import Reasoning
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
from providers.wire.usage import Usage


def write_answer(events: Sequence[Event], facts: AnswerFacts) -> dict[str, Any]:
    message = _Message()
    for event in events:
        message.take(event)
    answer = {
        "id": f"chatcmpl-{facts.id}",
        "object": "chat.completion",
        "created": facts.created,
        "model": facts.model,
        "choices": [message.choice()],
    }
    if message.usage is not None:
        answer["usage"] = write_usage(message.usage)
    return answer | ({"service_tier": message.tier} if message.tier else {})


class _Message:
    """What was said so far."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.tier: str | None = None
        self._text: list[str] = []
        self._length = 0
        self._refusal: list[str] = []
        self._thoughts = Thoughts()
        self._calls: dict[int, dict[str, Any]] = {}
        self._arguments: dict[int, list[str]] = {}
        self._annotations: list[dict[str, Any]] = []
        self._images: list[dict[str, Any]] = []
        self._native: dict[str, Any] = {}
        self._logprobs: list[Any] = []
        self._finish: dict[str, str | None] = {"finish_reason": None}

    def take(self, event: Event) -> None:
        match event:
            case TextDelta():
                self._text.append(event.text)
                self._length += len(event.text)
                self._logprobs += event.logprobs
            case ToolArguments():
                self._arguments[event.index].append(event.text)
            case ToolCallStarted():
                self._calls[event.index], self._arguments[event.index] = write_call(event), []
            case CitationAdded():
                self._annotations += write_citation(event, self._length)
            case RefusalDelta():
                self._refusal.append(event.text)
            case ReasoningDelta() | ReasoningSigned():
                self._thoughts.take(event)
            case _:
                self._take_fact(event)

    def _take_fact(self, event: Event) -> None:
        match event:
            case Started():
                self.tier = event.service_tier
            case Finished():
                self._finish = {**write_finish(event)}
            case UsageSeen():
                self.usage = event.usage
            case FileGenerated():
                self._images.append(write_image(event, len(self._images)))
            case Native():
                self._take_native(event.value)

    def _take_native(self, members: Mapping[str, Any]) -> None:
        """Lists that came one after the other are one."""
        for name, value in members.items():
            kept = self._native.get(name)
            self._native[name] = kept + value if isinstance(kept, list) and isinstance(value, list) else value

    def choice(self) -> dict[str, Any]:
        logprobs = {"content": self._logprobs, "refusal": None} if self._logprobs else None
        return {"index": 0, "message": self._message(), "logprobs": logprobs, **self._finish}

    def _message(self) -> dict[str, Any]:
        text, refusal = "".join(self._text), "".join(self._refusal)
        for index, call in self._calls.items():
            call["function"]["arguments"] = "".join(self._arguments[index])
        message: dict[str, Any] = {
            "role": "assistant",
            "content": None if not text and (self._calls or refusal) else text,
            "refusal": refusal or None,
            "annotations": self._annotations,
        }
        message |= write_reasoning(self._thoughts.whole())
        message |= {"images": self._images} if self._images else {}
        if parts := self._native.pop("content", None):
            message["content"] = [*([{"type": "text", "text": text}] if text else []), *parts]
        message |= self._native
        return message | ({"tool_calls": list(self._calls.values())} if self._calls else {})


class Thoughts:
    """Gathers blocks of thoughts: a signature ends one."""

    def __init__(self) -> None:
        self._blocks: list[Reasoning] = []
        self._text: list[str] = []

    def take(self, event: ReasoningDelta | ReasoningSigned) -> None:
        if isinstance(event, ReasoningDelta):
            self._text.append(event.text)
        else:
            self.sign(event)

    def sign(self, event: ReasoningSigned) -> Reasoning:
        text = "".join(self._text)
        block = Reasoning(text, event.signature, event.encrypted, event.origin, event.id)
        self._blocks.append(block)
        self._text = []
        return block

    def whole(self) -> list[Reasoning]:
        text = "".join(self._text)
        return [*self._blocks, *([Reasoning(text)] if text else [])]


def write_call(event: ToolCallStarted) -> dict[str, Any]:
    function = {"name": event.name, "arguments": ""}
    signature = write_signature(event.signature, event.origin)
    return {"id": event.id, "type": "function", "function": function} | signature


def write_citation(event: CitationAdded, end: int) -> list[dict[str, Any]]:
    """Chat annotates pages only; what is cited from a document stays in the text."""
    page = page_of(event, 0, end)
    return [] if page is None else [{"type": "url_citation", "url_citation": page}]
