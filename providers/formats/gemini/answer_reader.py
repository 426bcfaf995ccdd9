"""Reads a provider's answer into events: whole, or one piece of a stream after the other.

Source: https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from providers.formats.gemini.finish import UNSAID, error_in, read_finish, reported_inside
from providers.formats.gemini.signatures import ORIGIN, read_signature, standard_base64
from providers.formats.gemini.usage import read_usage
from providers.formats.sse_events import SseEventReader
from providers.wire.events import (
    CitationAdded,
    Event,
    FileGenerated,
    Finished,
    FinishReason,
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
from providers.wire.usage import Usage

_PART = frozenset({"text", "thought", "thoughtSignature"})
_SAYS_CONTENT = frozenset({"content", "index"})
_SAYS_CANDIDATE = frozenset({"candidates", "usageMetadata", "responseId", "modelVersion"})
_KNOWN = frozenset({"candidates", "promptFeedback", "usageMetadata", "responseId", "modelVersion"})


def read_answer(value: Any) -> list[Event]:
    """Of a whole 2xx body. Raises UpstreamFailure where it is none, has no end, or reports an error."""
    pieces = AnswerPieces()
    events = [*pieces.take(value), *pieces.finish()]
    if not any(isinstance(event, Finished) for event in events):
        raise bad_response()
    return events


class AnswerPieces:
    """One answer, taken piece by piece.

    The first candidate counts: more are asked for by Gemini's own clients only, who get the bytes untouched.
    """

    def __init__(self) -> None:
        self._has_started = False
        self._has_output = False
        self._id = ""
        self._calls = 0
        self._finish = ""
        self._ends_often = False
        """More came after an end, so that the next one says nothing."""
        self._blocked = ""
        self._usage: Mapping[str, Any] = {}
        """Each count as it was told last."""
        self._cited: set[str] = set()
        self._searches = 0
        self.was_text = False
        """The last piece was more text and nothing else."""

    def take(self, value: Any) -> list[Event]:
        """Raises UpstreamFailure for an error, and for what is no piece of an answer."""
        text = _text_alone(value) if self._has_started and not self._finish else ""
        self.was_text = bool(text)
        if text:
            if told := value.get("usageMetadata"):
                self._usage = {**self._usage, **told}
            self._has_output = True
            return [TextDelta(text)]
        if error := error_in(value):
            raise reported_inside(error)
        if not isinstance(value, Mapping) or _KNOWN.isdisjoint(value) or not _is_piece(value):
            raise bad_response()
        if told := value.get("usageMetadata"):
            # The last piece may leave out what an earlier one told, such as what came from the cache.
            self._usage = {**self._usage, **told}
        self._searches = max(self._searches, _searches_in(value))
        feedback = value.get("promptFeedback")
        if isinstance(feedback, Mapping):
            self._blocked = _text(feedback, "blockReason") or self._blocked
        return [*self._start(value), *self._take_candidate(_first(value.get("candidates")))]

    def finish(self) -> list[Event]:
        """The end, which is known only once nothing more comes: older models tell a reason with every piece."""
        usage = self.usage
        return [*self._end(), *([UsageSeen(usage)] if usage else [])]

    @property
    def has_told_end(self) -> bool:
        return not self._ends_often and bool(self._finish or self._blocked)

    @property
    def usage(self) -> Usage | None:
        """So far: every piece may tell the sum."""
        usage = read_usage(self._usage or None)
        if usage and self._searches:
            usage.counts["web_searches"] = self._searches
        return usage

    def _end(self) -> Iterator[Event]:
        if self._finish:
            yield read_finish(self._finish, has_calls=self._calls > 0)
        elif self._blocked:
            yield Finished(FinishReason.CONTENT_FILTER, self._blocked)

    def _start(self, value: Mapping[str, Any]) -> Iterator[Event]:
        if not self._has_started:
            self._has_started = True
            self._id = _text(value, "responseId")
            yield Started(self._id)

    def _take_candidate(self, candidate: Mapping[str, Any]) -> list[Event]:
        content = candidate.get("content")
        parts = content.get("parts") if isinstance(content, Mapping) else None
        logprobs = read_logprobs(candidate.get("logprobsResult"))
        events = [event for part in _maps(parts) for event in self._take_part(part)]
        events = _with_logprobs(events, logprobs) if logprobs else events
        self._has_output = self._has_output or bool(events)
        self._ends_often = self._ends_often or (bool(events) and self._finish != "")
        reason = _text(candidate, "finishReason")
        # At once: what follows a fault mends nothing.
        read_finish(reason, has_calls=False)
        self._finish = reason if reason and reason != UNSAID else self._finish
        return [*events, *self._cite(candidate)]

    def _take_part(self, part: Mapping[str, Any]) -> Iterator[Event]:
        signature = _text(part, "thoughtSignature")
        signed = read_signature(signature) if signature else None
        call = part.get("functionCall")
        if isinstance(call, Mapping):
            yield from self._take_call(call, signed)
            return
        text, is_thought = _text(part, "text"), part.get("thought") is True
        if text:
            yield ReasoningDelta(text) if is_thought else TextDelta(text)
        elif file := _read_file(part, is_thought=is_thought):
            yield file
        elif unknown := [name for name in part if name not in _PART]:
            yield Native(ORIGIN, dict(part), f"parts.{unknown[0]}")
            return
        if signed:
            yield signed

    def _take_call(self, call: Mapping[str, Any], signed: ReasoningSigned | None) -> Iterator[Event]:
        name = _text(call, "name")
        if not name:
            return
        index, arguments = self._calls, orjson.dumps(call.get("args") or {}).decode()
        self._calls += 1
        call_id = _text(call, "id") or self._call_id(index, name, arguments)
        signature, origin = (signed.signature, signed.origin) if signed else (None, "")
        yield ToolCallStarted(index, call_id, name, signature, origin)
        yield ToolArguments(index, arguments)

    def _call_id(self, index: int, name: str, arguments: str) -> str:
        """For a call without one: different in every answer of a conversation, as some formats demand."""
        call = orjson.dumps([self._id, index, name, arguments])
        return f"call_{hashlib.blake2s(call, digest_size=12).hexdigest()}"

    def _cite(self, candidate: Mapping[str, Any]) -> Iterator[Event]:
        for source in _sources(candidate):
            place = _text(source, "uri")
            if place and place not in self._cited:
                self._cited.add(place)
                yield CitationAdded(place, _text(source, "title") or None, native=source)


def _text_alone(piece: Any) -> str:
    """Of the commonest piece by far, in one step: more text, and nothing else but what was used so far."""
    try:
        (candidate,) = piece["candidates"]
        content = candidate["content"]
        (part,) = content["parts"]
        text = part["text"]
        is_alone = (
            type(text) is str
            and len(part) == 1
            and candidate.keys() <= _SAYS_CONTENT
            and piece.keys() <= _SAYS_CANDIDATE
            and type(piece.get("usageMetadata") or {}) is dict
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return ""
    return text if is_alone else ""


def _read_file(part: Mapping[str, Any], *, is_thought: bool) -> FileGenerated | None:
    """Without its signature, which is told after it."""
    inline, lying = part.get("inlineData"), part.get("fileData")
    place = inline if isinstance(inline, Mapping) else lying if isinstance(lying, Mapping) else {}
    data, url = _text(place, "data"), _text(place, "fileUri")
    if not (data or url):
        return None
    return FileGenerated(
        _text(place, "mimeType") or None,
        standard_base64(data) if data else None,
        url or None,
        _text(place, "displayName") or None,
        is_thought,
        ORIGIN,
        {name: value for name, value in part.items() if name != "thoughtSignature"},
    )


def _is_piece(value: Mapping[str, Any]) -> bool:
    """Of the types that Google's SDK demands of what it is given."""
    candidates = value.get("candidates") or []
    is_typed = isinstance(value.get("usageMetadata") or {}, dict) and isinstance(
        value.get("promptFeedback") or {}, dict
    )
    return is_typed and isinstance(candidates, list) and all(map(_is_candidate, candidates))


def _is_candidate(candidate: object) -> bool:
    content = candidate.get("content") or {} if isinstance(candidate, dict) else None
    parts = content.get("parts") or [] if isinstance(content, dict) else None
    return isinstance(parts, list) and all(map(_is_part, parts))


def _is_part(part: object) -> bool:
    return isinstance(part, dict) and isinstance(part.get("text"), str | None)


def _with_logprobs(events: list[Event], logprobs: tuple[Any, ...]) -> list[Event]:
    """On the first text of the piece, whose tokens they are."""
    for index, event in enumerate(events):
        if isinstance(event, TextDelta):
            return [*events[:index], TextDelta(event.text, logprobs), *events[index + 1 :]]
    return [*events, TextDelta("", logprobs)]


def _sources(candidate: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    citations, grounding = candidate.get("citationMetadata"), candidate.get("groundingMetadata")
    if isinstance(citations, Mapping):
        yield from _maps(citations.get("citations") or citations.get("citationSources"))
    if isinstance(grounding, Mapping):
        for chunk in _maps(grounding.get("groundingChunks")):
            yield from _maps([chunk.get("web")])


def _searches_in(piece: Mapping[str, Any]) -> int:
    """As Google bills them: each query, and until Gemini 2.5 once for a prompt (its prices, November 2026)."""
    grounding = _first(piece.get("candidates")).get("groundingMetadata")
    queries = grounding.get("webSearchQueries") if isinstance(grounding, Mapping) else None
    if not isinstance(queries, list) or not queries:
        return 0
    is_by_prompt = _text(piece, "modelVersion").startswith(("gemini-1", "gemini-2"))
    return 1 if is_by_prompt else len(queries)


def _first(candidates: object) -> Mapping[str, Any]:
    return next(iter(_maps(candidates)), {})


def _maps(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _text(value: Mapping[str, Any], name: str) -> str:
    text = value.get(name)
    return text if isinstance(text, str) else ""


class GeminiStreamReader(SseEventReader):
    """See formats.base.EventReader. There is no terminator: the end is known when the body ends."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces = AnswerPieces()

    @property
    def reported(self) -> Usage | None:
        """Read when it is asked for, since every piece tells it."""
        return self._pieces.usage

    def _read_value(self, value: Mapping[str, Any]) -> list[Event]:
        self._has_told = bool(value.get("usageMetadata"))
        events = self._pieces.take(value)
        self.has_told_end = self._pieces.has_told_end
        return events

    def _does_more(self, value: Mapping[str, Any]) -> bool:
        """Pictures, and what its own tools did."""
        if self._pieces.was_text:
            return False
        contents = (candidate.get("content") or {} for candidate in value.get("candidates") or ())
        return any(part.keys() - {"text"} for content in contents for part in content.get("parts") or ())

    def _end(self) -> list[Event]:
        return self._pieces.finish()


def read_logprobs(result: object) -> tuple[Any, ...]:
    """Of logprobsResult; see events.TextDelta."""
    if not isinstance(result, Mapping):
        return ()
    chosen, tops = _maps(result.get("chosenCandidates")), _maps(result.get("topCandidates"))
    return tuple(
        _entry(token) | {"top_logprobs": [_entry(top) for top in _tops(tops, index)]}
        for index, token in enumerate(chosen)
    )


def _entry(candidate: Mapping[str, Any]) -> dict[str, Any]:
    """A certain token has a log probability of 0, which Google leaves out."""
    token, logprob = candidate.get("token"), candidate.get("logProbability")
    token = token if isinstance(token, str) else ""
    logprob = logprob if isinstance(logprob, int | float) else 0.0
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


def _tops(tops: Sequence[Mapping[str, Any]], index: int) -> list[Mapping[str, Any]]:
    return _maps(tops[index].get("candidates")) if index < len(tops) else []
