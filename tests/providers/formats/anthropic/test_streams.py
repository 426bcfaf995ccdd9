"""Streams of Anthropic that are incomplete, broken or hold an error."""

import orjson
import pytest

from providers.formats.anthropic.format import AnthropicFormat
from providers.formats.base import AnswerFacts
from providers.wire.events import Finished, FinishReason, RefusalDelta, Started, TextDelta
from providers.wire.failure import FailureKind, UpstreamFailure

ANTHROPIC = AnthropicFormat()
START = {
    "type": "message_start",
    "message": {"id": "msg_1", "usage": {"input_tokens": 1, "output_tokens": 1}},
}
BLOCK = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
TEXT = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}
STOP = {"type": "message_stop"}


def stream(*members):
    return b"".join(b"event: x\ndata: %b\n\n" % orjson.dumps(member) for member in members)


def end(**delta):
    return {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 2}}


def read(data):
    reader = ANTHROPIC.reader()
    return [*reader.feed(data), *reader.finish()]


def finish(**delta):
    return [event for event in read(stream(START, end(**delta), STOP)) if isinstance(event, Finished)]


@pytest.mark.parametrize("data", [b"", b": ping\n\n", stream({"type": "ping"})])
def test_empty_stream_is_a_failure(data):
    with pytest.raises(UpstreamFailure):
        read(data)


def test_stream_that_dies_is_not_given_an_end():
    assert [type(event) for event in read(stream(START, BLOCK, TEXT))[:2]] == [Started, TextDelta]
    assert not any(isinstance(event, Finished) for event in read(stream(START, BLOCK, TEXT)))
    writer = ANTHROPIC.writer(AnswerFacts("1", 1, "m"))
    writer.write([Started(), TextDelta("Hi")])
    assert writer.finish() == b""


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("end_turn", FinishReason.STOP),
        ("max_tokens", FinishReason.LENGTH),
        ("model_context_window_exceeded", FinishReason.LENGTH),
        ("refusal", FinishReason.CONTENT_FILTER),
        ("pause_turn", FinishReason.PAUSE),
    ],
)
def test_reason_of_the_end_is_read_and_written_back(word, reason):
    (finished,) = finish(stop_reason=word)
    assert (finished.reason, finished.native) == (reason, word)
    answer = ANTHROPIC.write_answer([Started(), finished], AnswerFacts("1", 1, "m"))
    assert answer["stop_reason"] == word


def test_stop_sequence_is_told():
    (finished,) = finish(stop_reason="stop_sequence", stop_sequence="END")
    answer = ANTHROPIC.write_answer([Started(), finished], AnswerFacts("1", 1, "m"))
    assert (answer["stop_reason"], answer["stop_sequence"]) == ("stop_sequence", "END")


def test_explanation_of_a_refusal_is_its_words():
    details = {"type": "refusal", "category": "bio", "explanation": "No."}
    events = read(stream(START, end(stop_reason="refusal", stop_details=details), STOP))
    assert RefusalDelta("No.") in events


def test_second_end_is_left_out():
    members = (START, end(stop_reason="end_turn"), end(stop_reason="max_tokens"), STOP, TEXT)
    assert [type(event).__name__ for event in read(stream(*members))] == ["Started", "Finished", "UsageSeen"]


@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        ("overloaded_error", FailureKind.UNAVAILABLE),
        ("rate_limit_error", FailureKind.RATE_LIMIT),
        ("authentication_error", FailureKind.AUTH),
        ("invalid_request_error", FailureKind.CALLER),
        ("some_error", FailureKind.BAD_RESPONSE),
    ],
)
def test_error_event_is_raised_by_its_class(kind, failure):
    error = {"type": "error", "error": {"type": kind, "message": "At 10.0.0.1"}}
    with pytest.raises(UpstreamFailure) as raised:
        read(stream(START, error))
    assert raised.value.kind is failure
    assert "10.0.0.1" not in raised.value.message


def test_one_broken_frame_is_left_out_and_two_are_a_failure():
    broken = b"data: {\n\n"
    assert len(read(broken + stream(START, BLOCK, TEXT))) == 3
    with pytest.raises(UpstreamFailure):
        read(broken + broken + stream(START))


@pytest.mark.parametrize("member", [{"type": "message_start"}, {"type": "content_block_delta", "delta": 1}])
def test_event_without_its_member_is_a_failure(member):
    with pytest.raises(UpstreamFailure):
        read(stream(START, member))


@pytest.mark.parametrize(
    "value", [None, [], {}, {"content": []}, {"content": [1], "stop_reason": "end_turn"}]
)
def test_answer_of_the_wrong_form_is_a_failure(value):
    with pytest.raises(UpstreamFailure):
        ANTHROPIC.read_answer(value)


def test_error_with_a_status_of_success_is_raised_by_its_class():
    with pytest.raises(UpstreamFailure) as raised:
        ANTHROPIC.read_answer({"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}})
    assert raised.value.kind is FailureKind.UNAVAILABLE
