"""Where a request's own trouble with one model may go to another: only where it, or its named route, says so. Pure.

A prompt that is too long, or that a content filter refuses, is the caller's affair, and no provider's failure: without
being asked, nobody answers it from another model than the one that was to.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson

from catalogue.facts import ModelFacts, OfferingFacts
from gateway.core.envelopes import CONTEXT_EXCEEDED
from gateway.proxy.settle import REFUSED
from gateway.proxy.surfaces.fields import list_of, refuse
from providers.formats.base import Format
from providers.formats.registry import FORMATS
from providers.wire.call import Call
from providers.wire.events import Event, FileGenerated, Finished, FinishReason, TextDelta, ToolCallStarted
from providers.wire.failure import FailureKind, UpstreamFailure

FIELD = "fallback_on"
CAUSES = (CONTEXT_EXCEEDED, REFUSED)
_SAID = (ToolCallStarted, FileGenerated)


def _cause(value: object, param: str) -> None:
    if value not in CAUSES:
        raise refuse(param, f"one of {', '.join(CAUSES)}", value)


_check = list_of(_cause, least=1, most=len(CAUSES))


def read_fallbacks(body: Mapping[str, Any]) -> tuple[str, ...]:
    """For what the next model may be tried. Raises InvalidRequest."""
    causes = body.get(FIELD)
    if causes is None:
        return ()
    _check(causes, FIELD)
    return tuple(dict.fromkeys(causes))


def with_routes(asked: Collection[str], routes: Sequence[ModelFacts | None]) -> Collection[str]:
    """What is asked for, and what the named routes say whose members alone may answer.

    What a client names beside them is tried for its own mistakes only where it asks for that.
    """
    if not all(routes):
        return asked
    said = [route.fallback_on for route in routes if route is not None]
    return [cause for cause in CAUSES if cause in asked or all(cause in each for each in said)]


def cause_of(failure: UpstreamFailure) -> str:
    """Which of CAUSES it is; empty where it is none."""
    if failure.kind is not FailureKind.CALLER:
        return ""
    if failure.code == CONTEXT_EXCEEDED:
        return CONTEXT_EXCEEDED
    return REFUSED if failure.refuses_content else ""


def takes_more(
    model: ModelFacts, offering: OfferingFacts, than_model: ModelFacts, than_offering: OfferingFacts
) -> bool:
    """Whether a prompt that was too long for one may fit into the other, as far as the catalogue tells."""
    window = offering.context_length or model.context_length
    failed = than_offering.context_length or than_model.context_length
    return not window or not failed or window > failed


def refused_content() -> UpstreamFailure:
    failure = UpstreamFailure(
        FailureKind.CALLER, "The provider's content filter refused the request.", code=REFUSED
    )
    failure.refuses_content = True
    return failure


def is_refusal(call: Call, answer: bytes, *, is_streamed: bool) -> bool:
    """Whether the client's answer, or all of its stream so far, says nothing but that a filter refused it."""
    form = FORMATS.get(call.format)
    if form is None or REFUSED not in call.fallback_on:
        return False
    try:
        events = _read(form, answer, is_streamed=is_streamed)
    except (UpstreamFailure, ValueError, KeyError, TypeError):
        # What cannot be read here is no answer that was refused, and whoever relays it tells what it is.
        return False
    return _is_filtered(events) and not any(map(_says, events))


def _read(form: Format, answer: bytes, *, is_streamed: bool) -> list[Event]:
    if not is_streamed:
        return form.read_answer(orjson.loads(answer))
    reader = form.reader()
    return [*reader.feed(answer), *reader.finish()]


def _says(event: Event) -> bool:
    return bool(event.text) if isinstance(event, TextDelta) else isinstance(event, _SAID)


def _is_filtered(events: Iterable[Event]) -> bool:
    return any(
        isinstance(event, Finished) and event.reason is FinishReason.CONTENT_FILTER for event in events
    )
