"""Pictures and other files that a model made reach every client that can take them, and are told to all others."""

import json
from dataclasses import replace
from pathlib import Path

import httpx2
import orjson
import pytest
from google.genai import types
from openai import OpenAI

from providers.formats.base import AnswerFacts, CannotTranslate, Upstream
from providers.formats.fitting import Fitter
from providers.formats.registry import CLIENT_FORMATS, FORMATS
from providers.wire.conversation import Text
from providers.wire.events import (
    FileGenerated,
    Finished,
    FinishReason,
    ReasoningDelta,
    Started,
    TextDelta,
    UsageSeen,
)
from providers.wire.failure import FailureKind, UpstreamFailure
from providers.wire.sse import event
from tests.providers.formats.events import read_in_pieces
from tests.providers.formats.gemini.told import told
from tests.used import used

GOLDEN = Path(__file__).parents[2] / "golden" / "pictures"
FACTS = AnswerFacts("1", 1_764_000_000, "org/model")
GEMINI = FORMATS["gemini"]
CAN_TAKE = ["openai", "responses", "gemini"]
CANNOT_TAKE = ["anthropic", "completions"]
PICTURE = FileGenerated("image/png", "cGljdHVyZQ==")
ELSEWHERE = FileGenerated("image/png", url="https://files.example.com/a.png")
SOUND = FileGenerated("audio/wav", "c291bmQ=")
DRAFT = FileGenerated("image/png", "ZHJhZnQ=", is_thought=True)
HERE = TextDelta("Here it is:")
END = (Finished(FinishReason.STOP), UsageSeen(used(8, 1300)))


def golden(name):
    return (GOLDEN / name).read_bytes()


def answered(*said):
    return [Started("gen-1"), *said, *END]


def fitted(client, events):
    fitter = Fitter(CLIENT_FORMATS[client])
    return fitter.fit(events), fitter.left_out


def written(client, events):
    told, _ = fitted(client, events)
    return CLIENT_FORMATS[client].write_answer(told, FACTS)


def streamed(client, events):
    fitter, writer = Fitter(CLIENT_FORMATS[client]), CLIENT_FORMATS[client].writer(FACTS)
    return b"".join(writer.write(fitter.fit([event])) for event in events) + writer.finish(fitter.left_out)


def files(events):
    return [(event.media_type, event.data) for event in events if isinstance(event, FileGenerated)]


def client_of_openai(stream: bytes) -> OpenAI:
    headers = {"content-type": "text/event-stream"}
    answer = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, content=stream))
    return OpenAI(api_key="x", base_url="http://localhost/v1", http_client=httpx2.Client(transport=answer))


def test_pictures_of_google_are_read_into_events():
    assert told(GEMINI.read_answer(json.loads(golden("gemini.json")))) == json.loads(golden("events.json"))


def test_stream_of_google_tells_the_same_pictures():
    whole = GEMINI.read_answer(json.loads(golden("gemini.json")))
    reader = GEMINI.reader()
    assert reader.feed(event(orjson.dumps(json.loads(golden("gemini.json"))))) + reader.finish() == whole


@pytest.mark.parametrize("client", CLIENT_FORMATS)
def test_pictures_are_written_for_a_client(client):
    events = GEMINI.read_answer(json.loads(golden("gemini.json")))
    assert written(client, events) == json.loads(golden(f"{client}.written.json"))


@pytest.mark.parametrize("client", CLIENT_FORMATS)
def test_pictures_are_streamed_to_a_client(client):
    events = GEMINI.read_answer(json.loads(golden("gemini.json")))
    assert streamed(client, events) == golden(f"{client}.written.sse")


@pytest.mark.parametrize("client", CAN_TAKE)
@pytest.mark.parametrize("is_streamed", [False, True])
def test_picture_is_read_again_as_it_was_written(client, is_streamed):
    events = answered(HERE, PICTURE, TextDelta("And:"), FileGenerated("image/webp", "bmlnaHQ="))
    if is_streamed:
        read = read_in_pieces(FORMATS[client].reader(), streamed(client, events), [])
    else:
        read = FORMATS[client].read_answer(written(client, events))
    assert files(read) == files(events)


@pytest.mark.parametrize("client", CAN_TAKE)
def test_answer_may_be_a_picture_and_nothing_else(client):
    assert files(FORMATS[client].read_answer(written(client, answered(PICTURE)))) == files([PICTURE])


@pytest.mark.parametrize("client", CANNOT_TAKE)
def test_client_that_takes_no_pictures_is_told_of_them_in_their_place(client):
    events, left_out = fitted(client, answered(HERE, PICTURE, TextDelta("Well?")))
    texts = [event.text for event in events if isinstance(event, TextDelta)]
    assert texts == [
        "Here it is:",
        "\n\n[Generated file (image/png), which this API cannot carry]\n\n",
        "Well?",
    ]
    assert left_out == ["image/png -> text"]


@pytest.mark.parametrize("client", CANNOT_TAKE)
@pytest.mark.parametrize("said", [[PICTURE], [PICTURE, HERE]])
def test_answer_that_begins_with_what_a_client_cannot_take_is_left_to_another_offering(client, said):
    with pytest.raises(UpstreamFailure, match="image/png") as refused:
        fitted(client, answered(*said))
    assert (refused.value.kind, refused.value.code) == (FailureKind.UNSUPPORTED, "unsupported_output")


@pytest.mark.parametrize("client", ["openai", "responses", "anthropic"])
def test_draft_among_the_thoughts_is_told_there(client):
    events, left_out = fitted(client, answered(DRAFT, HERE))
    assert events[1] == ReasoningDelta(
        "\n\n[Generated draft file (image/png), which this API cannot carry]\n\n"
    )
    assert left_out == ["image/png -> reasoning"]


def test_draft_stays_a_draft_for_google():
    parts = written("gemini", answered(DRAFT, HERE))["candidates"][0]["content"]["parts"]
    assert parts[0] == {"inlineData": {"mimeType": "image/png", "data": "ZHJhZnQ="}, "thought": True}


@pytest.mark.parametrize("client", ["responses", "anthropic", "completions"])
def test_picture_that_lies_elsewhere_is_told_with_its_address(client):
    events, _ = fitted(client, answered(HERE, ELSEWHERE))
    assert TextDelta("\n\n[Generated file (image/png): https://files.example.com/a.png]\n\n") in events


def test_picture_that_lies_elsewhere_reaches_chat_by_its_address():
    (image,) = written("openai", answered(ELSEWHERE))["choices"][0]["message"]["images"]
    assert image["image_url"] == {"url": "https://files.example.com/a.png"}


@pytest.mark.parametrize("client", ["openai", "responses", "anthropic"])
def test_file_that_is_no_picture_is_told(client):
    _, left_out = fitted(client, answered(HERE, SOUND))
    assert left_out == ["audio/wav -> text"]


def test_file_that_is_no_picture_reaches_google():
    assert files(GEMINI.read_answer(written("gemini", answered(SOUND)))) == files([SOUND])


def test_signature_of_a_picture_stays_on_it_for_google():
    parts = written("gemini", GEMINI.read_answer(json.loads(golden("gemini.json"))))
    signed = [p for p in parts["candidates"][0]["content"]["parts"] if "thoughtSignature" in p]
    assert signed == json.loads(golden("gemini.json"))["candidates"][0]["content"]["parts"][3:4]


@pytest.mark.parametrize(
    "image", [{"url": "data:image/gif;base64,eA=="}, {"image_url": "data:image/gif;base64,eA=="}]
)
def test_chat_reads_a_picture_however_a_server_writes_it(image):
    message = {"role": "assistant", "content": None, "images": [image, 7, {"image_url": {"url": None}}]}
    events = FORMATS["openai"].read_answer({"choices": [{"message": message, "finish_reason": "stop"}]})
    assert files(events) == [("image/gif", "eA==")]


def test_call_of_openais_picture_tool_without_a_picture_is_no_file():
    item = {"type": "image_generation_call", "id": "ig_1", "status": "failed", "result": None}
    events = FORMATS["responses"].read_answer({"status": "completed", "output": [item]})
    assert [event.path for event in events if hasattr(event, "path")] == ["output.image_generation_call"]


def test_picture_of_openai_keeps_its_form():
    item = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "eA=="}
    item |= {"output_format": "jpeg", "revised_prompt": "A ship."}
    events = FORMATS["responses"].read_answer({"status": "completed", "output": [item]})
    assert files(events) == [("image/jpeg", "eA==")]
    assert written("responses", events)["output"] == [item]


def test_openais_sdk_gathers_streamed_pictures():
    stream = streamed("responses", answered(HERE, PICTURE))
    with client_of_openai(stream).responses.stream(model="m", input="x") as events:
        kinds = [event.type for event in events]
        response = events.get_final_response()
    assert "response.image_generation_call.completed" in kinds
    assert [item.type for item in response.output] == ["message", "image_generation_call"]
    assert response.output[1].result == PICTURE.data


def test_openais_sdk_gathers_pictures_and_sources_of_a_streamed_chat():
    sources = [{"url": f"https://example.com/{n}", "title": "t"} for n in range(2)]
    message = {"content": "x", "images": [{"image_url": {"url": "data:image/png;base64,eA=="}}] * 2}
    message["annotations"] = [{"type": "url_citation", "url_citation": source} for source in sources]
    events = FORMATS["openai"].read_answer({"choices": [{"message": message, "finish_reason": "stop"}]})
    with client_of_openai(streamed("openai", events)).chat.completions.stream(
        model="m", messages=[]
    ) as chunks:
        chunks.until_done()
        gathered = chunks.get_final_completion().choices[0].message
    assert len(gathered.images) == len(gathered.annotations) == 2


def test_googles_sdk_reads_pictures():
    answer = types.GenerateContentResponse.model_validate(written("gemini", answered(HERE, PICTURE)))
    assert answer.candidates[0].content.parts[1].inline_data.data == b"picture"


DRAWN = {"id": "ig_1", "type": "image_generation_call", "status": "completed", "result": "eA=="}
TURNS = {
    "openai": {
        "messages": [
            {"role": "user", "content": "Draw."},
            {
                "role": "assistant",
                "content": "",
                "images": [
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,eA=="}, "index": 0}
                ],
            },
            {"role": "user", "content": "Bluer."},
        ]
    },
    "responses": {
        "input": [{"role": "user", "content": "Draw."}, DRAWN, {"role": "user", "content": "Bluer."}]
    },
    "gemini": {
        "contents": [
            {"role": "user", "parts": [{"text": "Draw."}]},
            {"role": "model", "parts": [{"inlineData": {"mimeType": "image/png", "data": "eA=="}}]},
            {"role": "user", "parts": [{"text": "Bluer."}]},
        ]
    },
}


def asked_again(client, provider):
    conversation = CLIENT_FORMATS[client].read_request(TURNS[client])
    return FORMATS[provider].write_request(conversation, Upstream("m", is_streamed=False)).body


@pytest.mark.parametrize("client", TURNS)
def test_picture_of_an_earlier_answer_goes_back_to_google(client):
    assert asked_again(client, "gemini")["contents"] == TURNS["gemini"]["contents"]


@pytest.mark.parametrize(
    ("client", "place"), [("openai", "messages"), ("responses", "input"), ("gemini", "contents")]
)
def test_picture_of_an_earlier_answer_goes_back_to_its_own_format_as_it_came(client, place):
    assert asked_again(client, client)[place] == TURNS[client][place]


def test_picture_stays_where_something_else_of_its_message_was_changed():
    read = CLIENT_FORMATS["openai"].read_request(TURNS["openai"])
    answer = read.messages[1]
    changed = replace(answer, parts=(Text("Drawn."), *answer.parts))
    conversation = replace(read, messages=(read.messages[0], changed, read.messages[2]))
    message = (
        FORMATS["openai"].write_request(conversation, Upstream("m", is_streamed=False)).body["messages"][1]
    )
    assert message == TURNS["openai"]["messages"][1] | {"content": "Drawn."}


def asked_for(modalities):
    body = {"messages": [{"role": "user", "content": "Draw."}], "modalities": modalities}
    return GEMINI.write_request(CLIENT_FORMATS["openai"].read_request(body), Upstream("m", is_streamed=False))


def test_pictures_that_clients_of_openrouter_ask_for_are_asked_of_google():
    sent = asked_for(["image", "text"])
    assert sent.body["generationConfig"]["responseModalities"] == ["IMAGE", "TEXT"]
    assert sent.translated == ("modalities -> generationConfig.responseModalities",)


def test_text_alone_is_what_google_gives_unasked():
    assert "generationConfig" not in asked_for(["text"]).body


@pytest.mark.parametrize("modalities", [["audio", "text"], ["image", 7], ["image", "video"], "image"])
def test_other_kinds_of_answer_are_refused_by_name(modalities):
    with pytest.raises(CannotTranslate) as refused:
        asked_for(modalities)
    assert refused.value.param == "modalities"


@pytest.mark.parametrize("images", [[7], [{"type": "image_url"}], "x"])
def test_pictures_of_another_shape_are_the_clients_own(images):
    turns = [{"role": "assistant", "content": "x", "images": images}, {"role": "user", "content": "y"}]
    conversation = CLIENT_FORMATS["openai"].read_request({"messages": turns})
    assert (
        FORMATS["openai"].write_request(conversation, Upstream("m", is_streamed=False)).body["messages"]
        == turns
    )
    with pytest.raises(CannotTranslate, match="images"):
        GEMINI.write_request(conversation, Upstream("m", is_streamed=False))


@pytest.mark.parametrize(
    ("client", "provider"),
    [("responses", "openai"), ("gemini", "openai"), ("gemini", "responses"), ("openai", "responses")],
)
def test_picture_of_an_earlier_answer_is_refused_by_name_where_it_has_no_place(client, provider):
    with pytest.raises(CannotTranslate, match="pictures") as refused:
        asked_again(client, provider)
    assert refused.value.param == {"responses": "input", "gemini": "contents", "openai": "messages"}[client]
