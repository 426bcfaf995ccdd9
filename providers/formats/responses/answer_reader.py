"""Reads a provider's whole response."""

from collections.abc import Mapping
from typing import Any

from providers.formats.responses.finish import read_failure, read_finish
from providers.formats.responses.output_reader import read_item
from providers.formats.responses.usage import read_usage
from providers.wire.events import Event, Started, ToolCallStarted, UsageSeen
from providers.wire.failure import bad_response


def read_answer(value: Any) -> list[Event]:
    if not isinstance(value, Mapping):
        raise bad_response()
    if value.get("error"):
        raise read_failure(value["error"])
    output = value.get("output")
    if not isinstance(output, list):
        raise bad_response("The provider's response has no output.")
    events: list[Event] = [read_start(value)]
    calls = 0
    for item in output:
        if isinstance(item, Mapping):
            said = list(read_item(item, calls))
            calls += sum(isinstance(event, ToolCallStarted) for event in said)
            events += said
    events.append(read_finish(value, has_calls=calls > 0))
    usage = read_usage(value.get("usage"), value.get("service_tier"))
    return events if usage is None else [*events, UsageSeen(usage)]


def read_start(value: Mapping[str, Any]) -> Started:
    tier = value.get("service_tier")
    return Started(str(value.get("id") or ""), tier if isinstance(tier, str) else None)
