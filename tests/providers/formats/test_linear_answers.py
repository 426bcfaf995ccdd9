"""What an answer costs grows as it does, whichever format writes it and in whatever pieces it comes."""

from collections.abc import Callable, Mapping

import orjson
import pytest

from providers.adapters.repair import REPAIRS, repair_whole
from providers.formats.base import AnswerFacts
from providers.formats.registry import CLIENT_FORMATS
from providers.wire.events import (
    CitationAdded,
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    ReasoningSigned,
    RefusalDelta,
    Started,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
    UsageSeen,
)
from tests.used import used
from tests.work import assert_linear

SIZE = 120
WORDS = 5 * "twenty letters long "
FACTS = AnswerFacts("id", 1, "model")
LOGPROB = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}


def call(number: int) -> list[Event]:
    return [ToolCallStarted(number, f"call_{number}", "tool"), ToolArguments(number, "{}")]


def mixed_calls(count: int) -> list[Event]:
    """All begin before any goes on, and the last is the first to."""
    calls = [call(number) for number in range(count)]
    return [*(started for started, _ in calls), *(arguments for _, arguments in reversed(calls))]


def brackets_in_arguments(count: int) -> list[Event]:
    """What looks like an end again and again, while another call waits."""
    waiting = ToolCallStarted(1, "call_1", "tool")
    pieces = [ToolArguments(0, WORDS + "}"), ToolArguments(1, " ")] * count
    return [ToolCallStarted(0, "call_0", "tool"), ToolArguments(0, '{"a":"'), waiting, *pieces]


LONG: Mapping[str, Callable[[int], list[Event]]] = {
    "texts": lambda count: [TextDelta(WORDS)] * count,
    "log probabilities": lambda count: [TextDelta("a", (LOGPROB,))] * count,
    "refusals": lambda count: [RefusalDelta(WORDS)] * count,
    "thoughts": lambda count: [ReasoningDelta(WORDS)] * count,
    "white space": lambda count: [TextDelta("<think>"), *[TextDelta(20 * " ")] * count],
    "signed thoughts": lambda count: [ReasoningDelta(WORDS), ReasoningSigned("s", None, "anthropic")] * count,
    "citations": lambda count: [
        TextDelta("a"),
        *[CitationAdded("https://a.example", "title", WORDS)] * count,
    ],
    "arguments": lambda count: [ToolCallStarted(0, "call", "tool"), *[ToolArguments(0, WORDS)] * count],
    "brackets in arguments": brackets_in_arguments,
    "calls": lambda count: [event for number in range(count) for event in call(number)],
    "calls without arguments": lambda count: [ToolCallStarted(n, f"c{n}", "tool") for n in range(count)],
    "calls side by side": mixed_calls,
}


def answer(what: str, size: int) -> list[Event]:
    end = [Finished(FinishReason.STOP, "stop"), UsageSeen(used(1, 1))]
    return [Started("id"), *LONG[what](size), *end]


@pytest.mark.parametrize("wire_format", CLIENT_FORMATS)
@pytest.mark.parametrize("what", LONG)
def test_writing_a_whole_answer_costs_what_is_said(what: str, wire_format: str) -> None:
    def make(size: int) -> Callable[[], object]:
        events = answer(what, size)
        return lambda: orjson.dumps(CLIENT_FORMATS[wire_format].write_answer(events, FACTS))

    assert_linear(make, SIZE)


@pytest.mark.parametrize("wire_format", CLIENT_FORMATS)
@pytest.mark.parametrize("what", LONG)
def test_streaming_an_answer_costs_what_is_said(what: str, wire_format: str) -> None:
    def make(size: int) -> Callable[[], object]:
        events, writer = answer(what, size), CLIENT_FORMATS[wire_format].writer(FACTS)
        return lambda: [*(writer.write([event]) for event in events), writer.finish()]

    assert_linear(make, SIZE)


@pytest.mark.parametrize("what", LONG)
def test_repairing_an_answer_costs_what_is_said(what: str) -> None:
    def make(size: int) -> Callable[[], object]:
        events = answer(what, size)
        return lambda: repair_whole(events, tuple(REPAIRS.values()))

    assert_linear(make, SIZE)
