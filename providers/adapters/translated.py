"""An adapter for a client and a provider that speak different wire formats, or both one beside OpenAI's chat."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import starmap
from typing import Any

import orjson

from providers.adapters.base import Answer, StreamReader, UpstreamRequest
from providers.adapters.call_ids import RenamedCalls
from providers.adapters.repair import OneCallReader, RepairedReader, Repairs, keep_first_call, repair_whole
from providers.facts import ProviderFacts
from providers.formats.base import (
    AnswerFacts,
    AnswerWriter,
    CannotTranslate,
    EventReader,
    Format,
    SaidTools,
    TranslationError,
    WrittenRequest,
)
from providers.formats.extras import refuse_choices
from providers.formats.field_names import client_field, to_client_field
from providers.formats.fitting import Fitter
from providers.formats.limits import LIMITS
from providers.formats.proofs import may_have_issuers, own_proofs, seal_json, with_issuer
from providers.formats.said_tools import RestoredCalls
from providers.formats.translation import write_for
from providers.wire.call import Call
from providers.wire.conversation import Conversation
from providers.wire.estimate import FILE_CHARS, UsageReport, are_plain, estimate_usage, missing_usage
from providers.wire.events import (
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
    UsageSeen,
)
from providers.wire.failure import FailureKind, UpstreamFailure, bad_response
from providers.wire.json_text import read_json
from providers.wire.upstream import Upstream
from providers.wire.usage import Costing, Usage

_TEXTS = (TextDelta, ReasoningDelta, ToolArguments, RefusalDelta)
_OPENS = frozenset({Started, UsageSeen})
_NO_OUTPUT = _OPENS | {Finished, Native, ReasoningSigned}


@dataclass(slots=True)
class Progress:
    """How far an answer is, as its events tell. See providers.adapters.base.StreamReader."""

    told: Usage | None = None
    has_finished: bool = False
    output_chars: int = 0
    has_output: bool = False
    report: UsageReport = field(default_factory=UsageReport)

    def note(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, _TEXTS):
                self.output_chars += len(event.text)
            elif isinstance(event, UsageSeen):
                self.told = event.usage
            elif isinstance(event, Finished):
                self.has_finished = True
            elif isinstance(event, FileGenerated):
                self.output_chars += FILE_CHARS
        self.has_output = self.has_output or not _NO_OUTPUT.issuperset(map(type, events))

    def note_report(self) -> None:
        self.report.note(self.output_chars, has_output=self.has_output)

    @property
    def lacks_output_usage(self) -> bool:
        """What was told last was told before there was any output."""
        return self.report.is_early and self.has_output

    def usage_so_far(self, reported: Usage | None) -> Usage | None:
        return self.told or self.report.complete(reported, self.output_chars)


class _EventStream(Progress):
    """A provider's stream, read as events. See providers.adapters.base.StreamReader."""

    def __init__(self, reader: EventReader, call: Call) -> None:
        super().__init__()
        self.has_begun = False
        self._reader = reader
        self._request = call.body

    @property
    def is_done(self) -> bool:
        return self._reader.is_done

    @property
    def has_told_end(self) -> bool:
        return self.has_finished or self._reader.has_told_end

    @property
    def usage(self) -> Usage | None:
        return self.usage_so_far(self._reader.reported)

    def _note(self, events: Sequence[Event]) -> Sequence[Event]:
        """The events, without usage that says nothing of the output."""
        told_after = self._reader.reported_after
        if told_after is not None:
            self.note(events[:told_after])
            self.note_report()
            self.note(events[told_after:])
        else:
            self.note(events)
        if self.told and self.lacks_output_usage:
            self.told = None
            events = [event for event in events if not isinstance(event, UsageSeen)]
        return events


class TranslatedStream(_EventStream):
    """Written anew for the client."""

    def __init__(
        self, reader: EventReader, writer: AnswerWriter, call: Call, fitter: Fitter, issuer: str
    ) -> None:
        super().__init__(reader, call)
        self._issuer = issuer
        self._writer = writer
        self._fitter = fitter

    def fail(self, error: Mapping[str, Any]) -> bytes:
        return self._writer.fail(error)

    def feed(self, data: bytes) -> bytes:
        return self._write(self._reader.feed(data))

    def finish(self) -> bytes:
        return self._write(self._reader.finish())

    def terminator(self) -> bytes:
        end = b""
        if self.told is None:
            estimate = _missing_usage(self, self._request, self._reader.reported)
            self.note(estimate)
            end = self._writer.write(estimate)
        return end + self._writer.finish(self._fitter.left_out)

    def _write(self, events: Sequence[Event]) -> bytes:
        if len(events) == 1 and type(event := events[0]) is TextDelta and self._flows:
            # No usage is told with it, and nothing of it has to be fitted to its client.
            self.output_chars += len(event.text)
            return self._writer.write(events)
        told = self._fitter.fit(with_issuer(self._note(events), self._issuer))
        self.has_begun = self.has_begun or _does_more(told)
        return self._writer.write(told)

    @property
    def _flows(self) -> bool:
        """More text changes nothing but its length."""
        has_told_usage = self.told is not None or self._reader.reported_after is not None
        return self.has_output and self.has_begun and self._fitter.has_said and not has_told_usage


class UntouchedStream(_EventStream):
    """Passed on to a client of the same format: every event that could be read, its JSON as it is."""

    def __init__(self, reader: EventReader, facts: AnswerFacts, call: Call, own: Format, issuer: str) -> None:
        super().__init__(reader, call)
        self._issuer = issuer
        self._facts = facts
        self._own = own
        self._calls = RenamedCalls(call)
        self._sent = b""
        """The last event."""

    def fail(self, error: Mapping[str, Any]) -> bytes:
        return self._own.writer(replace(self._facts, sent=self._sent)).fail(error)

    def feed(self, data: bytes) -> bytes:
        events = self._note(self._reader.feed(data))
        self._calls.note(events)
        self.has_begun = self.has_begun or self._reader.has_begun or _does_more(events)
        return self._frame_all()

    def finish(self) -> bytes:
        self._calls.note(self._note(self._reader.finish()))
        return self._frame_all()

    def terminator(self) -> bytes:
        """It was among the events, unless the provider left it out."""
        return b"" if self.is_done else self._own.end

    def _frame_all(self) -> bytes:
        issuer, own = self._issuer, self._own
        told = starmap(self._with_usage, starmap(self._calls.rename, self._reader.untouched))
        frames = [own.frame(value, seal_json(value, data, issuer)) for value, data in told]
        self._sent = next(filter(None, reversed(frames)), self._sent)
        return b"".join(frames)

    def _with_usage(self, value: Mapping[str, Any], data: bytes) -> tuple[Mapping[str, Any], bytes]:
        """An event, and its JSON, with an estimate of the usage that the provider leaves out there."""
        member = self._own.lacks_usage(value)
        if member is None:
            return value, data
        told = {self._own.usage_name: self._own.usage(self._estimated())}
        whole = {**value, member: {**value[member], **told}} if member else {**value, **told}
        return whole, orjson.dumps(whole)

    def _estimated(self) -> Usage:
        """Before there is any output, what it will have cost to read the prompt."""
        reported = self.usage
        if reported is not None:
            return reported
        if self.has_begun:
            return missing_usage(self._request, self.output_chars, has_output=self.has_output)
        return estimate_usage(self._request, 0)


class TranslatingAdapter:
    """See providers.adapters.base.Adapter. `own` is what the provider speaks, `client` what the client speaks.

    What has to be repaired is written anew for a client of the same format too.
    """

    def __init__(
        self, own: Format, client: Format, repairs: Repairs = (), *, clock: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._own = own
        self._client = client
        self._repairs = repairs
        self._is_same = own is client and not repairs

    def request(self, call: Call, provider: ProviderFacts, upstream: Upstream) -> UpstreamRequest:
        """Raises UpstreamFailure: UNSUPPORTED for what the provider's format cannot say, CALLER for a bad request."""
        try:
            read = call.request
            conversation = read if isinstance(read, Conversation) else self._client.read_request(call.body)
            if not self._is_same:
                refuse_choices(conversation)
            holds_more = not are_plain(call.body.get("messages") or ())
            if upstream.drops_proofs or (holds_more and may_have_issuers(call.raw)):
                conversation = own_proofs(conversation, provider.issuer, drops_all=upstream.drops_proofs)
            known = replace(upstream, user_id=call.hashed(conversation.user_id))
            written = write_for(self._own, self._client, conversation, known)
        except TranslationError as error:
            kind = FailureKind.UNSUPPORTED if isinstance(error, CannotTranslate) else FailureKind.CALLER
            raise UpstreamFailure(
                kind, error.message, code=error.code, status=400, param=error.param
            ) from None
        access = self._own.access
        headers = {
            **access.headers(provider.secret, provider.quirks, is_streamed=call.is_streamed),
            **written.headers,
            **access.betas(call.betas),
        }
        url = provider.base_url.rstrip("/") + written.path
        translated = (*written.translated, *_hidden(conversation, written))
        body = orjson.dumps(written.body)
        return UpstreamRequest(
            url,
            headers,
            body,
            translated=translated,
            told=(*written.lost, *written.told),
            tools=written.tools,
        )

    def answer(
        self,
        call: Call,
        model: str,
        status: int,
        body: bytes,
        issuer: str = "",
        tools: SaidTools | None = None,
    ) -> Answer:
        value, body = _read_json(body, status)
        events: Sequence[Event] = repair_whole(self._own.read_answer(value), self._repairs_of(call, tools))
        if self._keeps_one_call(call):
            events = keep_first_call(events)
        progress = Progress()
        progress.note(events)
        missing: Sequence[Event] = ()
        if progress.told is None:
            missing = _missing_usage(progress, call.body)
            progress.note(missing)
        usage = progress.told or Usage()
        if self._is_same:
            calls = RenamedCalls(call)
            calls.note(events)
            value, body = calls.rename(value, body)
            lacking = self._lacking(value, usage)
            told = {**value, **lacking} if lacking else value
            return Answer(seal_json(told, orjson.dumps(told) if lacking else body, issuer), usage)
        fitter = Fitter(self._client)
        events = [*fitter.fit(with_issuer(events, issuer)), *missing]
        told = self._client.write_answer(events, self._facts(call, model))
        return Answer(orjson.dumps(told), usage, tuple(fitter.left_out))

    def _lacking(self, value: Mapping[str, Any], usage: Usage) -> dict[str, Any]:
        """The usage of a whole answer, where its provider told none, or not all that SDKs read."""
        name, told = self._own.usage_name, self._own.usage(usage)
        given = value.get(name)
        if not isinstance(given, Mapping) or usage.is_estimated:
            return {name: told}
        details = {
            key: told[key] for key in self._own.usage_details if not isinstance(given.get(key), Mapping)
        }
        return {name: {**given, **details}} if details else {}

    def stream(
        self,
        call: Call,
        model: str,
        cost_usd: Costing | None = None,
        issuer: str = "",
        tools: SaidTools | None = None,
    ) -> StreamReader:
        reader: EventReader = self._own.reader()
        reader.is_relayed = self._is_same
        if repairs := self._repairs_of(call, tools):
            reader = RepairedReader(reader, repairs)
        if self._keeps_one_call(call):
            reader = OneCallReader(reader)
        facts = self._facts(call, model, cost_usd)
        if self._is_same:
            return UntouchedStream(reader, facts, call, self._own, issuer)
        return TranslatedStream(reader, self._client.writer(facts), call, Fitter(self._client), issuer)

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        failure = self._own.failure(status, headers, body)
        if failure.param and not self._is_same:
            failure.param = to_client_field(failure.param, self._own.name, self._client.name)
        return failure

    def _facts(self, call: Call, model: str, cost_usd: Costing | None = None) -> AnswerFacts:
        told = (call.id, call.created, model, call.wants_usage, cost_usd, call.body)
        return AnswerFacts(*told, input_tokens=call.input_tokens, clock=self._clock)

    def _repairs_of(self, call: Call, tools: SaidTools | None) -> Repairs:
        if tools is None:
            return self._repairs
        limits = LIMITS.get(self._client.name, LIMITS["openai"])
        return (*self._repairs, lambda: RestoredCalls(tools, limits, call.id))

    def _keeps_one_call(self, call: Call) -> bool:
        return not self._own.can_limit_calls and self._client.wants_one_call(call.body)


def _does_more(events: Sequence[Event]) -> bool:
    """Than open an answer."""
    return not _OPENS.issuperset(map(type, events))


def _hidden(conversation: Conversation, written: WrittenRequest) -> Sequence[str]:
    """That the end user's id is another one for the provider, where it goes there at all."""
    name = client_field(conversation.source, "user")
    is_sent = conversation.user_id and f"{name} -> left out" not in written.translated
    return (f"{name} -> hashed",) if is_sent else ()


def _missing_usage(
    progress: Progress, request: Mapping[str, Any], reported: Usage | None = None
) -> list[Event]:
    """An estimate of what the provider did not tell."""
    estimate = progress.usage_so_far(reported) or missing_usage(
        request, progress.output_chars, has_output=progress.has_output
    )
    return [UsageSeen(estimate)]


def _read_json(body: bytes, status: int) -> tuple[Any, bytes]:
    """The value, and the body with its text repaired where that was broken."""
    try:
        return read_json(body)
    except orjson.JSONDecodeError:
        raise bad_response(status=status) from None
    except ValueError:
        raise bad_response("The provider's answer is nested too deeply.", status=status) from None
