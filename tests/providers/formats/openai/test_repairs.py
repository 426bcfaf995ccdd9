"""What providers of chat get wrong is repaired, and what cannot be repaired is a failure."""

from pathlib import Path

import orjson
import pytest

from providers.formats.openai.format import OpenAIFormat
from providers.wire.events import (
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
from providers.wire.failure import FailureKind, UpstreamFailure
from providers.wire.sse import event
from tests.providers.formats.events import read_in_pieces
from tests.used import used

CHAT = OpenAIFormat()
GOLDEN = Path(__file__).parents[3] / "golden" / "chat"
DONE = b"data: [DONE]\n\n"


def chunk(delta, finish=None, **more) -> bytes:
    return event(orjson.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}))


def call(index: int, arguments: str, **more) -> bytes:
    return chunk({"tool_calls": [{"index": index, "function": {"arguments": arguments}, **more}]})


def read(*chunks: bytes):
    return read_in_pieces(CHAT.reader(), b"".join(chunks), [])


def whole(message, **more):
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return CHAT.read_answer({"id": "c", "choices": [choice | more]})


def test_stream_of_a_provider_with_every_known_fault_is_read():
    assert read((GOLDEN / "provider_stream.sse").read_bytes()) == [
        Started("gen-1"),
        ReasoningDelta("Hm."),
        ReasoningSigned("s1", origin="anthropic"),
        TextDelta("Ahoy"),
        ToolCallStarted(0, "call_gen-1_0", "look"),
        ToolArguments(0, '{"at":"sea"}'),
        Finished(FinishReason.TOOL_CALLS, "tool_use"),
        UsageSeen(used(5, 3)),
    ]


def test_new_name_without_index_or_id_opens_another_call():
    def unnumbered(**function) -> bytes:
        return chunk({"tool_calls": [{"function": function}]})

    events = read(
        unnumbered(name="look", arguments='{"at":'),
        unnumbered(arguments='"sea"}'),
        unnumbered(name="hear", arguments="{}"),
        chunk({}, "tool_calls"),
        DONE,
    )
    assert [(event.name, event.index) for event in events if isinstance(event, ToolCallStarted)] == [
        ("look", 0),
        ("hear", 1),
    ]
    assert "".join(e.text for e in events if isinstance(e, ToolArguments) and e.index == 0) == '{"at":"sea"}'


@pytest.mark.parametrize("word", ["length", "LENGTH", "Max_Tokens"])
def test_finish_reason_is_read_in_any_case(word):
    assert Finished(FinishReason.LENGTH, word) in read(chunk({"content": "x"}), chunk({}, word), DONE)


def test_calls_that_come_mixed_are_put_in_order():
    said = read(
        call(0, '{"a"', id="x"),
        call(1, '{"b"', id="y"),
        call(0, ":1}"),
        call(1, ":2}"),
        chunk({}, "tool_calls"),
    )
    assert [event.index for event in said if isinstance(event, ToolArguments)] == [0, 0, 1, 1]


def test_call_without_arguments_gets_an_empty_object():
    assert ToolArguments(0, "{}") in read(call(0, "", id="x"), chunk({}, "tool_calls"))
    assert ToolArguments(0, "{}") in whole({"tool_calls": [{"id": "x", "function": {"name": "f"}}]})


def test_stream_without_a_finish_is_not_given_one():
    said = read(
        chunk({"content": "a"}), event(b'{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}')
    )
    assert not any(isinstance(event, Finished) for event in said)


def test_finish_is_told_once_and_usage_replaces():
    usage = {"prompt_tokens": 1, "completion_tokens": 1}
    said = read(
        chunk({"content": "a"}, usage=usage),
        chunk({}, "stop", usage={"prompt_tokens": 1, "completion_tokens": 2}),
        chunk({}, "stop", usage={"prompt_tokens": 1, "completion_tokens": 3}),
        DONE,
    )
    assert said[-2:] == [Finished(FinishReason.STOP, "stop"), UsageSeen(used(1, 3))]
    assert len(said) == 4


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b": only a comment\n\n",
        event(b'{"error":{"message":"overloaded","code":503}}'),
        event(b'{"choices":[],"x_groq":{"error":"late"}}'),
        chunk({}, "error"),
        event(b"<html>") + event(b"<html>"),
    ],
)
def test_stream_that_is_none_or_reports_an_error_is_a_failure(stream):
    with pytest.raises(UpstreamFailure):
        read(stream)


@pytest.mark.parametrize(
    "answer", [None, [], {}, {"choices": []}, {"choices": [{}]}, {"error": {"message": "no"}}]
)
def test_answer_that_is_none_is_a_failure(answer):
    with pytest.raises(UpstreamFailure):
        CHAT.read_answer(answer)


def test_thoughts_in_any_convention_are_read():
    for name in ("reasoning", "reasoning_content"):
        assert ReasoningDelta("Hm.") in whole({"content": "a", name: "Hm."})
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    assert ReasoningDelta("Hm.") in whole({"content": [thinking, {"type": "text", "text": "a"}]})


def test_named_choice_that_ends_with_stop_ends_with_its_calls():
    said = whole({"tool_calls": [{"id": "x", "function": {"name": "f", "arguments": "{}"}}]})
    assert said[-1] == Finished(FinishReason.TOOL_CALLS, "stop")


def test_failures_are_classified():
    failure = CHAT.failure(401, {}, b'{"error":{"message":"wrong key"}}')
    assert failure.kind is FailureKind.AUTH
