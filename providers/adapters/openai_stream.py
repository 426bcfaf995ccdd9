"""Reads a streamed answer in OpenAI's format, passing its bytes on untouched wherever that is right."""

from collections.abc import Mapping
from operator import is_
from typing import Any

import orjson

from providers.adapters.base import FailureKind, UpstreamFailure
from providers.adapters.openai_failures import bad_response, reported_inside
from providers.formats.chat.usage import write_stream_usage
from providers.formats.error_body import error_body
from providers.wire.call import InferenceCall
from providers.wire.estimate import estimate_usage
from providers.wire.json_text import read_json
from providers.wire.sse import OversizedEvent, SseSplitter, event
from providers.wire.usage import Costing, Usage, read_openai_usage

_DONE = b"[DONE]"
_HEAD = ("id", "object", "created", "model")
_UNUSUAL = frozenset({"error", "x_groq"})


class OpenAIStreamReader:
    """See providers.adapters.base.StreamReader."""

    def __init__(self, call: InferenceCall, cost_usd: Costing | None = None) -> None:
        self.usage: Usage | None = None
        self.has_finished = False
        self.is_done = False
        self.output_chars = 0
        self.has_output = False
        self._call = call
        self._wants_usage = call.wants_usage
        self._cost_usd = cost_usd
        self._head: dict[str, Any] = {}
        self._splitter = SseSplitter()
        self._open: set[int] = set()
        self._finished: set[int] = set()
        self._has_events = False
        self._has_skipped = False

    def feed(self, data: bytes) -> bytes:
        if self.is_done:
            return b""
        try:
            events = self._splitter.feed(data)
        except OversizedEvent:
            raise _too_large() from None
        return self._relay(events, data)

    def finish(self) -> bytes:
        if self.is_done:
            return b""
        answer = self._relay(self._splitter.finish(), b"")
        if not self._has_events:
            raise bad_response()
        return answer

    def terminator(self) -> bytes:
        if not self._wants_usage or self.usage:
            return event(_DONE)
        self.usage = estimate_usage(self._call.body, self.output_chars)
        chunk = self._head | {"choices": [], "usage": write_stream_usage(self.usage, self._cost_usd)}
        return event(orjson.dumps(chunk)) + event(_DONE)

    def fail(self, error: Mapping[str, Any]) -> bytes:
        return event(orjson.dumps(error_body(error)))

    def _relay(self, events: list[bytes], data: bytes) -> bytes:
        kept: list[bytes] = []
        is_untouched = self._splitter.was_plain
        for source in events:
            self._has_events = True
            shown = None if self.is_done else self._read(source)
            if shown is not source:
                is_untouched = False
            if shown is not None:
                kept.append(shown)
        return data if is_untouched else b"".join(map(event, kept))

    def _read(self, source: bytes) -> bytes | None:
        """The event as the client gets it, None where it does not get it."""
        try:
            chunk = orjson.loads(source)
        except orjson.JSONDecodeError:
            return self._read_unusual(source)
        return source if self._is_more_text(chunk) else self._read_chunk(chunk, source)

    def _is_more_text(self, chunk: Any) -> bool:
        """Take the commonest chunk by far in one step: more text of the only choice, and nothing else."""
        try:
            (choice,) = chunk["choices"]
            delta = choice["delta"]
            length = len(delta["content"])
            is_only_text = len(delta) == 1 and isinstance(delta["content"], str)
            is_running = choice["finish_reason"] is None and choice["index"] in self._open
        except (KeyError, TypeError, ValueError):
            return False
        if not (is_only_text and is_running) or chunk.get("usage") or not _UNUSUAL.isdisjoint(chunk):
            return False
        self.output_chars += length
        self.has_output = self.has_output or length > 0
        return True

    def _read_unusual(self, source: bytes) -> bytes | None:
        """The terminator, or an event that is not good JSON: mended if only its text is broken."""
        if source.strip() == _DONE:
            self.is_done = True
            return None
        try:
            chunk, shown = read_json(source)
        except ValueError:
            chunk, shown = None, source
        return self._read_chunk(chunk, shown)

    def _skip(self) -> None:
        """Leave out the first event that cannot be read. Raises UpstreamFailure for the second."""
        if self._has_skipped:
            raise bad_response()
        self._has_skipped = True

    def _read_chunk(self, chunk: Any, shown: bytes) -> bytes | None:
        if not isinstance(chunk, dict):
            self._skip()
            return None
        if error := chunk.get("error") or _vendor_error(chunk):
            raise reported_inside(error)
        has_usage = chunk.get("usage") is not None
        if has_usage:
            chunk, shown = self._show_usage(chunk, shown)
        choices = chunk.get("choices")
        if not isinstance(choices, list):
            return None
        if not choices:
            return None if has_usage and "usage" not in chunk else shown
        self._head = {name: chunk[name] for name in _HEAD if name in chunk}
        return self._take_choices(chunk, choices, shown)

    def _show_usage(self, chunk: dict[str, Any], shown: bytes) -> tuple[dict[str, Any], bytes]:
        """To the client that asked for it, with what it costs that client. Nobody is told an absurd one."""
        usage = read_openai_usage(chunk["usage"])
        self.usage = usage or self.usage
        if usage is None or not self._wants_usage:
            chunk = {name: value for name, value in chunk.items() if name != "usage"}
        elif self._cost_usd is None:
            return chunk, shown
        else:
            chunk = chunk | {"usage": chunk["usage"] | {"cost": float(self._cost_usd(usage))}}
        return chunk, orjson.dumps(chunk)

    def _take_choices(self, chunk: dict[str, Any], choices: list[Any], shown: bytes) -> bytes | None:
        kept = [self._take_choice(choice) for choice in choices]
        self.has_finished = bool(self._finished) and not self._open
        if all(map(is_, kept, choices)):
            return shown
        kept = [choice for choice in kept if choice is not None]
        if not kept and not (self._wants_usage and chunk.get("usage")):
            return None
        return orjson.dumps({**chunk, "choices": kept})

    def _take_choice(self, choice: Any) -> dict[str, Any] | None:
        """The choice to pass on: None if it is none, or only says again that it has finished."""
        if not isinstance(choice, dict):
            return None
        reason = choice.get("finish_reason")
        if reason == "error":
            raise UpstreamFailure(
                FailureKind.UNAVAILABLE, "The provider broke its answer off.", code="provider_unavailable"
            )
        has_output = self._take_delta(choice.get("delta"))
        index = choice.get("index")
        if self._is_news(index if isinstance(index, int) else 0, reason):
            return choice
        return {**choice, "finish_reason": None} if has_output else None

    def _is_news(self, index: int, reason: object) -> bool:
        """False for a second finish of the same choice."""
        if index in self._finished:
            return not reason
        if reason:
            self._finished.add(index)
            self._open.discard(index)
        else:
            self._open.add(index)
        return True

    def _take_delta(self, delta: Any) -> bool:
        """Count what the model generated; whether this delta had any of it."""
        if not isinstance(delta, dict):
            return False
        chars, has_output = generated(delta)
        self.output_chars += chars
        self.has_output = self.has_output or has_output
        return has_output


def generated(message: dict[str, Any]) -> tuple[int, bool]:
    """Characters of text, reasoning and tool arguments in a message or a delta; whether there was any of it."""
    chars = _length(message.get("content")) + _length(message.get("refusal"))
    # Some providers send the same reasoning under both names.
    chars += _length(message.get("reasoning_content")) or _length(message.get("reasoning"))
    calls = message.get("tool_calls")
    if not calls or not isinstance(calls, list):
        return chars, chars > 0
    return chars + sum(map(_arguments_length, calls)), True


def _vendor_error(chunk: dict[str, Any]) -> object:
    # Groq reports late errors here (its SDK's types, November 2026).
    extras = chunk.get("x_groq")
    return extras.get("error") if isinstance(extras, dict) else None


def _arguments_length(call: Any) -> int:
    function = call.get("function") if isinstance(call, dict) else None
    return _length(function.get("arguments")) if isinstance(function, dict) else 0


def _length(value: object) -> int:
    return len(value) if isinstance(value, str) else 0


def _too_large() -> UpstreamFailure:
    return UpstreamFailure(
        FailureKind.BAD_RESPONSE,
        "The provider's answer is larger than we accept.",
        code="provider_response_too_large",
    )
