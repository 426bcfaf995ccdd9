"""Any client reaches any provider: every surface in front of every wire format, over real sockets."""

from collections.abc import Iterator

import httpx
import pytest

from providers.formats.registry import FORMATS
from providers.wire.events import Finished, TextDelta, UsageSeen
from tests.gateway.proxy.edge import recorded, running_edge
from tests.gateway.proxy.values import a_model, a_price, a_provider, an_offering
from tests.upstream.speaking import SAID, USAGE, Speaker, speaking

PRICES = (a_price("input_text_tokens", "1"), a_price("output_text_tokens", "2"))
SAY = [{"role": "user", "content": "hi"}]
CLIENTS = {
    "openai": ("/v1/chat/completions", {"model": "acme/one", "messages": SAY}),
    "anthropic": ("/v1/messages", {"model": "acme/one", "messages": SAY, "max_tokens": 50}),
    "responses": ("/v1/responses", {"model": "acme/one", "input": "hi"}),
    "gemini": (
        "/v1beta/models/acme/one:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
    ),
}
ANY_CLIENT = pytest.mark.parametrize("client", CLIENTS)


@pytest.fixture(scope="module", params=list(FORMATS))
def speaker(request) -> Iterator[Speaker]:
    with speaking(request.param) as speaker:
        yield speaker


@pytest.fixture(scope="module")
def edge(speaker):
    offering = an_offering(1, prices=PRICES, max_output_tokens=1000)
    provider = a_provider(1, base_url=speaker.base_url, wire_format=speaker.wire_format.name, secret="s3cret")
    with running_edge([a_model(offerings=(offering,))], [provider]) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(speaker, edge):
    speaker.is_cut = False
    speaker.seen.clear()
    edge.records.clear()


def ask(edge, client: str, *, is_streamed: bool = False, lane: str = "direct", **more) -> httpx.Response:
    path, body = CLIENTS[client]
    if is_streamed and client == "gemini":
        path = path.replace(":generateContent", ":streamGenerateContent?alt=sse")
    elif is_streamed:
        body = {**body, "stream": True}
    if client == "openai" and is_streamed:
        body["stream_options"] = {"include_usage": True}
    with edge.client(**{"x-gateway-lane": lane}) as http:
        return http.post(path, json={**body, **more})


def heard(client: str, answer: httpx.Response, *, is_streamed: bool):
    if not is_streamed:
        return FORMATS[client].read_answer(answer.json())
    reader = FORMATS[client].reader()
    return [*reader.feed(answer.content), *reader.finish()]


@ANY_CLIENT
@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("lane", ["direct", "worker"])
def test_answer_says_the_same_in_the_clients_form(edge, client, is_streamed, lane):
    answer = ask(edge, client, is_streamed=is_streamed, lane=lane)
    assert answer.status_code == 200, answer.text
    events = heard(client, answer, is_streamed=is_streamed)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == SAID
    assert [event.reason.value for event in events if isinstance(event, Finished)] == ["stop"]
    told = [event.usage for event in events if isinstance(event, UsageSeen)][-1]
    assert (told.counts["input_tokens"], told.counts["output_tokens"]) == (
        USAGE.counts["input_tokens"],
        USAGE.counts["output_tokens"],
    )


@ANY_CLIENT
def test_streamed_and_whole_answers_cost_the_same(edge, client):
    costs = set()
    for is_streamed in (False, True):
        ask(edge, client, is_streamed=is_streamed)
        closed = recorded(edge)
        assert (closed.outcome, closed.usage["input_tokens"], closed.usage["output_tokens"]) == (
            "finished",
            7,
            3,
        )
        costs.add(closed.cost_usd)
        edge.records.clear()
    assert costs == {"0.0000130000"}


@ANY_CLIENT
def test_provider_is_opened_in_its_own_way(edge, speaker, client):
    ask(edge, client)
    _, headers, _ = speaker.seen[0]
    opened = {"anthropic": "x-api-key", "gemini": "x-goog-api-key"}.get(
        speaker.wire_format.name, "authorization"
    )
    assert headers[opened].removeprefix("Bearer ") == "s3cret"


@ANY_CLIENT
def test_stream_that_breaks_off_ends_with_an_error_and_no_tidy_end(edge, speaker, client):
    speaker.is_cut = True
    text = ask(edge, client, is_streamed=True).text
    assert "error" in text
    assert not text.rstrip().endswith(("[DONE]", '"message_stop"}'))
    assert recorded(edge).outcome == "cut"


@pytest.mark.parametrize(
    ("client", "told"),
    [
        ("openai", {"type", "message", "param", "code"}),
        ("responses", {"type", "message", "param", "code"}),
        ("anthropic", {"type", "message"}),
        ("gemini", {"code", "message", "status"}),
    ],
)
def test_refusal_has_the_clients_envelope(edge, client, told):
    path, body = CLIENTS[client]
    nobody = {"model": "acme/none"} if "model" in body else {}
    with edge.client() as http:
        answer = http.post(path.replace("acme/one", "acme/none"), json={**body, **nobody})
    assert answer.status_code == 404
    assert told <= set(answer.json()["error"])
    assert "acme/none" in answer.json()["error"]["message"]


@ANY_CLIENT
def test_bad_request_is_refused_before_anybody_is_asked(edge, speaker, client):
    place = {"openai": "messages", "anthropic": "messages", "responses": "input", "gemini": "contents"}[
        client
    ]
    answer = ask(edge, client, **{place: 7})
    assert answer.status_code == 400, answer.text
    assert place in answer.json()["error"]["message"]
    assert speaker.seen == []


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("/v1/messages/count_tokens", {"model": "acme/one", "messages": SAY}, "input_tokens"),
        ("/v1/responses/input_tokens", {"input": "hello"}, "input_tokens"),
        ("/v1beta/models/acme/one:countTokens", CLIENTS["gemini"][1], "totalTokens"),
    ],
)
def test_tokens_are_counted_without_a_provider(edge, speaker, path, body, name):
    with edge.client() as http:
        answer = http.post(path, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()[name] > 0
    assert speaker.seen == []


@pytest.mark.parametrize("name", ["previous_response_id", "conversation", "background"])
def test_what_refers_to_a_stored_answer_is_refused_by_name(edge, name):
    answer = ask(edge, "responses", **{name: "resp_1"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, name)
