"""Stop 7: walk the plan, one upstream call after the other; never to the next past the first byte."""

import asyncio
import logging
import time
from random import random

from accounts.attempts import AttemptRecord
from gateway.core.envelopes import CONTEXT_EXCEEDED, read_lengths
from gateway.proxy.admission.reserved import Reserved
from gateway.proxy.attempt import Attempt
from gateway.proxy.errors import GatewayError, Unavailable, from_failure
from gateway.proxy.exchange import CallResult, ResponseSink
from gateway.proxy.gate import LONGEST_WAIT_S
from gateway.proxy.patience import ENDLESS, Patience
from gateway.proxy.retries import RetryBudget
from gateway.proxy.routing.refusals import no_healthy
from gateway.proxy.services import CallServices
from gateway.proxy.targets import Target, Targets, find_targets
from providers.wire.call import Call
from providers.wire.failure import FailureKind, UpstreamFailure

logger = logging.getLogger(__name__)

_FOUND_OUT_S = 2
"""By then a call that finds out how the only offering is has usually ended."""


async def run_call(services: CallServices, call: Call, *, lane: str, sink: ResponseSink) -> CallResult:
    """Make the call: the one code for both lanes.

    A failure before the first byte is in the end's `error`, one after it is written into the stream.
    Raises ClientGone and CancelledError once the attempt under way is closed and recorded.
    """
    end = CallResult()
    patience = Patience(call.client_waits_s) if call.client_waits_s else ENDLESS
    planned = await find_targets(services.snapshots, call)
    targets = Targets(planned, services.health, services.retries, patience, call.fallback_on)
    reserved = Reserved(services.admission, call) if call.reserved_at else None
    error: GatewayError | None = None
    try:
        while target := targets.advance() or await _find_out(targets, services, call):
            if target.quotas:
                reserved = reserved or Reserved(services.admission, call)
                if not await reserved.has_room(target):
                    continue
            end.attempts += 1
            attempt = Attempt(services, call, target, patience, lane=lane, number=end.attempts)
            try:
                await attempt.run(sink, may_go_on=targets.may_follow)
                return end
            except UpstreamFailure as failure:
                error = _weigh(error, failure, call, target)
                if attempt.has_begun:
                    end.cut_by = error.error_code
                    await sink.send(attempt.fail(error), is_last=True)
                    return end
                if not targets.may_follow(failure):
                    break
                await asyncio.sleep(targets.pause_after(failure, random()))  # noqa: S311  # it is no secret
            finally:
                end.spent_ms += attempt.spent_ms
                if reserved or call.held_output_tokens:
                    _note(attempt.record, call, end, reserved)
    finally:
        if reserved:
            reserved.close()
    _tell_withheld(targets, services.retries)
    end.withheld = len(targets.withheld)
    end.waited_s = call.waited_s
    end.error = (error or _nobody_can(targets.pause_s(time.monotonic()))).to_dict()
    return end


async def _find_out(targets: Targets, services: CallServices, call: Call) -> Target | None:
    """As Targets.find_out; the call remembers for how long."""
    before_s = targets.waited_s
    try:
        return await targets.find_out(services.claim, LONGEST_WAIT_S - call.waited_s)
    finally:
        call.waited_s += targets.waited_s - before_s


def _note(record: AttemptRecord, call: Call, end: CallResult, reserved: Reserved | None) -> None:
    """What an attempt used."""
    if reserved:
        reserved.note(record)
    if call.held_output_tokens:
        end.output_tokens = record.output_tokens or 0


def _weigh(before: GatewayError | None, failure: UpstreamFailure, call: Call, target: Target) -> GatewayError:
    """What the client is told, if nobody else answers."""
    # A provider's trouble may pass, and then its offering can do what this one cannot.
    if before is not None and failure.kind is FailureKind.UNSUPPORTED:
        return before
    return _milder(before, _told(failure, call, target))


def _tell_withheld(targets: Targets, retries: RetryBudget) -> None:
    for way in targets.withheld:
        if retries.is_news(way, time.monotonic()):
            logger.warning(
                "Calls that failed elsewhere do not go to offering %s as well: it has enough of them.", way
            )


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


def _nobody_can(pause_s: float | None) -> GatewayError:
    """`pause_s`: see `Targets.pause_s`."""
    if pause_s:
        return no_healthy("No provider for this call", pause_s)
    if pause_s is None:
        message, code = "No provider can take this call at the moment.", "no_provider"
    else:
        message = "Another call is finding out whether the provider for this one is well again."
        code = "no_healthy_provider"
    return Unavailable(message, code=code, retry_after_s=_FOUND_OUT_S)
