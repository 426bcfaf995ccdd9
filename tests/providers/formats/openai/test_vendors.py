"""A habit of a vendor means the same to the relay and to the reader of events, since both ask the same rules."""

import json
from dataclasses import replace

import pytest

from providers.formats.openai.format import OpenAIFormat
from providers.formats.openai.vendors import CallNumbers, finish_of, refuse_end
from providers.operations.generate import adapter_between
from providers.wire.call import Call
from providers.wire.estimate import FILE_CHARS
from providers.wire.events import (
    FileGenerated,
    ReasoningDelta,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
    UsageSeen,
)
from providers.wire.failure import UpstreamFailure
from providers.wire.sse import event
from tests.providers.formats.events import meaning
from tests.used import used

CHAT, RELAY = OpenAIFormat(), adapter_between("openai", "openai")
HEAD = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
STOP = {"index": 0, "delta": {}, "finish_reason": "stop"}
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,eA=="}}


def delta(index: object = 0, **members) -> dict:
    return HEAD | {"choices": [{"index": index, "delta": members, "finish_reason": None}]}


def called(**members) -> dict:
    return delta(tool_calls=[members])


END = HEAD | {"choices": [STOP]}
HABITS = {
    "Groq's usage": [delta(content="a"), END | {"x_groq": {"usage": USAGE}}],
    "usage in every chunk": [
        delta(content="a") | {"usage": USAGE | {"completion_tokens": 1}},
        END | {"usage": USAGE},
    ],
    "usage beside the finish": [delta(content="a"), END | {"usage": USAGE}],
    "no index of a choice": [
        delta(None, content="a"),
        HEAD | {"choices": [{"delta": {}, "finish_reason": "stop"}]},
    ],
    "no delta at the end": [delta(content="a"), HEAD | {"choices": [{"index": 0, "finish_reason": "stop"}]}],
    "finish in capitals": [delta(content="a"), HEAD | {"choices": [STOP | {"finish_reason": "STOP"}]}],
    "finish said twice": [delta(content="a"), END, END | {"usage": USAGE}],
    "the same thoughts under two names": [delta(reasoning="Hm.", reasoning_content="Hm."), END],
    "Mistral's parts": [
        delta(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]),
        delta(content=[{"type": "text", "text": "a"}]),
        END,
    ],
    "OpenRouter's pictures": [delta(images=[PICTURE]), END],
    "calls without index": [
        called(id="x", function={"name": "f", "arguments": '{"a":'}),
        called(function={"arguments": "1}"}),
        called(function={"name": "g", "arguments": "{}"}),
        END,
    ],
    "calls by id": [
        called(id="x", function={"name": "f", "arguments": "{}"}),
        called(id="y", function={"name": "f", "arguments": "{}"}),
        END,
    ],
    "arguments as an object": [called(index=0, id="x", function={"name": "f", "arguments": {"a": 1}}), END],
    "an error in a list": [[{"error": {"message": "No.", "code": 503}}]],
    "Groq's error": [delta(content="a"), HEAD | {"x_groq": {"error": "No."}}],
    "an error for a finish": [delta(content="a"), HEAD | {"choices": [STOP | {"finish_reason": "error"}]}],
    "no stream": [HEAD | {"choices": [{"index": 0, "message": {"content": "a"}}]}],
}


def relayed(chunks) -> tuple[bytes, object]:
    """What the relay passes on, and what it understood of it."""
    reader = RELAY.stream(Call("chat.completions", {}, is_streamed=True, wants_usage=True), "acme/one")
    passed = b"".join(reader.feed(event(json.dumps(chunk).encode())) for chunk in chunks)
    return passed + reader.terminator(), reader


def read(data: bytes) -> list:
    reader = CHAT.reader()
    return [*reader.feed(data), *reader.finish()]


def length(events) -> int:
    texts = [each.text for each in events if isinstance(each, TextDelta | ReasoningDelta | ToolArguments)]
    return len("".join(texts)) + FILE_CHARS * sum(isinstance(each, FileGenerated) for each in events)


def said_by(events, *, has_usage: bool):
    """Without the ids that each makes where there are none, and without an estimate."""
    told = [each for each in events if has_usage or not isinstance(each, UsageSeen)]
    return meaning(replace(each, id="") if isinstance(each, ToolCallStarted) else each for each in told)


def outcome(read_all, chunks):
    try:
        return read_all(chunks)
    except UpstreamFailure as failure:
        return failure.kind, failure.code, failure.message


def events_of(chunks):
    events = read(b"".join(event(json.dumps(chunk).encode()) for chunk in chunks) + event(b"[DONE]"))
    told = any(isinstance(each, UsageSeen) for each in events)
    return said_by(events, has_usage=told)


def relayed_events(chunks):
    passed, reader = relayed(chunks)
    events = read(passed)
    assert reader.output_chars == length(events)
    assert reader.has_finished
    is_told = not reader.usage.is_estimated
    return said_by(events, has_usage=is_told)


@pytest.mark.parametrize("habit", HABITS)
def test_habit_of_a_vendor_means_the_same_relayed_and_read(habit):
    chunks = HABITS[habit]
    assert outcome(relayed_events, chunks) == outcome(events_of, chunks)


@pytest.mark.parametrize("word", ["error", "ERROR", "Error"])
def test_error_for_a_finish_is_a_failure_however_it_is_written(word):
    with pytest.raises(UpstreamFailure):
        finish_of({"finish_reason": word})


@pytest.mark.parametrize("word", ["tool_calls", "TOOL_CALLS"])
def test_end_in_a_call_where_there_was_none_is_a_failure_however_it_is_written(word):
    refuse_end(word, has_calls=True)
    with pytest.raises(UpstreamFailure):
        refuse_end(word, has_calls=False)


def test_new_name_without_a_number_or_an_id_is_another_call():
    numbers = CallNumbers()
    pieces = [{"name": "look"}, {"arguments": "{}"}, {"name": "hear"}, {"arguments": "{}"}]
    assert [numbers.take({"function": piece}) for piece in pieces] == [
        (0, True),
        (0, False),
        (1, True),
        (1, False),
    ]


def test_usage_that_only_groq_tells_is_what_is_billed():
    _, reader = relayed(HABITS["Groq's usage"])
    assert reader.usage == used(7, 3)


@pytest.mark.parametrize(
    "choice", [{}, {"message": 7}, {"message": {"content": 7}}, {"message": {}, "finish_reason": "error"}]
)
def test_what_is_no_whole_answer_is_none_for_both(choice):
    answer = {"id": "c", "choices": [choice]}
    whole = outcome(
        lambda value: RELAY.answer(Call("chat.completions", {}), "m", 200, json.dumps(value).encode()), answer
    )
    assert outcome(CHAT.read_answer, answer) == whole
