"""Writes a response for a client, whole or step by step."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from providers.formats.base import AnswerFacts
from providers.formats.responses.echo import repeat_settings
from providers.formats.responses.finish import write_status
from providers.formats.responses.open_items import Step
from providers.formats.responses.output import Output
from providers.formats.responses.usage import write_usage
from providers.wire.events import Event, Finished, Started, UsageSeen
from providers.wire.usage import Usage

# The only codes that clients' types know; the message says the rest.
_RATE_LIMITED, _WRONG, _BROKEN = "rate_limit_exceeded", "invalid_prompt", "server_error"


def write_answer(events: Sequence[Event], facts: AnswerFacts) -> dict[str, Any]:
    writing = ResponseWriting(facts)
    for event in events:
        for _ in writing.take(event):
            pass
    return writing.ended()


class ResponseWriting:
    """A response as it grows. Source: the SDK's type Response."""

    def __init__(self, facts: AnswerFacts) -> None:
        self._output = Output(facts.id)
        self._usage: Usage | None = None
        self._finished: Finished | None = None
        self._head = {
            "id": f"resp_{facts.id}",
            "object": "response",
            "created_at": facts.created,
            "model": facts.model,
            **repeat_settings(facts.request),
        }

    def take(self, event: Event) -> Iterator[Step]:
        match event:
            case UsageSeen():
                self._usage = event.usage
            case Started():
                if event.service_tier:
                    self._head["service_tier"] = event.service_tier
            case _:
                if isinstance(event, Finished):
                    self._finished = event
                yield from self._output.take(event)

    def running(self) -> dict[str, Any]:
        return self._response({"status": "in_progress", "incomplete_details": None})

    def ended(self) -> dict[str, Any]:
        """The state that Finished says; without it the response is still running."""
        return self.running() if self._finished is None else self._response(write_status(self._finished))

    def failed(self, error: Mapping[str, Any]) -> dict[str, Any]:
        said = {"code": _code(error), "message": error.get("message") or ""}
        return self._response({"status": "failed", "incomplete_details": None}) | {"error": said}

    def _response(self, state: dict[str, Any]) -> dict[str, Any]:
        usage = None if self._usage is None else write_usage(self._usage)
        return {**self._head, **state, "error": None, "output": list(self._output.items), "usage": usage}


def _code(error: Mapping[str, Any]) -> str:
    status = error.get("status") or 500
    if status == 429:
        return _RATE_LIMITED
    return _WRONG if 400 <= status < 500 else _BROKEN
