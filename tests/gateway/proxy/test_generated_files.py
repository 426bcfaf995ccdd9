"""What a model made beside text, and what only its own API has words for, through the edge in both lanes."""

from dataclasses import replace

import pytest

from providers.formats.registry import FORMATS
from providers.wire.events import (
    FileGenerated,
    Finished,
    FinishReason,
    Native,
    Started,
    TextDelta,
    UsageSeen,
)
from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.upstream.speaking import SAID, speaking
from tests.used import used

SAY = [{"role": "user", "content": "draw a ship"}]
CLIENTS = {
    "openai": ("/v1/chat/completions", {"model": "acme/one", "messages": SAY}),
    "responses": ("/v1/responses", {"model": "acme/one", "input": "draw a ship"}),
    "anthropic": ("/v1/messages", {"model": "acme/one", "messages": SAY, "max_tokens": 50}),
    "gemini": ("/v1beta/models/acme/one:generateContent", {"contents": [{"parts": [{"text": "draw"}]}]}),
}
CAN_TAKE = ["openai", "responses", "gemini"]
PICTURE = FileGenerated("image/png", "cGljdHVyZQ==")
HERE = TextDelta("Here it is:")
SEARCH = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
SEARCHED = Native("anthropic", SEARCH, "content.web_search_tool_result")
LANES = pytest.mark.parametrize("lane", ["direct", "worker"])
WAYS = pytest.mark.parametrize("is_streamed", [False, True])


def answering(*said):
    return (Started("up-1"), *said, Finished(FinishReason.STOP, "stop"), UsageSeen(used(7, 1300)))


@pytest.fixture(scope="module", params=["openai", "responses", "gemini"])
def painter(request):
    with speaking(request.param) as speaker:
        provider = a_provider(1, base_url=speaker.base_url, wire_format=request.param)
        with running_edge([a_model()], [provider]) as edge:
            yield edge, speaker


@pytest.fixture(scope="module")
def two():
    """A painter whom the next offering, which only writes, stands behind."""
    with speaking("gemini") as painter, speaking("anthropic") as writer:
        painter.events = answering(PICTURE)
        providers = [
            replace(a_provider(number, base_url=each.base_url, wire_format=each.wire_format.name), slug=slug)
            for number, (slug, each) in enumerate([("painter", painter), ("writer", writer)], 1)
        ]
        offerings = tuple(an_offering(n, provider_id=n, max_output_tokens=100) for n in (1, 2))
        with running_edge([a_model(offerings=offerings)], providers) as edge:
            yield edge, painter, writer


def ask(edge, client, lane="direct", *, is_streamed=False, **more):
    path, body = CLIENTS[client]
    if is_streamed and client == "gemini":
        path = path.replace(":generateContent", ":streamGenerateContent?alt=sse")
    elif is_streamed:
        body = {**body, "stream": True}
    headers = {"x-gateway-lane": lane, "x-gateway-show-translated": "1"}
    with edge.client(**headers) as http:
        return http.post(path, json={**body, **more})


def heard(client, answer, *, is_streamed):
    assert answer.status_code == 200, answer.text
    if not is_streamed:
        return FORMATS[client].read_answer(answer.json())
    reader = FORMATS[client].reader()
    return [*reader.feed(answer.content), *reader.finish()]


def texts(events):
    return "".join(event.text for event in events if isinstance(event, TextDelta))


@LANES
@WAYS
@pytest.mark.parametrize("client", CAN_TAKE)
def test_picture_reaches_every_client_that_can_take_one(painter, client, lane, is_streamed):
    edge, speaker = painter
    speaker.events = answering(HERE, PICTURE)
    events = heard(client, ask(edge, client, lane, is_streamed=is_streamed), is_streamed=is_streamed)
    made = [(event.media_type, event.data) for event in events if isinstance(event, FileGenerated)]
    assert (texts(events), made) == ("Here it is:", [("image/png", "cGljdHVyZQ==")])


@LANES
@WAYS
def test_picture_of_several_megabytes_reaches_its_client(painter, lane, is_streamed):
    edge, speaker = painter
    large = replace(PICTURE, data="QUFB" * 800_000)
    speaker.events = answering(HERE, large)
    answer = ask(edge, "openai", lane, is_streamed=is_streamed)
    assert [
        event.data for event in heard("openai", answer, is_streamed=is_streamed) if hasattr(event, "data")
    ] == [large.data]


@LANES
def test_messages_are_told_of_a_picture_in_its_place_and_in_a_header(painter, lane):
    edge, speaker = painter
    speaker.events = answering(HERE, PICTURE)
    answer = ask(edge, "anthropic", lane)
    told = texts(heard("anthropic", answer, is_streamed=False))
    assert told.startswith("Here it is:\n\n[Generated file (image/png)")
    assert "image/png -> text" in answer.headers["x-gateway-translated"]


@LANES
def test_stream_of_messages_tells_of_a_picture_in_its_place_and_at_its_end(painter, lane):
    edge, speaker = painter
    speaker.events = answering(HERE, PICTURE)
    answer = ask(edge, "anthropic", lane, is_streamed=True)
    assert "[Generated file (image/png)" in texts(heard("anthropic", answer, is_streamed=True))
    assert ": left out: image/png -> text\n\n" in answer.text


@LANES
@WAYS
def test_answer_that_is_only_a_picture_is_left_to_an_offering_that_writes(two, lane, is_streamed):
    edge, *_ = two
    answer = ask(edge, "anthropic", lane, is_streamed=is_streamed)
    assert texts(heard("anthropic", answer, is_streamed=is_streamed)) == SAID
    assert answer.headers["x-gateway-provider"] == "writer"


@WAYS
def test_answer_that_is_only_a_picture_is_refused_where_nobody_writes(painter, is_streamed):
    edge, speaker = painter
    speaker.events = answering(PICTURE)
    answer = ask(edge, "anthropic", is_streamed=is_streamed)
    assert answer.status_code == 400
    assert "image/png" in answer.json()["error"]["message"]


@pytest.fixture(scope="module")
def searcher():
    with speaking("anthropic") as speaker:
        provider = a_provider(1, base_url=speaker.base_url, wire_format="anthropic")
        with running_edge([a_model(offerings=(an_offering(1, max_output_tokens=100),))], [provider]) as edge:
            yield edge, speaker


@WAYS
def test_what_a_providers_own_tool_did_reaches_clients_of_its_format(searcher, is_streamed):
    edge, speaker = searcher
    speaker.events = answering(SEARCHED, HERE)
    events = heard("anthropic", ask(edge, "anthropic", is_streamed=is_streamed), is_streamed=is_streamed)
    assert [event.value for event in events if isinstance(event, Native)] == [SEARCH]


@pytest.mark.parametrize("client", CAN_TAKE)
def test_other_clients_are_told_what_a_providers_own_tool_did(searcher, client):
    edge, speaker = searcher
    speaker.events = answering(SEARCHED, HERE)
    answer = ask(edge, client)
    assert texts(heard(client, answer, is_streamed=False)) == "Here it is:"
    assert "content.web_search_tool_result -> left out" in answer.headers["x-gateway-translated"]


@pytest.mark.parametrize("client", CAN_TAKE)
def test_other_streams_tell_at_their_end_what_a_providers_own_tool_did(searcher, client):
    edge, speaker = searcher
    speaker.events = answering(SEARCHED, HERE)
    answer = ask(edge, client, is_streamed=True)
    assert texts(heard(client, answer, is_streamed=True)) == "Here it is:"
    assert "content.web_search_tool_result -> left out" in answer.text


@pytest.mark.parametrize("client", CAN_TAKE)
@WAYS
def test_answer_that_only_a_provider_understands_is_refused(searcher, client, is_streamed):
    edge, speaker = searcher
    speaker.events = answering(SEARCHED)
    answer = ask(edge, client, is_streamed=is_streamed)
    assert answer.status_code == 400
    assert "content.web_search_tool_result" in answer.json()["error"]["message"]
