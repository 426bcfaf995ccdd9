"""Responses: what is refused by its name, what stays as it came, and streams that are not whole."""

import orjson
import pytest

from providers.formats.base import AnswerFacts, CannotTranslate, TranslationError, Upstream
from providers.formats.openai.format import OpenAIFormat
from providers.formats.responses.format import ResponsesFormat
from providers.operations.generate import adapter_between
from providers.wire.call import Call
from providers.wire.conversation import (
    Audio,
    Conversation,
    Message,
    Reasoning,
    Role,
    Sampling,
    Text,
    Tool,
    ToolCall,
)
from providers.wire.events import (
    Finished,
    FinishReason,
    ReasoningDelta,
    ReasoningSigned,
    Started,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
)
from providers.wire.failure import FailureKind, UpstreamFailure
from providers.wire.sse import event
from tests.providers.formats.events import read_in_pieces

RESPONSES, CHAT = ResponsesFormat(), OpenAIFormat()
UPSTREAM = Upstream("m", is_streamed=False)
FACTS = AnswerFacts("1", 1_764_000_000, "org/model")


def request(*items, **more):
    return RESPONSES.read_request({"input": list(items) or "x", **more})


def write(*parts, **more):
    conversation = Conversation((Message(Role.USER, parts or (Text("x"),)),), "openai", **more)
    return RESPONSES.write_request(conversation, UPSTREAM)


def read(*values):
    frames = b"".join(event(orjson.dumps(value)) for value in values)
    return read_in_pieces(RESPONSES.reader(), frames, [])


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ({"role": "pirate", "content": "x"}, "input[0].role"),
        ({"role": "user", "content": [{}]}, "input[0].content[0].type"),
        ({"type": "function_call_output", "call_id": "c9", "output": "x"}, "input[0].call_id"),
        ({"content": "x"}, "input[0].type"),
    ],
)
def test_item_that_cannot_be_read_is_named(item, param):
    with pytest.raises(TranslationError) as refused:
        request(item)
    assert refused.value.param == param


def test_built_in_tools_stay_as_they_came_and_are_refused_by_name_elsewhere():
    tools = [{"type": "file_search"}, {"type": "function", "name": "f", "parameters": {}}]
    conversation = request(tools=tools)
    assert RESPONSES.write_request(conversation, UPSTREAM).body["tools"] == tools
    with pytest.raises(CannotTranslate) as refused:
        CHAT.write_request(conversation, UPSTREAM)
    assert refused.value.param == "tools[0].type"


def test_items_of_built_in_tools_stay_as_they_came():
    items = [{"role": "user", "content": "x"}, {"type": "web_search_call", "id": "ws_1"}]
    conversation = request(*items)
    assert RESPONSES.write_request(conversation, UPSTREAM).body["input"] == items
    with pytest.raises(CannotTranslate) as refused:
        CHAT.write_request(conversation, UPSTREAM)
    assert refused.value.param == "input[1].type"


def test_nested_settings_without_a_place_stay():
    reasoning = {"effort": "low", "context": "all_turns"}
    body = RESPONSES.write_request(request(reasoning=reasoning), UPSTREAM).body
    assert body["reasoning"] == reasoning
    assert "reasoning.context" not in body


@pytest.mark.parametrize(
    ("sampling", "lost"),
    [
        ({"seed": 0}, "seed -> left out"),
        ({"top_k": 5}, "top_k -> left out"),
        ({"top_k": 1}, "top_k -> temperature=0"),
        ({"presence_penalty": 1}, "presence_penalty -> left out"),
    ],
)
def test_tuning_that_responses_lack_is_moved_or_left_out(sampling, lost):
    assert write(sampling=Sampling(**sampling)).lost == (lost,)


def test_stop_is_refused():
    with pytest.raises(CannotTranslate) as refused:
        write(sampling=Sampling(stop=("x",)))
    assert refused.value.param == "stop"


def test_audio_is_refused():
    with pytest.raises(CannotTranslate) as refused:
        write(Audio("UklGRg==", "wav"))
    assert refused.value.param == "messages.content.input_audio"


def test_request_of_another_format_is_not_stored_and_its_tools_are_not_made_strict():
    body = write(tools=(Tool("f"),)).body
    assert body["store"] is False
    assert body["tools"][0]["strict"] is False


def test_another_makers_thoughts_are_left_out_and_that_is_told():
    messages = (Message(Role.ASSISTANT, (Reasoning("Hm.", signature="s", origin="anthropic"), Text("x"))),)
    written = RESPONSES.write_request(Conversation(messages, "anthropic"), UPSTREAM)
    assert [item["type"] for item in written.body["input"]] == ["message"]
    assert written.translated == ("messages.content.thinking -> left out",)


def test_signature_of_another_format_comes_back_from_a_client():
    answer = RESPONSES.write_answer(
        [ReasoningDelta("Hm."), ReasoningSigned("s", origin="anthropic"), Finished(FinishReason.STOP)], FACTS
    )
    thought = request(*answer["output"]).messages[0].parts[0]
    assert thought == Reasoning("Hm.", signature="s", origin="anthropic")


def test_signature_of_a_call_goes_to_a_client_and_comes_back():
    started = ToolCallStarted(0, "c1", "f", "s", "gemini")
    answer = RESPONSES.write_answer([started, Finished(FinishReason.TOOL_CALLS)], FACTS)
    assert request(*answer["output"]).messages[0].parts == (ToolCall("c1", "f", "{}", "s", "gemini"),)


def test_items_without_deltas_and_indices_are_read_at_their_end():
    call = {"type": "function_call", "id": "fc", "call_id": "c1", "name": "f", "arguments": "{}"}
    text = {"type": "message", "id": "m", "content": [{"type": "output_text", "text": "x"}]}
    said = read(
        {"type": "response.created", "response": {"id": "r"}},
        {"type": "response.output_item.done", "item": text},
        {"type": "response.output_item.done", "item": call},
        {"type": "response.completed", "response": {"status": "completed"}},
    )
    assert said == [
        Started("r"),
        TextDelta("x"),
        ToolCallStarted(0, "c1", "f"),
        ToolArguments(0, "{}"),
        Finished(FinishReason.TOOL_CALLS, "completed"),
    ]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"type": "error", "code": "rate_limit_exceeded", "message": "slow"}, FailureKind.RATE_LIMIT),
        ({"type": "error", "code": "context_length_exceeded", "message": "long"}, FailureKind.CALLER),
        (
            {"type": "response.failed", "response": {"status": "failed", "error": {"code": "server_error"}}},
            FailureKind.UNAVAILABLE,
        ),
    ],
)
def test_errors_in_a_stream_are_classified(value, kind):
    with pytest.raises(UpstreamFailure) as failed:
        read({"type": "response.created", "response": {}}, value)
    assert failed.value.kind is kind


def test_stream_that_only_stops_has_no_finish():
    said = read({"type": "response.output_text.delta", "output_index": 0, "delta": "x"})
    assert said == [Started(), TextDelta("x")]


@pytest.mark.parametrize(
    ("reason", "status", "why"),
    [
        (FinishReason.STOP, "completed", None),
        (FinishReason.LENGTH, "incomplete", {"reason": "max_output_tokens"}),
        (FinishReason.CONTENT_FILTER, "incomplete", {"reason": "content_filter"}),
        (FinishReason.PAUSE, "incomplete", None),
    ],
)
def test_ends_are_written_and_read_alike(reason, status, why):
    answer = RESPONSES.write_answer([TextDelta("x"), Finished(reason)], FACTS)
    assert (answer["status"], answer["incomplete_details"]) == (status, why)
    assert [item["status"] for item in answer["output"]] == [status]
    assert RESPONSES.read_answer(answer)[-1].reason is reason


def test_error_in_a_stream_that_a_provider_began_has_the_next_number():
    reader = adapter_between("responses", "responses").stream(Call("responses", {}, is_streamed=True), "m")
    delta = {"type": "response.output_text.delta", "delta": '"sequence_number": 9', "sequence_number": 4}
    reader.feed(event(orjson.dumps(delta)))
    (line,) = [line for line in reader.fail({"message": "No."}).splitlines() if line.startswith(b"data:")]
    assert orjson.loads(line[5:])["sequence_number"] == 5


@pytest.mark.parametrize("names", [[], ["file_search_call.results"]], ids=["known", "with another one"])
def test_all_that_a_client_wants_included_is_asked_for(names):
    wanted = ["reasoning.encrypted_content", *names, "message.output_text.logprobs"]
    asked = RESPONSES.read_request({"model": "m", "input": "Hi", "include": wanted})
    assert RESPONSES.write_request(asked, UPSTREAM).body["include"] == wanted
