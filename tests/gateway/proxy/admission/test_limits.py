"""Limits and quotas at the edge, over real sockets: on each surface, in both lanes, streamed and whole."""

import threading
from dataclasses import replace

import httpx
import pytest

from gateway.core.store.interface import Limit
from gateway.core.store.redis import RedisStore
from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.services import wait_until
from tests.upstream import ScriptedProvider

LANES = pytest.mark.parametrize("lane", ["direct", "worker"])
ENDPOINTS = frozenset(
    {"chat.completions", "completions", "messages", "responses", "generate_content", "embeddings"}
)
HELLO = [{"role": "user", "content": "hello"}]
SURFACES = {
    "chat": ("/v1/chat/completions", {"messages": HELLO, "max_tokens": 400}),
    "completions": ("/v1/completions", {"prompt": "hello", "max_tokens": 400}),
    "messages": ("/v1/messages", {"messages": HELLO, "max_tokens": 400}),
    "responses": ("/v1/responses", {"input": "hello", "max_output_tokens": 400}),
    "gemini": (
        "/v1beta/models/acme/one:generateContent",
        {"contents": [{"parts": [{"text": "hello"}]}], "generationConfig": {"maxOutputTokens": 400}},
    ),
    "embeddings": ("/v1/embeddings", {"input": "hello"}),
}
ASKED = [(surface, False) for surface in SURFACES] + [
    (surface, True) for surface in SURFACES if surface != "embeddings"
]


@pytest.fixture
def first():
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def second():
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def edge(first):
    model = a_model(offerings=(an_offering(1, endpoints=ENDPOINTS),))
    with running_edge([model], [a_provider(1, base_url=first.base_url)]) as running:
        yield running


def ask(edge, surface="chat", *, is_streamed=False, lane="direct", **changes) -> httpx.Response:
    path, body = SURFACES[surface]
    body = {**body, **changes}
    if surface == "gemini":
        path = path.replace(":generateContent", ":streamGenerateContent?alt=sse") if is_streamed else path
    else:
        body |= {"model": "acme/one"} | ({"stream": True} if is_streamed else {})
    with edge.client(**{"x-gateway-lane": lane}) as client:
        return client.post(path, json=body)


def left(edge, kind: str) -> int:
    """Of the first key's limit; by a call that takes nothing of tokens."""
    return int(ask(edge, max_tokens=1).headers[f"x-ratelimit-remaining-{kind}"])


@pytest.mark.parametrize(("surface", "is_streamed"), ASKED)
@LANES
def test_a_full_limit_refuses_on_every_surface_and_costs_nothing(edge, first, surface, is_streamed, lane):
    edge.limit("key", "requests", 2)
    edge.limit("team", "requests", 1, "day")
    assert ask(edge, surface, is_streamed=is_streamed, lane=lane).status_code == 200
    refused = ask(edge, surface, is_streamed=is_streamed, lane=lane)
    assert refused.status_code == 429
    assert "Team 't' is limited to 1 requests a day" in refused.text
    assert 86_390 <= int(refused.headers["retry-after"]) <= 86_400
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    edge.limit("team", "requests", 100, "day")
    assert ask(edge, surface, is_streamed=is_streamed, lane=lane).status_code == 200
    assert len(first.calls) == 2


@pytest.mark.parametrize(("surface", "is_streamed"), ASKED)
@LANES
def test_what_an_answer_did_not_use_is_given_back_on_every_surface(edge, surface, is_streamed, lane):
    edge.limit("key", "tokens", 500)
    for _ in range(3):
        answer = ask(edge, surface, is_streamed=is_streamed, lane=lane)
        assert answer.status_code == 200, answer.text
        edge.records.clear()
    assert int(answer.headers["x-ratelimit-limit-tokens"]) == 500


def test_an_answer_tells_what_is_left_with_all_that_it_may_still_use_taken(edge):
    edge.limit("key", "tokens", 1_000)
    answer = ask(edge)
    assert 580 <= int(answer.headers["x-ratelimit-remaining-tokens"]) < 600
    assert answer.headers["x-ratelimit-reset-tokens"] in {"25s", "26s"}


def test_messages_tell_limits_in_anthropics_words_too(edge):
    edge.limit("key", "requests", 10)
    edge.limit("key", "input_tokens", 1_000)
    edge.limit("team", "output_tokens", 600)
    told = ask(edge, "messages").headers
    assert told["anthropic-ratelimit-requests-remaining"] == "9"
    assert told["anthropic-ratelimit-output-tokens-remaining"] == "200"
    assert told["anthropic-ratelimit-tokens-limit"] == "600"
    assert int(told["anthropic-ratelimit-input-tokens-remaining"]) < 1_000


@LANES
def test_tokens_of_calls_at_once_are_counted_before_they_are_used(edge, first, lane):
    edge.limit("key", "tokens", 1_000)
    first.default = "slow-headers?seconds=0.5"
    answers: list[httpx.Response] = []
    callers = [threading.Thread(target=lambda: answers.append(ask(edge, lane=lane))) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429, 429, 429]
    assert all(
        answer.headers["retry-after"] and "1000 tokens a minute" in answer.text
        for answer in answers
        if answer.status_code == 429
    )


def test_without_a_word_of_its_length_a_call_passes_the_smallest_limit(edge):
    edge.limit("key", "tokens", 20)
    assert ask(edge, max_tokens=None).status_code == 200


@pytest.mark.parametrize("surface", ["chat", "messages", "responses", "gemini"])
def test_what_can_never_fit_is_not_to_be_tried_again(edge, surface):
    edge.limit("key", "tokens", 300)
    refused = ask(edge, surface)
    assert (refused.status_code, refused.headers["x-should-retry"]) == (429, "false")
    assert "retry-after" not in refused.headers
    assert "this request alone would take more" in refused.text


@LANES
def test_a_client_that_leaves_takes_no_more_than_it_was_sent(edge, first, lane):
    edge.limit("key", "tokens", 1_000)
    first.default = "never-ending?delay=0.05"
    given = {"model": "acme/one", "stream": True, "messages": HELLO, "max_tokens": 900}
    with (
        edge.client(**{"x-gateway-lane": lane}) as client,
        client.stream("POST", "/v1/chat/completions", json=given) as answer,
    ):
        next(answer.iter_bytes())
    edge.records.clear()
    first.default = "ok"
    wait_until(lambda: left(edge, "tokens") > 800, "giving back")


def test_a_call_that_no_worker_takes_takes_nothing(first):
    model = a_model(offerings=(an_offering(1),))
    with running_edge([model], [a_provider(1, base_url=first.base_url)], with_worker=False) as edge:
        edge.limit("key", "tokens", 500)
        for _ in range(3):
            assert ask(edge, lane="worker").json()["error"]["code"] == "no_worker"
        assert ask(edge).status_code == 200


@pytest.mark.parametrize(("counts", "used"), [(True, 90), (False, 10)])
def test_cached_input_counts_or_not_by_setting(first, counts, used):
    first.default = "usage-cached"
    model, provider = a_model(offerings=(an_offering(1),)), a_provider(1, base_url=first.base_url)
    with running_edge([model], [provider], counts_cached_input=counts) as edge:
        edge.limit("key", "tokens", 100_000, "day")
        before = left(edge, "tokens")
        edge.records.clear()
        # What refills in a day of calls as quick as these is less than one token.
        assert before - left(edge, "tokens") == used


def two_offerings(*quotas: tuple[Limit, ...]):
    return a_model(
        offerings=tuple(
            an_offering(number, provider_id=number, position=number, quotas=each)
            for number, each in enumerate(quotas, start=1)
        )
    )


ONE_A_DAY = Limit("offering:1", "requests", 1, 86_400)


@LANES
def test_a_full_provider_is_passed_over(first, second, lane):
    providers = [a_provider(1, base_url=first.base_url), a_provider(2, base_url=second.base_url)]
    with running_edge([two_offerings((ONE_A_DAY,), ())], providers) as edge:
        answered = [edge.chat(lane=lane).headers["x-gateway-provider"] for _ in range(3)]
    assert answered == ["provider-1", "provider-2", "provider-2"]
    assert (len(first.calls), len(second.calls)) == (1, 2)


def test_a_providers_own_quota_counts_for_all_of_its_offerings(first, second):
    of_provider = (Limit("provider:1", "requests", 1, 86_400),)
    providers = [
        a_provider(1, base_url=first.base_url, quotas=of_provider),
        a_provider(2, base_url=second.base_url),
    ]
    model, other = two_offerings((), ()), replace(two_offerings((), ()), id="acme/two")
    with running_edge([model, other], providers) as edge:
        answered = [edge.chat(name).headers["x-gateway-provider"] for name in ("acme/one", "acme/two")]
    assert answered == ["provider-1", "provider-2"]


def test_where_all_providers_are_full_nobody_is_asked_and_the_caller_pays_nothing(first):
    with running_edge([two_offerings((ONE_A_DAY,))], [a_provider(1, base_url=first.base_url)]) as edge:
        edge.limit("key", "requests", 2)
        assert edge.chat().status_code == 200
        refused = edge.chat()
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "providers_at_quota")
        assert 86_390 <= int(refused.headers["retry-after"]) <= 86_400
        assert refused.headers["x-ratelimit-remaining-requests"] == "1"
    assert len(first.calls) == 1


@LANES
def test_a_call_that_fails_over_passes_over_the_full_ones(first, second, lane):
    first.default = "503"
    with ScriptedProvider() as third:
        servers = enumerate((first, second, third), start=1)
        providers = [a_provider(number, base_url=server.base_url) for number, server in servers]
        full = Limit("offering:2", "requests", 1, 86_400)
        with running_edge([two_offerings((), (full,), ())], providers) as edge:
            answered = [edge.chat(lane=lane).headers["x-gateway-provider"] for _ in range(2)]
        assert answered == ["provider-2", "provider-3"]


@LANES
def test_a_providers_places_are_free_again_after_each_call(first, lane):
    one = Limit("offering:1", "concurrency", 1)
    with running_edge([two_offerings((one,))], [a_provider(1, base_url=first.base_url)]) as edge:
        assert [edge.chat(lane=lane).status_code for _ in range(3)] == [200, 200, 200]


@LANES
def test_a_providers_tokens_are_put_right_after_each_call(first, redis_server, lane):
    few = Limit("offering:1", "tokens", 500, 60)

    def open_one() -> RedisStore:
        return RedisStore(redis_server.url, "edge")

    with running_edge(
        [two_offerings((few,))], [a_provider(1, base_url=first.base_url)], store=open_one
    ) as edge:
        for _ in range(3):
            assert ask(edge, lane=lane).status_code == 200
            edge.records.clear()
