"""An adapter for a client and a provider that speak different wire formats, or the same one that is not OpenAI's chat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from providers.adapters.base import (
    Answer,
    FailureKind,
    StreamReader,
    UpstreamFailure,
    UpstreamRequest,
)
from providers.adapters.openai_failures import bad_response
from providers.facts import ProviderFacts
from providers.formats.base import AnswerFacts, AnswerWriter, EventReader, Format, TranslationError, Upstream
from providers.wire.call import InferenceCall
from providers.wire.events import (
    CitationAdded,
    Event,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
    UsageSeen,
)
from providers.wire.usage import Usage

_OUTPUT = (TextDelta, RefusalDelta, ReasoningDelta, ToolCallStarted, ToolArguments, CitationAdded)


@dataclass(slots=True)
class Progress:
    """How far an answer is, as its events tell. See providers.adapters.base.StreamReader."""

    usage: Usage | None = None
    has_finished: bool = False
    output_chars: int = 0
    has_output: bool = False
    has_begun: bool = False
    """Something other than a beginning has come."""

    def note(self, events: Sequence[Event]) -> None:
        for event in events:
            self.has_begun = self.has_begun or not isinstance(event, Started | UsageSeen)
            match event:
                case UsageSeen():
                    self.usage = event.usage
                case Finished():
                    self.has_finished = True
                case TextDelta() | RefusalDelta() | ReasoningDelta() | ToolArguments():
                    self.output_chars += len(event.text)
            self.has_output = self.has_output or isinstance(event, _OUTPUT)


class TranslatedStream:
    """A provider's stream, written anew for the client. See providers.adapters.base.StreamReader."""

    def __init__(self, reader: EventReader, writer: AnswerWriter) -> None:
        self.progress = Progress()
        self._reader = reader
        self._writer = writer

    @property
    def is_done(self) -> bool:
        return self._reader.is_done

    def feed(self, data: bytes) -> bytes:
        return self._write(self._reader.feed(data))

    def finish(self) -> bytes:
        return self._write(self._reader.finish())

    def terminator(self) -> bytes:
        return self._writer.finish()

    def fail(self, error: Mapping[str, Any]) -> bytes:
        return self._writer.fail(error)

    def _write(self, events: Sequence[Event]) -> bytes:
        self.progress.note(events)
        return self._writer.write(events)


class UntouchedStream:
    """A provider's stream, passed on as it is to a client of the same format, and read on the way.

    Held back until something has been generated: what fails before that can still go to another provider.
    """

    def __init__(self, reader: EventReader, writer: AnswerWriter) -> None:
        self.progress = Progress()
        self._reader = reader
        self._writer = writer
        self._held = b""

    @property
    def is_done(self) -> bool:
        return self._reader.is_done

    def feed(self, data: bytes) -> bytes:
        self.progress.note(self._reader.feed(data))
        return self._let_go(data)

    def finish(self) -> bytes:
        self.progress.note(self._reader.finish())
        return self._let_go(b"")

    def terminator(self) -> bytes:
        """It was among the bytes."""
        return b""

    def fail(self, error: Mapping[str, Any]) -> bytes:
        return self._writer.fail(error)

    def _let_go(self, data: bytes) -> bytes:
        self._held += data
        if not self.progress.has_begun:
            return b""
        ready, self._held = self._held, b""
        return ready


class TranslatingAdapter:
    """See providers.adapters.base.Adapter. `own` is what the provider speaks, `client` what the client speaks."""

    def __init__(self, own: Format, client: Format) -> None:
        self._own = own
        self._client = client
        self._is_same = own is client

    def request(self, call: InferenceCall, provider: ProviderFacts, upstream: Upstream) -> UpstreamRequest:
        """Raises UpstreamFailure of the kind CALLER for what the provider's format cannot say."""
        try:
            written = self._own.write_request(self._client.read_request(call.body), upstream)
        except TranslationError as error:
            raise UpstreamFailure(
                FailureKind.CALLER, error.message, code=error.code, status=400, param=error.param
            ) from None
        return UpstreamRequest(
            provider.base_url.rstrip("/") + written.path, dict(written.headers), orjson.dumps(written.body)
        )

    def answer(self, call: InferenceCall, status: int, body: bytes) -> Answer:
        value = _read_json(body, status)
        events = self._own.read_answer(value)
        progress = Progress()
        progress.note(events)
        shown = body if self._is_same else orjson.dumps(self._client.write_answer(events, _facts(call)))
        return Answer(shown, progress.usage, progress.output_chars)

    def stream(self, call: InferenceCall) -> StreamReader:
        form = UntouchedStream if self._is_same else TranslatedStream
        return form(self._own.reader(), self._client.writer(_facts(call)))

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        return self._own.failure(status, headers, body)


def _facts(call: InferenceCall) -> AnswerFacts:
    return AnswerFacts(call.id, call.created, call.model, wants_usage=call.wants_usage, request=call.body)


def _read_json(body: bytes, status: int) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise bad_response(status=status) from None
