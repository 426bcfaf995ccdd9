"""The answer that golden files tell, as events, for every wire format."""

from providers.wire.events import (
    CitationAdded,
    Finished,
    FinishReason,
    ReasoningDelta,
    ReasoningSigned,
    Started,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
    UsageSeen,
)
from tests.used import used

ANSWER = [
    Started("gen-1"),
    ReasoningDelta("Hm."),
    ReasoningSigned("s1", origin="anthropic"),
    TextDelta("A "),
    TextDelta("ship."),
    CitationAdded("https://example.com/ship", "Ships"),
    ToolCallStarted(0, "call_1", "look"),
    ToolArguments(0, '{"at":"sea"}'),
    Finished(FinishReason.TOOL_CALLS, "tool_use"),
    UsageSeen(used(5, 3, 2, 1, 1)),
]
