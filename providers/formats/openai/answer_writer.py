"""Writes a chat answer for a client, whole or as a stream."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import orjson

from gateway.core.envelopes import openai_envelope
from providers.formats.base import AnswerFacts, remark
from providers.formats.custom_tools import input_of
from providers.formats.data_url import data_url
from providers.formats.openai.custom_tools import custom_names
from providers.formats.openai.finish import write_finish
from providers.formats.openai.signatures import ORIGIN, write_details, write_reasoning, write_signature
from providers.formats.openai.usage import write_stream_usage, write_usage
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
from providers.wire.sse import event as sse
from providers.wire.usage import Usage

_DONE = sse(b"[DONE]")
# What OpenAI's formats have beside pages: these name its own files.
_FILE_KINDS = frozenset({"file_citation", "container_file_citation", "file_path"})


def write_answer(events: Sequence[Event], facts: AnswerFacts) -> dict[str, Any]:
    message = _Message(custom_names(facts.request))
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

    def __init__(self, custom: Set[str]) -> None:
        """`custom` are the names of tools that the client called so."""
        self.usage: Usage | None = None
        self.tier: str | None = None
        self._text: list[str] = []
        self._length = 0
        self._refusal: list[str] = []
        self._thoughts = Thoughts()
        self._custom = custom
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
                self._calls[event.index], self._arguments[event.index] = write_call(event, self._custom), []
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
            arguments = "".join(self._arguments[index])
            if call["type"] == "custom":
                call["custom"]["input"] = input_of(arguments)
            else:
                call["function"]["arguments"] = arguments
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


def write_call(event: ToolCallStarted, custom: Set[str]) -> dict[str, Any]:
    signature = write_signature(event.signature, event.origin)
    if event.name in custom:
        return {"id": event.id, "type": "custom", "custom": {"name": event.name, "input": ""}} | signature
    function = {"name": event.name, "arguments": ""}
    return {"id": event.id, "type": "function", "function": function} | signature


def write_citation(event: CitationAdded, end: int) -> list[dict[str, Any]]:
    """Chat annotates pages only; what is cited from a document stays in the text."""
    page = page_of(event, 0, end)
    return [] if page is None else [{"type": "url_citation", "url_citation": page}]


def write_image(file: FileGenerated, index: int) -> dict[str, Any]:
    """`index` is what OpenAI's SDK tells the entries of a streamed list apart by."""
    if file.origin == ORIGIN:
        return {**file.native, "index": index}
    url = file.url or data_url(file.media_type or "image/png", file.data or "")
    return {"type": "image_url", "image_url": {"url": url}, "index": index}


_NO_TEXT = "\0"
"""In place of one: neither a model's id nor a tier has it."""


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
        self._around_text: tuple[bytes, bytes] | None = None
        """What a chunk of text has before it and behind it: always the same."""
        self._custom = custom_names(facts.request)
        self._inputs: dict[int, list[str]] = {}
        """Of custom calls: what the string says is known once its JSON is whole."""

    def write(self, events: Sequence[Event]) -> bytes:
        return b"".join(map(self._write, events))

    def finish(self, left_out: Sequence[str] = ()) -> bytes:
        if self._usage is None or not self._facts.wants_usage:
            return remark(left_out) + _DONE
        chunk = self._head | {"choices": [], "usage": write_stream_usage(self._usage, self._facts.cost_usd)}
        return remark(left_out) + sse(orjson.dumps(chunk)) + _DONE

    def fail(self, error: Mapping[str, Any]) -> bytes:
        return sse(orjson.dumps(openai_envelope(error)))

    def _write(self, event: Event) -> bytes:
        if type(event) is TextDelta and self._has_begun and not event.logprobs:
            return self._text_chunk(event.text)
        return b"".join(self._chunks(event))

    def _chunks(self, event: Event) -> Iterable[bytes]:
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
            if self._inputs:
                yield self._chunk({"tool_calls": self._write_inputs()})
            yield self._chunk({}, write_finish(event))
        elif delta := self._delta(event):
            yield self._chunk(delta, _logprobs(event))

    def _delta(self, event: Event) -> dict[str, Any]:
        match event:
            case TextDelta():
                self._length += len(event.text)
                return {"content": event.text}
            case ToolArguments():
                return self._argue(event)
            case ToolCallStarted():
                if event.name in self._custom:
                    self._inputs[event.index] = []
                return {"tool_calls": [{"index": event.index} | write_call(event, self._custom)]}
            case ReasoningDelta():
                self._thoughts.take(event)
                return {"reasoning_content": event.text, "reasoning": event.text}
            case RefusalDelta():
                return {"refusal": event.text}
            case _:
                return self._rare_delta(event)

    def _argue(self, event: ToolArguments) -> dict[str, Any]:
        if (said := self._inputs.get(event.index)) is None:
            return {"tool_calls": [{"index": event.index, "function": {"arguments": event.text}}]}
        said.append(event.text)
        return {}

    def _write_inputs(self) -> list[dict[str, Any]]:
        whole = {index: input_of("".join(said)) for index, said in self._inputs.items()}
        return [{"index": index, "custom": {"input": said}} for index, said in whole.items()]

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

    def _text_chunk(self, text: str) -> bytes:
        self._length += len(text)
        if self._around_text is None:
            before, _, behind = self._chunk({"content": _NO_TEXT}).partition(orjson.dumps(_NO_TEXT))
            self._around_text = before, behind
        return orjson.dumps(text).join(self._around_text)

    def _chunk(self, delta: dict[str, Any], more: Mapping[str, Any] | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": None, **(more or {})}
        usage = {"usage": None} if self._facts.wants_usage else {}
        return sse(orjson.dumps(self._head | {"choices": [choice]} | usage))


def _logprobs(event: Event) -> dict[str, Any]:
    if not isinstance(event, TextDelta) or not event.logprobs:
        return {}
    return {"logprobs": {"content": list(event.logprobs), "refusal": None}}


def page_of(citation: CitationAdded, start: int, end: int) -> dict[str, Any] | None:
    """`start` and `end` count characters of the text. None for what is no page."""
    if citation.url is None:
        return None
    place = _place(citation.native)
    return {
        "start_index": place.get("start_index", start),
        "end_index": place.get("end_index", end),
        "title": citation.title or citation.url,
        "url": citation.url,
    }


def file_of(citation: CitationAdded) -> dict[str, Any] | None:
    """An annotation of a file as OpenAI wrote it. None for what is none."""
    native = citation.native
    return dict(native) if isinstance(native, Mapping) and native.get("type") in _FILE_KINDS else None


def _place(native: object) -> Mapping[str, Any]:
    if not isinstance(native, Mapping) or native.get("type") != "url_citation":
        return {}
    inner = native.get("url_citation", native)
    return inner if isinstance(inner, Mapping) else {}
