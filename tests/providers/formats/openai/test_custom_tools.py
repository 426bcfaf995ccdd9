"""Chat's custom tools at providers of other formats: functions of one string, and custom again in the answer."""

import orjson
import pytest

from providers.formats.base import AnswerFacts, CannotTranslate
from providers.formats.losses import Kind
from providers.formats.registry import CLIENT_FORMATS, FORMATS
from providers.formats.translation import write_for
from providers.wire.events import Finished, FinishReason, Started, ToolArguments, ToolCallStarted
from providers.wire.upstream import Upstream

UPSTREAM = Upstream("m", is_streamed=False, max_output_tokens=4000)
GRAMMAR = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /x+/"}}
PATCH = {"type": "custom", "custom": {"name": "patch", "description": "Edits.", "format": GRAMMAR}}
FUNCTION = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
CHOICE = {"type": "custom", "custom": {"name": "patch"}}
LOOP = [
    {"role": "user", "content": "go"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "type": "custom", "custom": {"name": "patch", "input": "xxx"}}],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "Done."},
]
ELSEWHERE = [name for name in FORMATS if name != "openai"]
BODY = {"messages": LOOP, "tools": [PATCH, FUNCTION]}


def conversation(**fields):
    return FORMATS["openai"].read_request(BODY | fields)


def written(own, **fields):
    return write_for(FORMATS[own], CLIENT_FORMATS["openai"], conversation(**fields), UPSTREAM)


def told(own, **fields):
    """What a provider of that format is told, read as its own client's words."""
    return FORMATS[own].read_request(written(own, **fields).body)


@pytest.mark.parametrize("own", ELSEWHERE)
def test_custom_tool_is_a_function_of_one_string_in_history_too(own):
    request = told(own)
    tool = next(tool for tool in request.functions if tool.name == "patch")
    assert tool.description.startswith("Edits.\n\n")
    assert "start: /x+/" in tool.description
    assert list(tool.parameters["properties"]) == ["input"]
    parts = [part for message in request.messages for part in message.parts]
    (call,) = [part for part in parts if hasattr(part, "arguments")]
    assert (call.name, orjson.loads(call.arguments)) == ("patch", {"input": "xxx"})
    assert written(own).worst is Kind.NOTHING
    assert "tools.type=custom -> function" in written(own).translated


@pytest.mark.parametrize("own", ELSEWHERE)
@pytest.mark.parametrize(
    "choice",
    [
        CHOICE,
        {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [CHOICE]}},
    ],
)
def test_choice_of_a_custom_tool_is_one_of_the_function(own, choice):
    assert told(own, tool_choice=choice).tool_choice.names == ("patch",)


@pytest.mark.parametrize("own", ELSEWHERE)
@pytest.mark.parametrize("tool", [{"type": "custom"}, {"type": "custom", "custom": {}}, {"type": "other"}])
def test_tool_that_nobody_can_read_is_refused_by_name(own, tool):
    with pytest.raises(CannotTranslate) as refused:
        written(own, tools=[tool])
    assert refused.value.param == "tools[0].type"


def test_chat_servers_are_told_the_tool_as_it_came():
    assert written("openai").body["tools"] == [PATCH, FUNCTION]


CALLS = [
    ToolCallStarted(0, "c8", "look"),
    ToolCallStarted(1, "c9", "patch"),
    # Some mix the arguments of calls.
    ToolArguments(1, '{"input":'),
    ToolArguments(0, "{}"),
    ToolArguments(1, '"xx"}'),
]
ANSWER = [Started(), *CALLS, Finished(FinishReason.TOOL_CALLS)]
EXPECTED = [
    {"id": "c8", "type": "function", "function": {"name": "look", "arguments": "{}"}},
    {"id": "c9", "type": "custom", "custom": {"name": "patch", "input": "xx"}},
]


def test_whole_answer_calls_a_custom_tool_as_its_client_lists_it():
    answer = FORMATS["openai"].write_answer(ANSWER, AnswerFacts("1", 1, "m", request=BODY))
    assert answer["choices"][0]["message"]["tool_calls"] == EXPECTED


def test_streamed_answer_calls_a_custom_tool_as_its_client_lists_it():
    writer = FORMATS["openai"].writer(AnswerFacts("1", 1, "m", request=BODY))
    calls = {}
    for line in (writer.write(ANSWER) + writer.finish()).split(b"\n\n"):
        chunk = orjson.loads(line[6:]) if line.startswith(b"data: {") else {"choices": []}
        for choice in chunk["choices"]:
            for piece in choice["delta"].get("tool_calls", ()):
                merge(calls.setdefault(piece.pop("index"), {}), piece)
    assert [calls[0], calls[1]] == EXPECTED


def merge(known, piece):
    """As OpenAI's SDKs gather a call."""
    for name, value in piece.items():
        if isinstance(value, dict):
            merge(known.setdefault(name, {}), value)
        else:
            known[name] = known[name] + value if name in ("arguments", "input") and name in known else value


def test_function_of_the_same_name_is_meant_first():
    twin = {"type": "function", "function": {"name": "patch"}}
    facts = AnswerFacts("1", 1, "m", request={"tools": [PATCH, twin]})
    answer = FORMATS["openai"].write_answer(ANSWER, facts)
    assert {call["type"] for call in answer["choices"][0]["message"]["tool_calls"]} == {"function"}
