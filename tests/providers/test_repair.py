"""Thoughts in the text and answers as tool calls are put where they belong, streamed in any pieces or whole."""

import pytest

from providers.adapters.openai import OpenAIAdapter
from providers.adapters.repair import AnswerTool, ThinkTags, repair_whole
from providers.facts import ProviderFacts
from providers.formats.answer_tool import ANSWER_TOOL, ask_by_tool
from providers.formats.base import CannotTranslate
from providers.operations.registry import choose_adapter
from providers.wire.call import Call
from providers.wire.conversation import Conversation, OutputFormat, OutputKind, Tool, ToolChoice
from providers.wire.events import (
    Finished,
    FinishReason,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
)
from providers.wire.upstream import Upstream

STOP = Finished(FinishReason.STOP, "stop")
CALLED = Finished(FinishReason.TOOL_CALLS, "tool_calls")
ANSWERED = [
    ("<think>Hm.</think>Yes.", "Hm.", "Yes."),
    ("\n<think>\nHm. So\n</think>\n\nYes.\n", "Hm. So", "Yes.\n"),
    ("<think></think>Yes.", "", "Yes."),
    ("<think>a < b </thin </think>Yes.", "a < b </thin", "Yes."),
    ("<think>Hm.", "Hm.", ""),
    ("Yes, <think> is a tag.", "", "Yes, <think> is a tag."),
    ("<thin", "", "<thin"),
    (" <b>Yes</b>", "", " <b>Yes</b>"),
    ("<think>a</think><think>b</think>", "a", "<think>b</think>"),
]


def told(events):
    thought = "".join(event.text for event in events if isinstance(event, ReasoningDelta))
    return thought, "".join(event.text for event in events if isinstance(event, TextDelta))


@pytest.mark.parametrize(("text", "thought", "said"), ANSWERED)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_thoughts_between_tags_at_the_beginning_leave_the_text(text, thought, said, size):
    pieces = [TextDelta(text[at : at + size]) for at in range(0, len(text), size)]
    events = repair_whole([Started(), *pieces, STOP], [ThinkTags])
    assert told(events) == (thought, said)
    assert (events[0], events[-1]) == (Started(), STOP)
    assert all(event.text for event in events[1:-1])


def test_thoughts_go_out_as_they_come():
    tags = ThinkTags()
    assert [*tags.repair(TextDelta("<think>One"))] == [ReasoningDelta("One")]
    assert [*tags.repair(TextDelta(" two </th"))] == [ReasoningDelta(" two")]
    assert [*tags.repair(TextDelta("ink> Yes"))] == [TextDelta("Yes")]
    assert [*tags.repair(TextDelta("."))] == [TextDelta(".")]


def test_log_probabilities_stay_with_the_text_that_was_held():
    events = repair_whole([TextDelta("<", ("a",)), TextDelta("b>", ("b",)), STOP], [ThinkTags])
    assert events == [TextDelta("<b>", ("a", "b")), STOP]


def test_the_answers_tool_is_text_and_its_end_is_that_of_a_text():
    events = [ToolCallStarted(0, "c", ANSWER_TOOL), ToolArguments(0, '{"a"'), ToolArguments(0, ":1}"), CALLED]
    assert repair_whole(events, [AnswerTool]) == [
        TextDelta('{"a"'),
        TextDelta(":1}"),
        Finished(FinishReason.STOP, "tool_calls"),
    ]


def test_a_second_answer_is_left_out_and_a_real_call_stays_one():
    events = [
        ToolCallStarted(0, "c", ANSWER_TOOL),
        ToolArguments(0, "{}"),
        ToolCallStarted(1, "d", ANSWER_TOOL),
        ToolArguments(1, "{}"),
        ToolCallStarted(2, "e", "look"),
        CALLED,
    ]
    assert repair_whole(events, [AnswerTool]) == [TextDelta("{}"), ToolCallStarted(2, "e", "look"), CALLED]


def conversation(schema, tools=()):
    output = OutputFormat(OutputKind.SCHEMA, "answer", schema)
    return Conversation((), "openai", output=output, tools=tools, tool_choice=ToolChoice())


def asked(conversation, *quirks):
    translated = []
    upstream = Upstream("m", is_streamed=False, quirks=frozenset(quirks))
    return ask_by_tool(conversation, upstream, translated), translated


def test_a_schema_becomes_a_forced_tool_and_that_is_told():
    by_tool, translated = asked(conversation({"properties": {"a": {}}}), "schema_by_tool")
    assert by_tool.tools[0].parameters == {"type": "object", "properties": {"a": {}}}
    assert (by_tool.tool_choice.names, by_tool.output) == ((ANSWER_TOOL,), None)
    assert translated == ["response_format -> tool_choice"]
    assert asked(conversation({})) == (conversation({}), [])


@pytest.mark.parametrize(
    ("schema", "tools", "param"),
    [
        ({}, (Tool("look"),), "response_format"),
        ({"type": "array"}, (), "response_format"),
        ({}, (Tool(ANSWER_TOOL),), "tools.function.name"),
    ],
)
def test_a_schema_that_no_tool_can_stand_for_is_refused_by_name(schema, tools, param):
    with pytest.raises(CannotTranslate) as refusal:
        asked(conversation(schema, tools), "schema_by_tool")
    assert refusal.value.param == param


@pytest.mark.parametrize(
    ("endpoint", "quirks", "body", "is_untouched"),
    [
        ("chat.completions", set(), {"response_format": {}}, True),
        ("chat.completions", {"no_stream_options"}, {}, True),
        ("chat.completions", {"schema_by_tool"}, {}, True),
        ("chat.completions", {"schema_by_tool"}, {"response_format": {}}, False),
        ("chat.completions", {"think_tags"}, {}, False),
    ],
)
def test_bytes_are_relayed_unless_something_has_to_be_repaired(endpoint, quirks, body, is_untouched):
    provider = ProviderFacts(
        1, "p", "P", "openai", "", is_enabled=True, is_usable=True, quirks=frozenset(quirks)
    )
    adapter = choose_adapter(Call(endpoint, body), provider)
    assert isinstance(adapter, OpenAIAdapter) is is_untouched
