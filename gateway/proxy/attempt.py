"""Stop 7: walk the plan, one upstream call after the other; never to the next past the first byte."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from accounts.attempts import AttemptClosed, AttemptOpened, AttemptRecord, AttemptSample
from catalogue.pricing.rate_card import RateCards
from gateway.core.envelopes import CONTEXT_EXCEEDED, read_lengths
from gateway.proxy.admission.admission import Admission
from gateway.proxy.admission.reserved import Reserved
from gateway.proxy.errors import GatewayError, Unavailable, from_failure
from gateway.proxy.exchange import (
    CLIENT_GONE,
    JSON_TYPE,
    CallResult,
    ClientGone,
    ResponseHead,
    ResponseSink,
    read_reason,
)
from gateway.proxy.ids import mint_id
from gateway.proxy.large import LARGE_BYTES, off_loop
from gateway.proxy.patience import CLIENT_DEADLINE, ENDLESS, Patience, limits_for, out_of_time
from gateway.proxy.ports import Snapshots
from gateway.proxy.relay import RelayLimits, StreamRelay
from gateway.proxy.settle import (
    CANCELLED,
    CUT,
    FAILED,
    FAILED_OVER,
    FINISHED,
    GATEWAY_ERROR,
    TIMED_OUT,
    Bill,
    find_payer,
    settle,
    usage_fields,
)
from gateway.proxy.targets import Target, Targets, find_targets
from providers.adapters.base import Adapter, StreamReader
from providers.engine import Timeouts, UpstreamEngine, UpstreamResponse
from providers.facts import ProviderFacts
from providers.formats.base import SaidTools
from providers.formats.searches import METER
from providers.health import HealthTable
from providers.wire.call import Call
from providers.wire.estimate import estimate_usage
from providers.wire.failure import FailureKind, UpstreamFailure
from providers.wire.upstream import Upstream
from providers.wire.usage import Costing, Usage

# The status says that we are refused; what the body adds is not worth a longer wait.
_ERROR_BODY_BYTES, _ERROR_BODY_S = 64 * 1024, 2.0


class AttemptObservers(Protocol):
    """Who is told of attempts: see gateway.proxy.observers. An attempt whose opening raises OSError is not made."""

    def attempt_opened(self, attempt: AttemptRecord, /) -> None: ...

    def attempt_closed(self, attempt: AttemptRecord, /) -> None: ...


@dataclass(frozen=True, slots=True)
class CallServices:
    """What making calls takes, in whichever process they are made."""

    engine: UpstreamEngine
    adapters: Callable[[Call, ProviderFacts], Adapter]
    """Raises KeyError for what the provider's format does not have."""
    snapshots: Snapshots
    observers: AttemptObservers
    health: HealthTable
    timeouts: Timeouts
    answer_bytes: int
    admission: Admission
    rate_cards: RateCards = field(default_factory=RateCards)


async def run_call(services: CallServices, call: Call, *, lane: str, sink: ResponseSink) -> CallResult:
    """Make the call: the one code for both lanes.

    A failure before the first byte is in the end's `error`, one after it is written into the stream.
    Raises ClientGone and CancelledError once the attempt under way is closed and recorded.
    """
    end = CallResult()
    patience = Patience(call.client_waits_s) if call.client_waits_s else ENDLESS
    targets = Targets(await find_targets(services.snapshots, call), services.health, patience)
    reserved = Reserved(services.admission, call)
    error: GatewayError | None = None
    try:
        while target := targets.advance():
            if not await reserved.has_room(target):
                continue
            end.attempts += 1
            attempt = (FurtherAttempt if target.credential else Attempt)(
                services, call, target, patience, lane=lane, number=end.attempts
            )
            try:
                await attempt.run(sink, may_go_on=targets.may_follow)
                return end
            except UpstreamFailure as failure:
                # A provider's trouble may pass, and then its offering can do what this one cannot.
                if error is None or failure.kind is not FailureKind.UNSUPPORTED:
                    error = _milder(error, _told(failure, call, target))
                if attempt.has_begun:
                    end.cut_by = error.error_code
                    await sink.send(attempt.fail(error), is_last=True)
                    return end
                if not targets.may_follow(failure):
                    break
            finally:
                reserved.note(attempt.record)
                if call.held_output_tokens:
                    end.output_tokens = attempt.record.output_tokens or 0
    finally:
        reserved.close()
    end.error = (error or _nobody_can()).to_dict()
    return end


def _told(failure: UpstreamFailure, call: Call, target: Target) -> GatewayError:
    """With how long the prompt is and may be, by our own count, where the provider refuses it without a number."""
    error = from_failure(failure)
    if error.error_code == CONTEXT_EXCEEDED and read_lengths(error.message) is None:
        most = target.offering.context_length or target.model.context_length
        if most and call.input_tokens > most:
            error.message += f" It has about {call.input_tokens} tokens > {most} maximum."
    return error


def _milder(before: GatewayError | None, error: GatewayError) -> GatewayError:
    """Of several providers that are limited, the client waits for the first to have room."""
    waits = [each.retry_after_s for each in (before, error) if each and each.http_status == 429]
    if len(waits) == 2 and None not in waits:
        error.retry_after_s = min(filter(None, waits))
    return error


def _nobody_can() -> GatewayError:
    return Unavailable("No provider can take this call at the moment.", code="no_provider")


class Attempt:
    """One upstream call, recorded before it leaves and after it ends, however it ends."""

    has_begun = False
    _reader: StreamReader | None = None
    _translated: Sequence[str] | None = None
    _tools: SaidTools | None = None
    _finished_bill: Bill | None = None
    _status: int | None = None
    _usage: Usage | None = None
    _output_chars = 0
    _has_output = False
    _first_output_at: float | None = None

    def __init__(
        self,
        services: CallServices,
        call: Call,
        target: Target,
        patience: Patience,
        *,
        lane: str,
        number: int,
    ) -> None:
        now = time.time()
        self.services = services
        self.call = call
        self.target = target
        self.number = number
        self._patience = patience
        limits = limits_for(services.timeouts, call, target.offering, target.provider)
        if patience is not ENDLESS:
            limits = patience.shorten(limits, is_streamed=call.is_streamed)
        self._limits = limits
        self._adapter = services.adapters(call, target.provider)
        self._rate_card = services.rate_cards.find(target.offering, now)
        self.record = AttemptRecord(self._describe(lane, now))
        self._started = time.monotonic()

    async def run(self, sink: ResponseSink, *, may_go_on: Callable[[UpstreamFailure], bool]) -> None:
        """`may_go_on` tells, after a failure, whether another offering will be tried.

        Raises UpstreamFailure, ClientGone.
        """
        self._open()
        outcome, error_code, failure = FAILED, GATEWAY_ERROR, None
        try:
            await self._make(sink)
            outcome, error_code = FINISHED, ""
        except UpstreamFailure as caught:
            failure = self._patience.judge(caught)
            failure.hide(self.target.provider.secret)
            error_code = failure.code
            outcome = CUT if self.has_begun else FAILED_OVER if may_go_on(failure) else FAILED
            raise failure from caught.__cause__
        except ClientGone:
            outcome, error_code = CANCELLED, CLIENT_GONE
            raise
        except asyncio.CancelledError as cancelled:
            outcome, error_code = CANCELLED, read_reason(cancelled)
            raise
        finally:
            self._close(outcome, error_code, failure)

    def fail(self, error: GatewayError) -> bytes:
        """The error as an event of the stream that has begun."""
        assert self._reader is not None, "only a stream can have begun and fail"  # noqa: S101
        return self._reader.fail(error.to_dict())

    def _upstream(self) -> Upstream:
        offering, model = self.target.offering, self.target.model
        return Upstream(
            name=offering.upstream_name,
            is_streamed=self.call.is_streamed,
            params=offering.params,
            max_output_tokens=offering.max_output_tokens or model.max_output_tokens,
            quirks=self.target.provider.quirks,
            drops_proofs=self.target.is_bare,
            searches=self.call.may_search_elsewhere and offering.has_price_for(METER),
        )

    async def _make(self, sink: ResponseSink) -> None:
        asked = (self.call, self.target.provider, self._upstream())
        is_large = len(self.call.raw) > LARGE_BYTES
        request = await off_loop(self._adapter.request, *asked) if is_large else self._adapter.request(*asked)
        if self.call.shows_translated:
            self._translated = request.translated
        elif request.told:
            self._translated = request.told
        self._tools = request.tools
        response = await self.services.engine.open(request, self._limits)
        try:
            self._status = response.status
            if not 200 <= response.status < 300:
                body = await response.read_part(_ERROR_BODY_BYTES, _ERROR_BODY_S)
                raise self._adapter.failure(response.status, response.headers, body)
            if self.call.is_streamed and not _is_json(response):
                await self._relay_stream(response, sink)
            else:
                await self._relay_answer(response, sink)
        finally:
            await response.close()

    async def _relay_stream(self, response: UpstreamResponse, sink: ResponseSink) -> None:
        reader = self._reader = self._adapter.stream(
            self.call,
            self.target.model.id,
            self._costs_here(),
            self.target.provider.issuer,
            self._tools,
        )
        relay = StreamRelay(reader, sink, begin=lambda: sink.begin(self._head()))
        limits = RelayLimits(self._limits.first_byte_s, self._limits.idle_s, self.services.answer_bytes)
        admission, call = self.services.admission, self.call
        if call.held_output_tokens and not self.target.is_own:
            admission.grow(call, lambda: reader.output_chars, self._rate_card.cost_usd)
        try:
            if self._patience is ENDLESS:
                await relay.run(response, limits)
            else:
                await self._begin_in_time(relay, response, limits)
        finally:
            if call.held_output_tokens:
                admission.has_ended(call)
            self.has_begun = relay.has_begun
            self._usage = reader.usage
            self._output_chars, self._has_output = reader.output_chars, reader.has_output
            self._first_output_at = relay.first_output_at

    async def _begin_in_time(
        self, relay: StreamRelay, response: UpstreamResponse, limits: RelayLimits
    ) -> None:
        try:
            async with asyncio.timeout(self._patience.left_s) as until_begun:
                relay.when_begun = lambda: until_begun.reschedule(None)
                await relay.run(response, limits)
        except TimeoutError:
            raise out_of_time() from None

    async def _relay_answer(self, response: UpstreamResponse, sink: ResponseSink) -> None:
        body = await response.read(self.services.answer_bytes)
        issuer = self.target.provider.issuer
        told = (self.call, self.target.model.id, response.status, body, issuer, self._tools)
        is_large = len(body) > LARGE_BYTES
        answer = await off_loop(self._adapter.answer, *told) if is_large else self._adapter.answer(*told)
        if self.call.is_streamed:
            raise _bad_response("The provider did not stream.")
        self._usage = answer.usage
        if answer.translated:
            self._translated = (*(self._translated or ()), *answer.translated)
        self._first_output_at = time.monotonic()
        bill = self._finished_bill = self._bill(FINISHED)
        head = self._head(length=len(answer.body), cost_usd=f"{bill.cost_usd:f}")
        if answer.content_type != JSON_TYPE:
            if _is_json(response):
                raise _bad_response("The provider answered with JSON where bytes were due.")
            head.content_type = answer.content_type
        await sink.begin(head)
        self.has_begun = True
        await sink.send(answer.body, is_last=True)

    def _head(self, *, length: int | None = None, cost_usd: str | None = None) -> ResponseHead:
        target = self.target
        return ResponseHead(
            target.provider.slug, target.model.id, self.number, length, cost_usd, self._translated
        )

    def _costs_here(self) -> Costing:
        """What the client is told that it costs."""
        return self._rate_card.cost_usd

    def _open(self) -> None:
        try:
            self.services.observers.attempt_opened(self.record)
        except OSError as error:
            raise Unavailable(
                "Calls cannot be accounted for at the moment.", code="ledger_unwritable", retry_after_s=10
            ) from error

    def _describe(self, lane: str, now: float) -> AttemptOpened:
        call, target = self.call, self.target
        return AttemptOpened(
            attempt_id=mint_id(),
            call_id=call.id,
            request_id=call.request_id,
            number=self.number,
            lane=lane,
            endpoint=call.endpoint,
            team_id=call.team_id,
            key_id=call.key_id,
            project=call.project,
            end_user=call.end_user,
            requested_model=call.requested_model,
            redirected_from=call.redirected_from,
            model=target.model.id,
            provider=target.provider.slug,
            upstream_name=target.offering.upstream_name,
            is_streamed=call.is_streamed,
            started_at=now,
            prices=self._rate_card.standard.fields,
            input_tokens=call.input_tokens,
            charge_factor=call.charge_factor,
            surface=call.format,
            **call.owners,
        )

    def _close(self, outcome: str, error_code: str, failure: UpstreamFailure | None) -> None:
        bill, first, record = self._bill(outcome, error_code), self._first_output_at, self.record
        latency_ms = (time.monotonic() - self._started) * 1000
        record.closed = AttemptClosed(
            attempt_id=record.opened.attempt_id,
            ended_at=time.time(),
            outcome=outcome,
            status=self._status,
            error_code=error_code,
            usage=usage_fields(bill.usage),
            is_estimated=bill.usage is not None and bill.usage.is_estimated,
            cost_usd=f"{bill.cost_usd:f}",
            loss_usd=f"{bill.loss_usd:f}",
            latency_ms=latency_ms,
            first_token_ms=None if first is None else (first - self._started) * 1000,
            prices=self._other_prices(bill.usage),
            about_us=failure.about_us if failure else "",
            translated=self._translated,
        )
        if self.target.is_own:
            record.closed.own_cost_usd = f"{bill.own_cost_usd:f}"
        if failure and error_code != CLIENT_DEADLINE:
            kind = failure.kind.value
            record.sample = AttemptSample(self.target.way, latency_ms, kind, failure.retry_after_s)
        elif outcome == FINISHED:
            record.sample = AttemptSample(self.target.way, latency_ms)
        self.services.observers.attempt_closed(record)

    def _bill(self, outcome: str, error_code: str = "") -> Bill:
        if outcome == FINISHED and self._finished_bill:
            return self._finished_bill
        estimate = None
        if self._usage is None and (self._has_output or error_code in TIMED_OUT):
            estimate = estimate_usage(self.call.body, self._output_chars)
        return settle(find_payer(outcome, error_code), self._usage, estimate, self._rate_card.cost_usd)

    def _other_prices(self, usage: Usage | None) -> list[Mapping[str, Any]] | None:
        """Those of the service tier, where it was not the standard one."""
        if usage is None or not usage.service_tier:
            return None
        plan = self._rate_card.plan_for(usage)
        return None if plan is self._rate_card.standard else plan.fields


class FurtherAttempt(Attempt):
    """By another credential than the provider's main one; where that is the team's own, at no cost here."""

    def _costs_here(self) -> Costing:
        return _nothing if self.target.is_own else super()._costs_here()

    async def _make(self, sink: ResponseSink) -> None:
        try:
            await super()._make(sink)
        except UpstreamFailure as failure:
            credential = self.target.credential
            if failure.about_us and credential and credential.is_own:
                failure.blame(
                    f"{self.target.provider.name} refuses your team's own credential '{credential.label}', "
                    "or its account. An owner of the team can replace it."
                )
            raise

    def _describe(self, lane: str, now: float) -> AttemptOpened:
        opened, credential = super()._describe(lane, now), self.target.credential
        if credential and credential.is_own:
            opened.own_credential_id = credential.id
        elif credential:
            opened.operator_credential_id = credential.id
        return opened

    def _bill(self, outcome: str, error_code: str = "") -> Bill:
        bill = super()._bill(outcome, error_code)
        return bill.on_own() if self.target.is_own and bill is not self._finished_bill else bill


def _nothing(_: Usage) -> Decimal:
    return Decimal(0)


def _is_json(response: UpstreamResponse) -> bool:
    return response.headers.get("content-type", "").startswith("application/json")


def _bad_response(message: str) -> UpstreamFailure:
    return UpstreamFailure(FailureKind.BAD_RESPONSE, message, code="provider_bad_response", status=200)
