"""Answers and streams in Gemini's format: their ends, their usage, and what goes wrong in them."""

import orjson
import pytest

from providers.formats.base import AnswerFacts
from providers.formats.gemini.signatures import read_signature, write_signature
from providers.formats.registry import GEMINI
from providers.wire.events import (
    Finished,
    FinishReason,
    ReasoningSigned,
    RefusalDelta,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
    UsageSeen,
)
from providers.wire.failure import FailureKind, UpstreamFailure
from providers.wire.sse import LIMIT_BYTES
from tests.used import used

FACTS = AnswerFacts("gen-1", 1, "google/gemini-3-pro")
ERROR = {"message": "No.", "type": "server_error", "code": "overloaded", "param": "model", "status": 503}


def answer(reason, *parts, **members):
    return {"candidates": [{"content": {"parts": list(parts)}, "finishReason": reason}], **members}


def stream(*values):
    return b"".join(b"data: " + orjson.dumps(value) + b"\r\n\r\n" for value in values)


def read_stream(data):
    reader = GEMINI.reader()
    return [*reader.feed(data), *reader.finish()]


def only(events, kind):
    return next(event for event in events if isinstance(event, kind))


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("STOP", FinishReason.STOP),
        ("MAX_TOKENS", FinishReason.LENGTH),
        ("SAFETY", FinishReason.CONTENT_FILTER),
        ("RECITATION", FinishReason.CONTENT_FILTER),
        ("CONTINUATION", FinishReason.PAUSE),
        ("OTHER", FinishReason.STOP),
        ("SOMETHING_NEW", FinishReason.STOP),
    ],
)
def test_finish_reason_is_known_by_its_word(word, reason):
    assert only(GEMINI.read_answer(answer(word, {"text": "x"})), Finished) == Finished(reason, word)


def test_stop_after_calls_is_an_end_by_calls():
    events = GEMINI.read_answer(answer("STOP", {"functionCall": {"name": "f"}}))
    assert only(events, Finished).reason is FinishReason.TOOL_CALLS


def test_malformed_call_before_anything_else_can_go_to_another_provider():
    with pytest.raises(UpstreamFailure) as failed:
        read_stream(stream(answer("MALFORMED_FUNCTION_CALL")))
    assert failed.value.kind is FailureKind.BAD_RESPONSE


def test_blocked_prompt_is_filtered_content():
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}}
    events = GEMINI.read_answer(blocked)
    assert events[1:] == [Finished(FinishReason.CONTENT_FILTER, "SAFETY"), UsageSeen(used(3, 0))]


@pytest.mark.parametrize("value", [[], {}, {"choices": []}, {"candidates": [{"content": {}}]}, "text"])
def test_what_is_no_answer_is_a_failure(value):
    with pytest.raises(UpstreamFailure):
        GEMINI.read_answer(value)


def test_calls_without_ids_get_ids_that_differ_between_answers():
    call = {"functionCall": {"name": "f"}}
    ids = {
        event.id
        for response in ("a", "b")
        for event in GEMINI.read_answer(answer("STOP", call, call, responseId=response))
        if isinstance(event, ToolCallStarted)
    }
    assert len(ids) == 4


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ({"promptTokenCount": 5, "candidatesTokenCount": 2, "thoughtsTokenCount": 3}, used(5, 5, 0, 0, 3)),
        ({"promptTokenCount": 5, "totalTokenCount": 9}, used(5, 4)),
        ({"promptTokenCount": 5, "totalTokenCount": 8, "thoughtsTokenCount": 4}, used(5, 4, 0, 0, 4)),
        ({"promptTokenCount": 5, "thoughtsTokenCount": 4}, used(5, 4, 0, 0, 4)),
        ({"promptTokenCount": 5}, used(5, 0)),
        ({"candidatesTokenCount": 5}, None),
        ({"promptTokenCount": "many", "candidatesTokenCount": 5}, None),
    ],
)
def test_usage_counts_thoughts_as_output(told, usage):
    seen = [
        event.usage
        for event in GEMINI.read_answer(answer("STOP", usageMetadata=told))
        if isinstance(event, UsageSeen)
    ]
    assert seen == ([usage] if usage else [])


def test_cached_kinds_are_never_more_than_was_sent_or_cached():
    told = {
        "promptTokenCount": 100,
        "candidatesTokenCount": 1,
        "cachedContentTokenCount": 20,
        "promptTokensDetails": [
            {"modality": "AUDIO", "tokenCount": 15},
            {"modality": "IMAGE", "tokenCount": 50},
        ],
        "cacheTokensDetails": [
            {"modality": "AUDIO", "tokenCount": 16},
            {"modality": "IMAGE", "tokenCount": 21},
        ],
    }
    usage = only(GEMINI.read_answer(answer("STOP", usageMetadata=told)), UsageSeen).usage
    assert (usage.counts["cached_read_audio_tokens"], usage.counts["cached_read_image_tokens"]) == (15, 20)


def test_kinds_of_tokens_survive_both_ways():
    usage = used(100, 50, 20, 0, 10, input_audio_tokens=30, input_video_tokens=9, output_image_tokens=40)
    told = answer("STOP", usageMetadata=GEMINI.usage(usage))
    assert only(GEMINI.read_answer(told), UsageSeen).usage == usage


def test_numbers_of_a_stream_replace_each_other():
    pieces = [
        answer(None, {"text": "x"}, usageMetadata={"promptTokenCount": 5, "candidatesTokenCount": n})
        for n in (1, 2)
    ]
    assert only(read_stream(stream(*pieces)), UsageSeen).usage == used(5, 2)


def test_stream_without_finish_reason_has_no_finish():
    assert not [
        event for event in read_stream(stream(answer(None, {"text": "x"}))) if isinstance(event, Finished)
    ]


def test_finish_reason_in_every_piece_is_one_finish():
    events = read_stream(stream(answer("STOP", {"text": "x"}), answer("STOP", {"text": "y"})))
    assert [type(event) for event in events[1:]] == [TextDelta, TextDelta, Finished]


@pytest.mark.parametrize("data", [b"", b": nothing\r\n\r\n", b"<html></html>", b'{"candidates": []}'])
def test_empty_stream_is_a_failure(data):
    with pytest.raises(UpstreamFailure):
        read_stream(data)


def test_unreadable_frame_is_left_out_once():
    whole = stream(answer("STOP", {"text": "x"}))
    assert only(read_stream(b"data: {\r\n\r\n" + whole), TextDelta).text == "x"
    with pytest.raises(UpstreamFailure):
        read_stream(b"data: {\r\n\r\n" * 2 + whole)


def test_oversized_frame_is_a_failure():
    with pytest.raises(UpstreamFailure):
        GEMINI.reader().feed(b"data: " + b"x" * LIMIT_BYTES)


@pytest.mark.parametrize("wrapped", [False, True])
def test_error_in_a_stream_is_what_it_would_have_been_before(wrapped):
    error = {"error": {"code": 503, "message": "Overloaded at 10.0.0.1.", "status": "UNAVAILABLE"}}
    with pytest.raises(UpstreamFailure) as failed:
        read_stream(stream(answer(None, {"text": "x"}), [error] if wrapped else error))
    assert failed.value.kind is FailureKind.UNAVAILABLE
    assert "10.0.0.1" not in failed.value.message


def test_failed_stream_ends_in_an_error_and_no_finish():
    writer = GEMINI.writer(FACTS)
    written = writer.write([TextDelta("a")]) + writer.fail(ERROR)
    assert b"finishReason" not in written
    with pytest.raises(UpstreamFailure):
        read_stream(written)


def test_call_of_a_stream_is_written_whole():
    writer = GEMINI.writer(FACTS)
    assert writer.write([ToolCallStarted(0, "a", "f"), ToolArguments(0, '{"n"')]) == b""
    assert writer.write([ToolArguments(0, ":1}")]) == b""
    assert b'"args":{"n":1}' in writer.write([Finished(FinishReason.TOOL_CALLS)])


def test_refusal_is_text():
    parts = GEMINI.write_answer([RefusalDelta("I won't."), Finished(FinishReason.CONTENT_FILTER)], FACTS)
    assert parts["candidates"][0]["content"]["parts"] == [{"text": "I won't."}]
    assert parts["candidates"][0]["finishReason"] == "SAFETY"


def test_arguments_that_are_no_object_are_handed_on_under_a_name():
    events = [ToolCallStarted(0, "a", "f"), ToolArguments(0, "{broken"), Finished(FinishReason.TOOL_CALLS)]
    (part,) = GEMINI.write_answer(events, FACTS)["candidates"][0]["content"]["parts"]
    assert part["functionCall"]["args"] == {"invalid_arguments": "{broken"}


@pytest.mark.parametrize(
    "signed",
    [
        ReasoningSigned("c2ln", origin="anthropic"),
        ReasoningSigned(None, "blob", "responses", "rs_1"),
        ReasoningSigned("c2ln", origin="gemini"),
    ],
)
def test_signature_of_any_origin_survives_a_gemini_client(signed):
    written = write_signature(signed)
    assert read_signature(written) == signed
    assert read_signature(written.replace("+", "-").replace("/", "_")) == signed


def test_foreign_signature_reaches_a_client_who_gives_it_back():
    events = [ReasoningSigned("c2ln", origin="anthropic"), Finished(FinishReason.STOP)]
    content = GEMINI.write_answer(events, FACTS)["candidates"][0]["content"]
    (thoughts,) = GEMINI.read_request({"contents": [content]}).messages[0].parts
    assert (thoughts.signature, thoughts.origin) == ("c2ln", "anthropic")


def test_error_names_its_code_its_parameter_and_the_request():
    body = GEMINI.error_body(ERROR, "req-1")["error"]
    assert (body["code"], body["status"], body["message"]) == (503, "UNAVAILABLE", "No.")
    assert [detail["@type"].rpartition(".")[2] for detail in body["details"]] == [
        "ErrorInfo",
        "BadRequest",
        "RequestInfo",
    ]


def test_delay_of_the_error_comes_before_the_header():
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3s"}
    error = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [info]}}
    assert GEMINI.failure(429, {"retry-after": "9"}, orjson.dumps(error)).retry_after_s == 3
    assert GEMINI.failure(429, {"retry-after": "9"}, b"{}").retry_after_s == 9


def test_end_is_told_by_the_first_reason_for_it():
    reader = GEMINI.reader()
    reader.feed(stream(answer(None, {"text": "a"})))
    assert not reader.has_told_end
    reader.feed(stream(answer("STOP", {"text": "b"})))
    assert reader.has_told_end


def test_end_that_is_told_with_every_piece_says_nothing():
    reader = GEMINI.reader()
    for text in "abc":
        reader.feed(stream(answer("STOP", {"text": text})))
    assert not reader.has_told_end
