"""What only one format has words for goes back to its clients word for word, and is told to all others."""

import orjson
import pytest

from providers.formats.base import AnswerFacts
from providers.formats.fitting import Fitter
from providers.formats.registry import CLIENT_FORMATS, FORMATS
from providers.wire.events import CitationAdded, Finished, FinishReason, Native, Started, TextDelta, UsageSeen
from providers.wire.failure import FailureKind, UpstreamFailure
from tests.used import used

FACTS = AnswerFacts("1", 1, "org/model")
RESULT = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"type": "web_search_result"}]}
CODE = {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "c2ln"}
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}}
TOOLS = {"executed_tools": [{"type": "search", "output": "x"}]}
WHOLE = {
    "anthropic": {
        "content": [RESULT, {"type": "text", "text": "A."}],
        "stop_reason": "end_turn",
    },
    "gemini": {"candidates": [{"content": {"parts": [CODE, {"text": "A."}]}, "finishReason": "STOP"}]},
    "responses": {
        "status": "completed",
        "output": [
            SEARCH,
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A."}]},
        ],
    },
    "openai": {
        "choices": [{"message": {"role": "assistant", "content": "A.", **TOOLS}, "finish_reason": "stop"}]
    },
}
NATIVE = {
    "anthropic": Native("anthropic", RESULT, "content.web_search_tool_result"),
    "gemini": Native("gemini", CODE, "parts.executableCode"),
    "responses": Native("responses", SEARCH, "output.web_search_call"),
    "openai": Native("openai", TOOLS, "message.executed_tools"),
}
END = (Finished(FinishReason.STOP), UsageSeen(used(1, 1)))
OF_A_DOCUMENT = CitationAdded(title="a.txt", cited_text="rain")


def natives(events):
    return [event for event in events if isinstance(event, Native)]


def fitted(client, *said):
    fitter = Fitter(CLIENT_FORMATS[client])
    return fitter.fit([Started(), *said, *END]), fitter.left_out


def read_stream(name, *objects):
    reader = FORMATS[name].reader()
    data = b"".join(FORMATS[name].frame(each, orjson.dumps(each)) for each in objects)
    return [*reader.feed(data), *reader.finish()]


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_not_known_is_an_event_in_its_place(name):
    assert natives(FORMATS[name].read_answer(WHOLE[name])) == [NATIVE[name]]


@pytest.mark.parametrize("name", FORMATS)
def test_client_of_the_same_format_gets_it_word_for_word(name):
    events, left_out = fitted(name, NATIVE[name], TextDelta("A."))
    assert natives(FORMATS[name].read_answer(FORMATS[name].write_answer(events, FACTS))) == [NATIVE[name]]
    assert left_out == []


@pytest.mark.parametrize("name", FORMATS)
def test_stream_of_the_same_format_tells_it_word_for_word(name):
    writer, reader = FORMATS[name].writer(FACTS), FORMATS[name].reader()
    stream = writer.write([Started(), NATIVE[name], TextDelta("A."), *END]) + writer.finish()
    assert natives([*reader.feed(stream), *reader.finish()]) == [NATIVE[name]]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("client", CLIENT_FORMATS)
def test_client_of_another_format_is_told_what_was_left_out(name, client):
    events, left_out = fitted(client, NATIVE[name], TextDelta("A."))
    is_lost = client != name
    assert (natives(events) == []) is is_lost
    assert left_out == ([f"{NATIVE[name].path} -> left out"] if is_lost else [])


def test_answer_of_which_nothing_can_be_told_is_left_to_another_offering():
    with pytest.raises(UpstreamFailure, match="web_search_tool_result") as refused:
        fitted("openai", NATIVE["anthropic"])
    assert refused.value.kind is FailureKind.UNSUPPORTED


def test_empty_answer_of_chat_with_members_of_its_own_is_an_empty_answer():
    events, left_out = fitted("anthropic", Native("openai", {"channel": "final"}, "message.channel"))
    assert events == [Started(), *END]
    assert left_out == ["message.channel -> left out"]


@pytest.mark.parametrize("client", ["openai", "responses", "completions"])
def test_source_that_is_no_page_is_told_where_only_pages_have_a_place(client):
    assert fitted(client, TextDelta("A."), OF_A_DOCUMENT)[1] == ["citation -> left out"]


@pytest.mark.parametrize("client", ["anthropic", "gemini"])
def test_source_that_is_no_page_is_cited_where_it_has_a_place(client):
    assert fitted(client, TextDelta("A."), OF_A_DOCUMENT)[1] == []


def test_name_that_a_provider_chose_is_one_short_line():
    _, (told,) = fitted(
        "openai", Native("x", {}, "content.\r\nx-evil: 1\n\ndata: " + "y" * 500), TextDelta("A.")
    )
    assert told.startswith("content.??x-evil: 1??data: yyy")
    assert len(told) == 120


def test_block_of_anthropic_that_comes_in_pieces_is_gathered():
    start = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ('{"query"', ':"x"}')]
    events = read_stream(
        "anthropic",
        {"type": "message_start", "message": {"usage": {"input_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": start},
        *[{"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas],
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "compaction", "content": ""}},
        *[
            {
                "type": "content_block_delta",
                "index": 1,
                "delta": {"type": "compaction_delta", "content": text},
            }
            for text in ("So ", "far.")
        ],
        {"type": "content_block_stop", "index": 1},
    )
    assert [event.value for event in natives(events)] == [
        {**start, "input": {"query": "x"}},
        {"type": "compaction", "content": "So far."},
    ]


def test_streamed_item_of_openai_is_told_once_it_is_whole():
    running = {**SEARCH, "status": "in_progress"}
    events = read_stream(
        "responses",
        {"type": "response.output_item.added", "output_index": 0, "item": running},
        {"type": "response.web_search_call.searching", "output_index": 0, "item_id": "ws_1"},
        {"type": "response.output_item.done", "output_index": 0, "item": SEARCH},
    )
    assert natives(events) == [NATIVE["responses"]]


def test_part_of_a_message_that_is_not_known_stands_in_a_message_of_its_own():
    part = {"type": "output_hologram", "data": "x"}
    message = {"type": "message", "id": "m1", "role": "assistant", "status": "completed", "content": [part]}
    (whole,) = natives(FORMATS["responses"].read_answer({"status": "completed", "output": [message]}))
    assert (whole.value, whole.path) == (message, "output.content.output_hologram")
    told = {"type": "response.content_part.done", "output_index": 0, "item_id": "m1", "part": part}
    assert [event.value["content"] for event in natives(read_stream("responses", told))] == [[part]]


def test_part_of_chats_content_that_is_not_known_stays_beside_the_text():
    part = {"type": "reference", "reference_ids": [1]}
    message = {"role": "assistant", "content": [{"type": "text", "text": "A."}, part]}
    events = FORMATS["openai"].read_answer({"choices": [{"message": message, "finish_reason": "stop"}]})
    written = FORMATS["openai"].write_answer(events, FACTS)
    assert written["choices"][0]["message"]["content"] == message["content"]


@pytest.mark.parametrize("name", ["audio", "function_call", "prefix"])
def test_empty_member_of_a_chat_message_is_nothing(name):
    message = {"role": "assistant", "content": "A.", name: None}
    assert not natives(
        FORMATS["openai"].read_answer({"choices": [{"message": message, "finish_reason": "stop"}]})
    )
