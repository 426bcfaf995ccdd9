"""What a request is estimated to take."""

from typing import Any

import orjson
import pytest

from providers.wire import estimate
from providers.wire.estimate import (
    UsageReport,
    are_plain,
    are_texts,
    estimate_input_tokens,
    estimate_usage,
    missing_usage,
    most_output_tokens,
    odd_places,
)
from tests.used import used


def json_tokens(*values):
    return -(-sum(len(orjson.dumps(value)) for value in values) // 4)


@pytest.mark.parametrize(("letters", "tokens"), [(0, 1), (2, 1), (3, 2), (6, 2), (7, 3), (398, 100)])
def test_a_token_is_four_bytes_of_json_and_a_begun_one_is_whole(letters, tokens):
    assert estimate_input_tokens({"input": "x" * letters}) == tokens


def test_letters_beyond_english_take_more():
    assert estimate_input_tokens({"input": "你" * 100}) == 76


def test_a_request_of_nothing_takes_a_token():
    assert estimate_input_tokens({}) == 1


def test_short_chat_takes_what_openai_counts():
    assert estimate_input_tokens({"messages": [{"role": "user", "content": "Hi"}]}) == 8


SAID = "x" * 40
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": SAID}}
MESSAGES = [
    [{"role": "user", "content": SAID}],
    [{"role": "system", "content": SAID}, {"role": "user", "content": [{"type": "text", "text": SAID}]}],
    [{"role": "assistant", "content": None, "tool_calls": [CALL]}],
    [{"role": "assistant", "content": [{"type": "text", "text": SAID}], "tool_calls": [CALL]}],
    [{"role": "user", "parts": [{"text": SAID}]}],
    [{"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"a": [SAID]}}}]}],
    [{"type": "function_call_output", "output": [{"type": "input_text", "text": SAID}]}],
    [{"type": ["image"], "content": SAID}],
    [SAID, SAID],
    [[SAID]],
]


@pytest.mark.parametrize("place", ["messages", "input", "contents"])
@pytest.mark.parametrize("said", MESSAGES)
def test_what_is_said_counts_as_the_json_it_is_however_deep_it_stands(place, said):
    assert estimate_input_tokens({place: said}) == json_tokens(said)


BASE64 = "QUJD" * 1_000
PLAIN = {"role": "user", "content": SAID}


@pytest.mark.parametrize("text", [SAID, 'It says "image_url": that is all.', f"data:{BASE64}", BASE64])
@pytest.mark.parametrize("also", [[], [PLAIN], [{**PLAIN, "name": "Ann"}], [{**PLAIN, "role": "tool"}]])
def test_text_of_a_message_counts_as_text_whatever_it_says(text, also):
    said = [{"role": "user", "content": text}, *also]
    assert estimate_input_tokens({"messages": said}) == json_tokens(said)


def test_a_picture_beside_plain_messages_counts_as_one():
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{BASE64}"}}
    said = [PLAIN, {"role": "user", "content": [part]}]
    assert estimate_input_tokens({"messages": said}) > 1_024
    assert estimate_input_tokens({"messages": [PLAIN, {**PLAIN, "images": [part]}]}) > 1_024


@pytest.mark.parametrize(
    ("messages", "is_plain"),
    [
        ([PLAIN], True),
        ([PLAIN, {"role": "assistant", "content": ""}, {"role": "system", "content": "x"}], True),
        ([{**PLAIN, "role": role} for role in ("system", "developer", "user", "assistant")], True),
        ([], False),
        ([{}], False),
        ([{"role": "user"}], False),
        ([{"content": "x", "name": "y"}], False),
        ([{"role": "user", "content": None}], False),
        ([{"role": "user", "content": ["x"]}], False),
        ([{"role": "tool", "content": "x"}], False),
        ([{"role": ["user"], "content": "x"}], False),
        ([{**PLAIN, "name": "Ann"}], False),
        ([["role", "content"]], False),
        (["xy"], False),
        ([1], False),
        ([None], False),
        (5, False),
        ("xy", False),
    ],
)
def test_messages_are_plain_that_are_a_role_and_a_text_each(messages, is_plain):
    assert are_plain(messages) is is_plain
    if isinstance(messages, list):
        assert are_plain([PLAIN, *messages]) is (is_plain or not messages)
        assert (
            is_plain
            or not messages
            or odd_places([PLAIN, *messages])[-len(messages) :] == [*range(1, 1 + len(messages))]
        )


@pytest.mark.parametrize(
    ("messages", "are"),
    [
        ([PLAIN, {"role": "tool", "content": "x", "name": "f"}], True),
        ([], False),
        ([PLAIN, {"role": "user", "content": None}], False),
        ([{"role": "user", "content": ["x"]}], False),
        ([{}], False),
        (["content"], False),
        ([None], False),
    ],
)
def test_messages_are_texts_that_say_one_each(messages, are):
    assert are_texts(messages) is are


@pytest.mark.parametrize(
    "place", ["system", "systemInstruction", "system_instruction", "instructions", "prompt"]
)
@pytest.mark.parametrize("said", [SAID, {"parts": [{"text": SAID}]}, [{"type": "text", "text": SAID}]])
def test_what_stands_before_all_counts_with_it(place, said):
    turn = [{"role": "user", "content": SAID}]
    assert estimate_input_tokens({place: said, "messages": turn}) == json_tokens(said, turn)


def test_a_token_number_is_a_token():
    assert estimate_input_tokens({"input": list(range(1000, 1010))}) == 10
    assert estimate_input_tokens({"input": [list(range(1000, 1010))] * 2}) == 10 + 10 + 1


@pytest.mark.parametrize("place", ["tools", "functions"])
def test_tools_are_part_of_the_prompt(place):
    turn = [{"role": "user", "content": SAID}]
    tools = [{"name": "t", "input_schema": {"type": "object"}}]
    assert estimate_input_tokens({"messages": turn, place: tools}) == json_tokens(turn, tools)


SCHEMA = {"type": "object", "properties": {"schema": {"type": "string"}}}


@pytest.mark.parametrize(
    "form",
    [
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}},
        {"text": {"format": {"type": "json_schema", "schema": SCHEMA}, "verbosity": "low"}},
        {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}, "effort": "low"}},
        {"generationConfig": {"responseSchema": SCHEMA, "topK": 1}},
        {"generationConfig": {"responseJsonSchema": SCHEMA}},
        {"generation_config": {"response_schema": SCHEMA}},
        {"generation_config": {"response_json_schema": SCHEMA}},
    ],
)
def test_a_schema_of_the_answer_is_part_of_the_prompt_and_what_stands_around_it_is_not(form):
    assert estimate_input_tokens({"prompt": SAID, **form}) == json_tokens(SAID, SCHEMA)


def test_messages_that_are_known_to_be_plain_count_the_same():
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}
    body = {"messages": [{"role": "user", "content": SAID}], "response_format": form}
    assert estimate_input_tokens(body, is_plain=True) == estimate_input_tokens(body)


@pytest.mark.parametrize(
    "form", [{"response_format": {"type": "json_object"}}, {"text": "x" * 99}, {"model": "x" * 99}]
)
def test_what_no_model_reads_counts_nothing(form):
    # One byte more would be a token more.
    exact = "x" * 38
    assert estimate_input_tokens({"prompt": exact, **form}) == len(exact) // 4 + 1 == json_tokens(exact)


DATA = "x" * 256 * 1600
"""Of 1,600 tokens, as sounds and documents have them."""
SHORT = "x" * 256 * 100
PDF, TEXT, MP3, PNG = "application/pdf", "text/csv", "audio/mp3", "image/png"
MEDIA = [
    ({"type": "image_url", "image_url": {"url": SHORT}}, 1024),
    ({"type": "input_image", "image_url": SHORT}, 1024),
    ({"type": "input_image", "file_id": "file-1"}, 1024),
    ({"type": "image", "source": {"type": "base64", "data": DATA}}, 1024),
    ({"type": "computer_screenshot", "image_url": SHORT}, 1024),
    ({"type": "image_generation_call", "result": DATA}, 1024),
    ({"inlineData": {"mimeType": PNG, "data": DATA}}, 1024),
    ({"file_data": {"mime_type": PNG, "file_uri": "x"}}, 1024),
    ({"inlineData": {"mimeType": PDF, "data": DATA}}, 1600),
    ({"inline_data": {"mimeType": PDF, "data": SHORT}}, 1500),
    ({"inlineData": {"mimeType": TEXT, "data": "x" * 1600}}, 300),
    ({"inlineData": {"mimeType": MP3, "data": SHORT}}, 100),
    ({"fileData": {"mimeType": PDF, "fileUri": "x"}}, 1500),
    ({"fileData": {"mimeType": TEXT, "fileUri": "x"}}, 1500),
    ({"type": "input_audio", "input_audio": {"data": SHORT, "format": "mp3"}}, 100),
    ({"type": "input_audio", "input_audio": 7}, 1500),
    ({"type": "file", "file": {"file_data": DATA}}, 1600),
    ({"type": "file", "file": {"file_data": SHORT}}, 1500),
    ({"type": "file", "file": {"file_data": "data:text/csv;base64," + "x" * 1579}}, 300),
    ({"type": "file", "file": {"file_id": "file-1"}}, 1500),
    ({"type": "input_file", "file_data": DATA}, 1600),
    ({"type": "input_file", "file_url": "https://example.org"}, 1500),
    ({"type": "document", "source": {"type": "base64", "data": DATA}}, 1600),
    ({"type": "document", "source": {"type": "url", "url": "https://example.org"}}, 1500),
    ({"type": "document", "source": {"type": "text", "data": "x" * 398}}, 100),
    ({"type": "document", "source": {"type": "content", "content": [{"a": "x" * 390}]}}, 100),
    ({"type": "document", "source": 7}, 1500),
]
NOTHING = {"text": ""}


@pytest.mark.parametrize(("part", "tokens"), MEDIA)
@pytest.mark.parametrize(
    ("place", "inside"),
    [("messages", "content"), ("input", "content"), ("contents", "parts"), ("input", "output")],
)
def test_pictures_sounds_and_files_count_by_their_kind_on_any_surface(place, inside, part, tokens):
    def estimate(*parts):
        return estimate_input_tokens({place: [{"role": "user", inside: [*parts, NOTHING, NOTHING, NOTHING]}]})

    # A comma takes a quarter of a token.
    assert estimate(part) - estimate() in {tokens, tokens + 1}


def test_pictures_count_inside_the_results_of_tools():
    result = {"type": "tool_result", "tool_use_id": "a", "content": [MEDIA[3][0]]}
    assert estimate_input_tokens({"messages": [{"role": "user", "content": [result]}]}) in range(1024, 1060)


def test_text_is_text_whatever_it_looks_like():
    said = [{"role": "user", "content": [{"type": "text", "text": DATA}]}]
    assert estimate_input_tokens({"messages": said}) == json_tokens(said)


@pytest.mark.parametrize("content", ["Here you are.", [], None])
def test_pictures_count_beside_the_text_of_an_answer(content):
    answer = {"role": "assistant", "content": content, "images": [MEDIA[0][0]] * 2}
    assert estimate_input_tokens({"messages": [answer]}) in range(2048, 2080)


@pytest.mark.parametrize(
    ("encoded", "tokens"),
    [
        ("x" * 1023, 256),
        ("x" * 1024, 4),
        (DATA, 1600),
        ("data:a/b;base64," + "=" * 1008, 4),
        ("x y" * 400, 300),
    ],
)
def test_what_is_encoded_in_an_unknown_part_is_no_text(encoded, tokens):
    part = {"type": "new", "inside": [{"signature": encoded}]}
    around = len(orjson.dumps({"type": "new", "inside": [{"signature": ""}]})) + 2
    assert estimate_input_tokens({"input": [part]}) - around // 4 in {tokens, tokens + 1}


def test_what_stands_beside_something_encoded_counts_as_the_json_it_is():
    beside = {"names": ["ab"] * 100, "counts": [None, 7] * 100, "blank": "x y" * 400, "short": "data:x"}
    part = {"type": "new", "signature": "A" * 1_024, **beside}
    length = len(orjson.dumps([part])) - 1_024 + 1_024 // 256 * 4
    assert estimate_input_tokens({"input": [part]}) == -(-length // 4)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_audio", "input_audio": {"data": "x" * 255}},
        {"inlineData": {"mimeType": MP3, "data": "x" * 255}},
    ],
)
def test_a_sound_too_short_for_a_token_counts_as_the_json_it_is(part):
    assert estimate_input_tokens({"input": [part]}) == json_tokens([part])


@pytest.mark.parametrize(("chars", "tokens"), [(0, 0), (1, 1), (4, 1), (5, 2)])
def test_what_was_generated_is_a_quarter_of_its_characters(chars, tokens):
    assert estimate_usage({"prompt": SAID}, chars) == used(11, tokens, is_estimated=True)


def test_where_nothing_was_generated_nothing_is_billed():
    assert missing_usage({"prompt": SAID}, 0, has_output=False) == used(is_estimated=True)
    assert missing_usage({"prompt": SAID}, 0, has_output=True) == used(11, is_estimated=True)


@pytest.mark.parametrize(("since", "more"), [(0, 0), (1, 1), (4, 1), (5, 2)])
def test_only_what_was_generated_since_the_report_is_added_to_it(since, more):
    report = UsageReport()
    report.note(100, has_output=True)
    assert report.complete(used(7, 9), 100 + since) == used(7, 9 + more, is_estimated=since > 0)
    assert report.complete(None, 100 + since) is None


@pytest.mark.parametrize("has_output", [True, False])
def test_a_report_before_all_output_is_early(has_output):
    report = UsageReport()
    report.note(0, has_output=has_output)
    assert report.is_early is not has_output


def test_every_kind_of_media_is_looked_for() -> None:
    names = {*estimate._IMAGES, *estimate._FILES, *estimate._GOOGLE_MEDIA, "input_audio", "images"}
    missed = [name for name in names if not estimate._MEDIA.search(orjson.dumps({name: 1}))]
    assert missed == []


@pytest.mark.parametrize(("length", "before"), [(1023, 0), (1024, 0), (1024, 1), (1024, 511), (5000, 300)])
def test_long_encoded_text_is_found_wherever_it_stands(length: int, before: int) -> None:
    part = {"type": "text", "text": "x " * before, "signature": "A" * length}
    body = {"messages": [{"role": "user", "content": [part]}]}
    worth = length if length < 1024 else length // 256 * 4
    without = {"messages": [{"role": "user", "content": [{**part, "signature": ""}]}]}
    plain = estimate_input_tokens(without)
    assert abs(estimate_input_tokens(body) - plain - worth / 4) <= 1


@pytest.mark.parametrize(
    ("body", "most"),
    [
        ({"messages": []}, None),
        ({"max_tokens": 100}, 100),
        ({"max_tokens": 100, "max_completion_tokens": 50}, 50),
        ({"max_tokens": None, "max_completion_tokens": None}, None),
        ({"max_output_tokens": 7}, 7),
        ({"max_tokens": 100, "n": -1}, 100),
        ({"max_tokens": 100, "n": 0}, 100),
        ({"max_tokens": 100, "n": 1}, 100),
        ({"max_tokens": 100, "n": 2}, 200),
        ({"max_tokens": 100, "n": None}, 100),
        ({"max_tokens": True}, None),
        ({"generationConfig": {"maxOutputTokens": 9, "candidateCount": 2}}, 18),
        ({"generation_config": {"max_output_tokens": 9, "candidate_count": 2}}, 18),
        ({"generationConfig": {}}, None),
        ({"generationConfig": None, "max_tokens": 4}, 4),
        ({"generationConfig": "no object"}, None),
    ],
)
def test_what_a_client_allows_its_answers_together_is_read_on_every_surface(
    body: dict[str, Any], most: int | None
) -> None:
    assert most_output_tokens(body) == most
