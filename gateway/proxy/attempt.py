"""One upstream call, recorded before it leaves and after it ends."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from accounts.attempts import AttemptClosed, AttemptOpened, AttemptRecord, AttemptSample
from gateway.proxy.errors import GatewayError, Unavailable
from gateway.proxy.exchange import CLIENT_GONE, JSON_TYPE, ClientGone, ResponseHead, ResponseSink, read_reason
from gateway.proxy.fallbacks import is_refusal, refused_content
from gateway.proxy.ids import mint_id
from gateway.proxy.large import LARGE_BYTES, off_loop
from gateway.proxy.patience import CLIENT_DEADLINE, ENDLESS, Patience, out_of_time
from gateway.proxy.relay import RelayLimits, StreamRelay
from gateway.proxy.services import CallServices
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
    usage_fields,
)
from gateway.proxy.targets import Target
from providers.adapters.base import StreamReader
from providers.engine import UpstreamResponse
from providers.formats.base import SaidTools
from providers.wire.call import Call
from providers.wire.estimate import estimate_usage
from providers.wire.failure import POOL_FULL, FailureKind, UpstreamFailure
from providers.wire.usage import Usage

# The status says that we are refused; what the body adds is not worth a longer wait.
_ERROR_BODY_BYTES, _ERROR_BODY_S = 64 * 1024, 2.0


_NOT_THE_PROVIDERS = frozenset({CLIENT_DEADLINE, POOL_FULL})
"""Ends that say nothing of an offering's health."""


class Attempt:
    """Recorded however it ends."""

    has_begun = False
    spent_ms = 0.0
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
        self._terms = terms = target.terms(call, services.timeouts, services.adapters)
        self._limits = terms.limits
        if patience is not ENDLESS:
            self._limits = patience.shorten(terms.limits, is_streamed=call.is_streamed)
        self._adapter = terms.adapter or services.adapters(call, target.provider)
        self._rate_card = services.rate_cards.find(target.offering, now)
        self.record = AttemptRecord(self._describe(lane, now))
        self._started = started = time.monotonic()
        services.retries.began(target.way, started)

    async def run(self, sink: ResponseSink, *, may_go_on: Callable[[UpstreamFailure], bool]) -> None:
        """`may_go_on` tells, after a failure, whether another offering will be tried.

        Raises UpstreamFailure, ClientGone.
        """
        self._may_go_on = may_go_on
        try:
            self.services.observers.attempt_opened(self.record)
        except OSError as error:
            raise Unavailable(
                "Calls cannot be accounted for at the moment.", code="ledger_unwritable", retry_after_s=10
            ) from error
        outcome, error_code, failure = FAILED, GATEWAY_ERROR, None
        try:
            await self._make(sink)
            outcome, error_code = FINISHED, ""
        except UpstreamFailure as caught:
            failure = self.target.judge(self._patience.judge(caught))
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

    async def _make(self, sink: ResponseSink) -> None:
        call, adapter = self.call, self._adapter
        asked = (call, self.target.provider, self._terms.upstream)
        is_large = len(call.raw) > LARGE_BYTES
        request = await off_loop(adapter.request, *asked) if is_large else adapter.request(*asked)
        if call.shows_translated:
            self._translated = request.translated
        elif request.told:
            self._translated = request.told
        self._tools = request.tools
        response = await self.services.engine.open(request, self._limits)
        try:
            status = self._status = response.status
            self.record.answered = response.headers
            if status // 100 != 2:
                body = await response.read_part(_ERROR_BODY_BYTES, _ERROR_BODY_S)
                raise adapter.failure(status, response.headers, body)
            if call.is_streamed and not _is_json(response):
                await self._relay_stream(response, sink)
            else:
                await self._relay_answer(response, sink)
        finally:
            await response.close()

    async def _relay_stream(self, response: UpstreamResponse, sink: ResponseSink) -> None:
        costs = self.target.costing(self._rate_card.cost_usd)
        reader = self._reader = self._adapter.stream(
            self.call,
            self.target.model.id,
            costs,
            self._terms.issuer,
            self._tools,
        )
        relay = StreamRelay(reader, sink, begin=lambda: sink.begin(self._head()))
        limits = RelayLimits(self._limits.first_byte_s, self._limits.idle_s, self.services.answer_bytes)
        admission, call = self.services.admission, self.call
        if call.held_output_tokens:
            list_cost = self._rate_card.cost_usd
            admission.grow(call, lambda: reader.output_chars, list_cost, is_own=self.target.is_own)
        if call.fallback_on:
            relay.when_begun = self._refuse_refusal
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
                judge = relay.when_begun

                def begin(data: bytes) -> None:
                    if judge:
                        judge(data)
                    until_begun.reschedule(None)

                relay.when_begun = begin
                await relay.run(response, limits)
        except TimeoutError:
            raise out_of_time() from None

    async def _relay_answer(self, response: UpstreamResponse, sink: ResponseSink) -> None:
        body = await response.read(self.services.answer_bytes)
        call, target = self.call, self.target
        told = (call, target.model.id, response.status, body, self._terms.issuer, self._tools)
        is_large = len(body) > LARGE_BYTES
        answer = await off_loop(self._adapter.answer, *told) if is_large else self._adapter.answer(*told)
        if call.is_streamed:
            raise _bad_response("The provider did not stream.")
        self._usage = answer.usage
        if call.fallback_on:
            self._refuse_refusal(answer.body)
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

    def _refuse_refusal(self, answer: bytes) -> None:
        """Raises UpstreamFailure in place of an answer of which nothing is out and that a filter refused, if another
        model is asked then.
        """
        if is_refusal(self.call, answer, is_streamed=self._reader is not None):
            failure = refused_content()
            if self._may_go_on(failure):
                raise failure

    def _head(self, *, length: int | None = None, cost_usd: str | None = None) -> ResponseHead:
        target = self.target
        head = ResponseHead(
            target.provider.slug,
            target.model.id,
            self.number,
            length,
            cost_usd,
            self._translated,
            target.fell_back,
        )
        if self.call.waited_s:
            head.waited_s = self.call.waited_s
        return head

    def _describe(self, lane: str, now: float) -> AttemptOpened:
        call, target = self.call, self.target
        model = target.model.id
        # By name, Python puts all arguments of a class into a dictionary first: here that took four times as long.
        opened = AttemptOpened(
            mint_id(),
            call.id,
            call.request_id,
            self.number,
            lane,
            call.endpoint,
            call.team_id,
            call.key_id,
            call.requested_model,
            model,
            target.provider.slug,
            target.offering.upstream_name,
            call.is_streamed,
            now,
            self._rate_card.standard.fields,
        )
        opened.project = call.project
        opened.redirected_from = call.redirects.get(model, "") if call.redirects else call.redirected_from
        opened.input_tokens = call.input_tokens
        opened.end_user = call.end_user
        opened.charge_factor = call.charge_factor
        opened.surface = call.format
        vars(opened).update(call.owners)
        if target.credential:
            target.sign(opened)
        return opened

    def _close(self, outcome: str, error_code: str, failure: UpstreamFailure | None) -> None:
        finished = self._finished_bill if outcome == FINISHED else None
        bill, first, record = finished or self._bill(outcome, error_code), self._first_output_at, self.record
        usage = bill.usage
        latency_ms = self.spent_ms = (time.monotonic() - self._started) * 1000
        closed = record.closed = AttemptClosed(
            record.opened.attempt_id,
            time.time(),
            outcome,
            f"{bill.cost_usd:f}",
            f"{bill.loss_usd:f}",
            self._status,
            error_code,
        )
        closed.latency_ms = latency_ms
        closed.translated = self._translated
        if usage is not None:
            closed.usage = usage_fields(usage)
            closed.is_estimated = usage.is_estimated
            if usage.service_tier:
                closed.prices = self._other_prices(usage)
        if first is not None:
            closed.first_token_ms = (first - self._started) * 1000
        if bill.own_cost_usd:
            closed.own_cost_usd = f"{bill.own_cost_usd:f}"
        if failure:
            closed.about_us = failure.about_us
        if failure and error_code not in _NOT_THE_PROVIDERS:
            kind = failure.kind.value
            record.sample = AttemptSample(self.target.way, latency_ms, kind, failure.retry_after_s)
        elif outcome == FINISHED:
            record.sample = AttemptSample(self.target.way, latency_ms)
        self.services.observers.attempt_closed(record)

    def _bill(self, outcome: str, error_code: str = "") -> Bill:
        estimate = None
        if self._usage is None and (self._has_output or error_code in TIMED_OUT):
            estimate = estimate_usage(self.call.body, self._output_chars)
        payer = find_payer(outcome, error_code)
        return self.target.bill(payer, self._usage, estimate, self._rate_card.cost_usd)

    def _other_prices(self, usage: Usage) -> list[Mapping[str, Any]] | None:
        """Those of the service tier, where it was not the standard one."""
        plan = self._rate_card.plan_for(usage)
        return None if plan is self._rate_card.standard else plan.fields


def _is_json(response: UpstreamResponse) -> bool:
    return response.headers.get("content-type", "").startswith("application/json")


def _bad_response(message: str) -> UpstreamFailure:
    return UpstreamFailure(FailureKind.BAD_RESPONSE, message, code="provider_bad_response", status=200)
