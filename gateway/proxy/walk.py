"""Stop 7: walk the plan, one upstream call after the other; never to the next past the first byte."""

from gateway.core.envelopes import CONTEXT_EXCEEDED, read_lengths
from gateway.proxy.admission.reserved import Reserved
from gateway.proxy.attempt import Attempt
from gateway.proxy.errors import GatewayError, Unavailable, from_failure
from gateway.proxy.exchange import CallResult, ResponseSink
from gateway.proxy.patience import ENDLESS, Patience
from gateway.proxy.services import CallServices
from gateway.proxy.targets import Target, Targets, find_targets
from providers.wire.call import Call
from providers.wire.failure import FailureKind, UpstreamFailure


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
            attempt = Attempt(services, call, target, patience, lane=lane, number=end.attempts)
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
                if closed := attempt.record.closed:
                    end.spent_ms += closed.latency_ms or 0.0
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
