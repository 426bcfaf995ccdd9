"""Writes events as an answer for a client, whole or as a stream: server-sent events with Google's line ends."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.core.envelopes import google_envelope
from providers.formats.base import AnswerFacts
from providers.formats.gemini.finish import write_finish
from providers.formats.gemini.media import write_image
from providers.formats.gemini.signatures import ORIGIN, write_signature
from providers.formats.gemini.usage import write_usage
from providers.wire.conversation import Image
from providers.wire.events import (
    CitationAdded,
    Event,
    FileGenerated,
    Finished,
    Native,
    ReasoningDelta,
    ReasoningSigned,
    RefusalDelta,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
    UsageSeen,
)
from providers.wire.json_text import read_object
from providers.wire.usage import Usage


def write_answer(events: Sequence[Event], facts: AnswerFacts) -> dict[str, Any]:
    parts = AnswerParts()
    for event in events:
        parts.take(event)
    parts.close()
    candidate = {"content": {"parts": parts.let_go(), "role": "model"}, "index": 0}
    answer: dict[str, Any] = {"candidates": [candidate | about(events)]}
    for event in events:
        if isinstance(event, Finished):
            candidate_end(answer, event)
        elif isinstance(event, UsageSeen):
            answer["usageMetadata"] = write_usage(event.usage)
    return answer | named(facts)


def about(events: Sequence[Event]) -> dict[str, Any]:
    """What a candidate tells beside its content: sources and log probabilities."""
    told: dict[str, Any] = {}
    cited = [_citation(event) for event in events if isinstance(event, CitationAdded)]
    logprobs = [entry for event in events if isinstance(event, TextDelta) for entry in event.logprobs]
    if cited:
        told["citationMetadata"] = {"citationSources": cited}
    if logprobs:
        told |= {"logprobsResult": write_logprobs(logprobs), "avgLogprobs": average(logprobs)}
    return told


def candidate_end(answer: Mapping[str, Any], finished: Finished) -> None:
    answer["candidates"][0]["finishReason"] = write_finish(finished)


def named(facts: AnswerFacts) -> dict[str, str]:
    return {"modelVersion": facts.model, "responseId": facts.id}


def _citation(event: CitationAdded) -> dict[str, Any]:
    """A place in a document that was sent has no address; its words stand as the title."""
    told = {"uri": event.url, "title": event.title or event.cited_text}
    return {name: value for name, value in told.items() if value}


def write_logprobs(entries: Sequence[Any]) -> dict[str, Any]:
    return {
        "chosenCandidates": [_candidate(entry) for entry in entries],
        "topCandidates": [{"candidates": _candidates(entry.get("top_logprobs") or ())} for entry in entries],
    }


def average(entries: Sequence[Any]) -> float:
    return float(sum(entry["logprob"] for entry in entries) / len(entries))


def _candidate(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"token": entry["token"], "logProbability": entry["logprob"]}


def _candidates(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [_candidate(entry) for entry in entries]


_NO_TEXT = "\0"
"""In place of one: a model's id does not have it."""


class GeminiStreamWriter:
    """See formats.base.AnswerWriter. The end waits for the usage, which stands in the same, last piece."""

    def __init__(self, facts: AnswerFacts) -> None:
        self._facts = facts
        self._parts = AnswerParts()
        self._finished: Finished | None = None
        self._usage: Usage | None = None
        before, _, behind = _frame(self._piece([{"text": _NO_TEXT}], {})).partition(orjson.dumps(_NO_TEXT))
        self._around_text = before, behind
        """What a piece of one text has before it and behind it."""

    def write(self, events: Sequence[Event]) -> bytes:
        if len(events) == 1 and type(event := events[0]) is TextDelta and self._parts.take_alone(event):
            return orjson.dumps(event.text).join(self._around_text)
        for event in events:
            self._parts.take(event)
            if isinstance(event, Finished):
                self._parts.close()
                self._finished = event
            elif isinstance(event, UsageSeen):
                self._usage = event.usage
        parts, told = self._parts.let_go(), about(events)
        return _frame(self._piece(parts, told)) if parts or told else b""

    def finish(self, left_out: Sequence[str] = ()) -> bytes:
        if self._finished is None:
            return b""
        # Google's SDK takes no comments; this member says more about an end.
        told = {"finishMessage": f"Left out: {', '.join(left_out)}"} if left_out else {}
        answer = self._piece([{"text": ""}], told)
        candidate_end(answer, self._finished)
        if self._usage is not None and self._facts.wants_usage:
            answer["usageMetadata"] = write_usage(self._usage)
        return _frame(answer)

    def fail(self, error: Mapping[str, Any]) -> bytes:
        return _frame(google_envelope(error))

    def _piece(self, parts: list[dict[str, Any]], told: dict[str, Any]) -> dict[str, Any]:
        candidate = {"content": {"parts": parts, "role": "model"}, "index": 0, **told}
        return {"candidates": [candidate], **named(self._facts)}


def write_frame(value: Mapping[str, Any], data: bytes) -> bytes:  # noqa: ARG001 - its JSON says all
    return b"data: %b\r\n\r\n" % data


def _frame(value: Mapping[str, Any]) -> bytes:
    return write_frame(value, orjson.dumps(value))


@dataclass(slots=True)
class _OpenCall:
    started: ToolCallStarted
    arguments: list[str] = field(default_factory=list)


class AnswerParts:
    """Parts not yet let go are added to: a stream lets go after every read, a whole answer at its end."""

    def __init__(self) -> None:
        self._parts: list[dict[str, Any]] = []
        self._text: list[str] = []
        """What is to be added to the last part."""
        self._call: _OpenCall | None = None
        self._is_thinking = False
        """The last of what came were thoughts, so that a signature is theirs."""

    def take(self, event: Event) -> None:
        match event:
            case TextDelta() | RefusalDelta():
                self._add_text(event.text, is_thought=False)
            case ReasoningDelta():
                self._add_text(event.text, is_thought=True)
            case ReasoningSigned():
                self._sign(event)
            case ToolCallStarted():
                self.close()
                self._call = _OpenCall(event)
            case ToolArguments():
                if self._call is not None:
                    self._call.arguments.append(event.text)
            case FileGenerated() | Native():
                self._add_whole(event)

    def close(self) -> None:
        """The call that is open, if one is, is whole."""
        if self._call is None:
            return
        self._join()
        self._parts.append(_call_part(self._call))
        self._call = None
        self._is_thinking = False

    def take_alone(self, event: TextDelta) -> bool:
        """Take a text that is all there is to let go, and need not wait here; False where it is not."""
        if not event.text or event.logprobs or self._parts or self._call:
            return False
        self._is_thinking = False
        return True

    def let_go(self) -> list[dict[str, Any]]:
        self._join()
        parts, self._parts = self._parts, []
        return parts

    def _add_text(self, text: str, *, is_thought: bool) -> None:
        if not text:
            return
        self.close()
        kind: dict[str, Any] = {"thought": True} if is_thought else {}
        last = self._parts[-1] if self._parts else {}
        if last.keys() != {"text", *kind}:
            self._join()
            self._parts.append({"text": "", **kind})
        self._text.append(text)
        self._is_thinking = is_thought

    def _add_whole(self, event: FileGenerated | Native) -> None:
        self.close()
        self._join()
        self._parts.append(dict(event.value) if isinstance(event, Native) else _file_part(event))
        self._is_thinking = False

    def _join(self) -> None:
        """At once, since a text may come letter by letter."""
        if self._text:
            self._parts[-1]["text"] += "".join(self._text)
            self._text = []

    def _sign(self, event: ReasoningSigned) -> None:
        signature = write_signature(event)
        if signature is None:
            return
        self.close()
        self._join()
        kind: dict[str, Any] = {"thought": True} if self._is_thinking else {}
        last = self._parts[-1] if self._parts else {}
        is_file = event.origin == ORIGIN and "inlineData" in last and "thoughtSignature" not in last
        if not is_file and last.keys() != {"text", *kind}:
            last = {"text": "", **kind}
            self._parts.append(last)
        last["thoughtSignature"] = signature
        self._is_thinking = False


def _file_part(file: FileGenerated) -> dict[str, Any]:
    if file.origin == ORIGIN:
        return dict(file.native)
    thought = {"thought": True} if file.is_thought else {}
    return write_image(Image(file.url, file.data, file.media_type)) | thought


def _call_part(call: _OpenCall) -> dict[str, Any]:
    started = call.started
    part: dict[str, Any] = {
        "functionCall": {
            "id": started.id,
            "name": started.name,
            "args": _arguments("".join(call.arguments)),
        }
    }
    signature = write_signature(ReasoningSigned(started.signature, origin=started.origin))
    return part | ({"thoughtSignature": signature} if signature else {})


def _arguments(text: str) -> dict[str, Any]:
    """An object, whatever the model wrote: what is none is handed on under a name that says so."""
    arguments = read_object(text)
    return {"invalid_arguments": text} if arguments is None else arguments
