"""Usage that a provider tells before its answer's end counts, however the answer ends; only the rest is estimated."""

import re
from collections.abc import Iterator

import pytest

from tests.gateway.proxy.edge import RunningEdge, running_edge
from tests.gateway.proxy.values import a_model, a_price, a_provider, an_offering
from tests.hostile.raw_provider import CLOSE, HANG, RESET, RawProvider, raw_provider
from tests.hostile.sdk_readers import request_of

TEXT = "Hello there"
"""3 tokens, by the estimate."""
EARLY = {
    "openai": [
        (
            '{"id":"1","object":"x","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},'
            '"finish_reason":null}],"usage":{"prompt_tokens":5000,"completion_tokens":0,"total_tokens":5000}}'
        )
    ],
    "responses": [
        (
            '{"type":"response.created","response":{"id":"r","status":"in_progress","output":[],'
            '"usage":{"input_tokens":5000,"output_tokens":0,"total_tokens":5000}}}'
        )
    ],
    "anthropic": [
        (
            '{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],'
            '"usage":{"input_tokens":5000,"output_tokens":0}}}'
        ),
        '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
    ],
    "gemini": ['{"usageMetadata":{"promptTokenCount":5000},"responseId":"g"}'],
}
SAID = {
    "openai": '{"id":"1","object":"x","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"Hello there"},'
    '"finish_reason":null}]}',
    "responses": '{"type":"response.output_text.delta","output_index":0,"content_index":0,"item_id":"i",'
    '"delta":"Hello there"}',
    "anthropic": '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello there"}}',
    "gemini": '{"candidates":[{"content":{"role":"model","parts":[{"text":"Hello there"}]}}]}',
}
SUMS = {
    "openai": SAID["openai"][:-1]
    + ',"usage":{"prompt_tokens":5000,"completion_tokens":7,"total_tokens":5007}}',
    "anthropic": '{"type":"message_delta","delta":{},"usage":{"output_tokens":7}}',
    "gemini": SAID["gemini"][:-1]
    + ',"usageMetadata":{"promptTokenCount":5000,"candidatesTokenCount":7,"totalTokenCount":5007}}',
}
"""What tells the sum so far in the middle of an answer."""
ENDS = {
    "openai": ['{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'],
    "responses": [
        '{"type":"response.completed","response":{"id":"r","status":"completed","output":[],"usage":null}}'
    ],
    "anthropic": [
        '{"type":"content_block_stop","index":0}',
        '{"type":"message_delta","delta":{"stop_reason":"end_turn"}}',
        '{"type":"message_stop"}',
    ],
    "gemini": ['{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}]}'],
}
LANES = pytest.mark.parametrize("lane", ["direct", "worker"])
ANY_CLIENT = pytest.mark.parametrize("client", list(EARLY))
ANY_SPOKEN = pytest.mark.parametrize("spoken", list(EARLY), indirect=True)
PRICES = (a_price("input_text_tokens", "1"), a_price("output_text_tokens", "2"))


def told(*events: str) -> bytes:
    return "".join(f"data: {event}\n\n" for event in events).encode()


@pytest.fixture(scope="module")
def provider() -> Iterator[RawProvider]:
    with raw_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def spoken(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def edge(spoken, provider) -> Iterator[RunningEdge]:
    facts = a_provider(1, base_url=provider.base_url, wire_format=spoken)
    offering = an_offering(1, max_output_tokens=1000, prices=PRICES)
    with running_edge([a_model(offerings=(offering,))], [facts]) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(edge):
    edge.forget()
    edge.records.clear()


def leave_after_text(edge, client: str, lane: str) -> None:
    path, body = request_of(client)
    with (
        edge.client(**{"x-gateway-lane": lane}) as http,
        http.stream("POST", path, json=body) as answer,
    ):
        seen = b""
        for piece in answer.iter_bytes():
            seen += piece
            if b"there" in seen:
                return
        raise AssertionError(seen)


def recorded(edge):
    closed = edge.records.settled().closes[0]
    return closed.outcome, closed.usage["input_tokens"], closed.usage["output_tokens"], closed.is_estimated


@ANY_SPOKEN
@ANY_CLIENT
@LANES
def test_client_that_leaves_is_billed_what_was_reported_and_an_estimate_of_the_rest(
    edge, provider, spoken, client, lane
):
    provider.stream(told(*EARLY[spoken], SAID[spoken]), HANG)
    leave_after_text(edge, client, lane)
    assert recorded(edge) == ("cancelled", 5000, 3, True)


@ANY_SPOKEN
@ANY_CLIENT
def test_answer_that_is_cut_has_what_was_reported_too(edge, provider, spoken, client):
    provider.stream(told(*EARLY[spoken], SAID[spoken]), RESET)
    path, body = request_of(client)
    with edge.client() as http:
        http.post(path, json=body)
    assert recorded(edge) == ("cut", 5000, 3, True)


@ANY_SPOKEN
@ANY_CLIENT
def test_only_what_came_after_the_last_report_is_estimated(edge, provider, spoken, client):
    if spoken not in SUMS:
        pytest.skip("this format tells its sum at the end only")
    sums = [SUMS[spoken]] if spoken != "anthropic" else [SAID[spoken], SUMS[spoken]]
    provider.stream(told(*EARLY[spoken], *sums), HANG)
    leave_after_text(edge, client, "direct")
    assert recorded(edge) == ("cancelled", 5000, 7, False)
    edge.records.clear()
    provider.stream(told(*EARLY[spoken], *sums, SAID[spoken]), HANG)
    leave_after_text(edge, client, "direct")
    assert recorded(edge) == ("cancelled", 5000, 10, True)


@ANY_SPOKEN
@ANY_CLIENT
def test_report_from_before_the_first_word_does_not_say_that_there_was_none(edge, provider, spoken, client):
    provider.stream(told(*EARLY[spoken], SAID[spoken], *ENDS[spoken]), CLOSE)
    path, body = request_of(client)
    with edge.client() as http:
        answer = http.post(path, json=body)
    assert recorded(edge) == ("finished", 5000, 3, True)
    assert "5000" in answer.text
    assert re.search('stimated": ?true', answer.text)


@ANY_SPOKEN
@LANES
def test_client_of_the_providers_format_is_told_what_is_billed_where_nothing_was_reported(
    edge, provider, spoken, lane
):
    silent = re.sub(
        r'"usage":({[^}]*}|null)', '"n":0', told(*EARLY[spoken], SAID[spoken], *ENDS[spoken]).decode()
    )
    provider.stream(silent.replace("usageMetadata", "n").encode(), CLOSE)
    path, body = request_of(spoken)
    with edge.client(**{"x-gateway-lane": lane}) as http:
        answer = http.post(path, json=body)
    outcome, input_tokens, output_tokens, is_estimated = recorded(edge)
    assert (outcome, output_tokens, is_estimated) == ("finished", 3, True)
    last = [line for line in answer.text.splitlines() if "stimated" in line][-1]
    counts = [int(number) for number in re.findall(r'"(?:in|out|prompt|comp|cand)\w*": ?(\d+)', last)]
    assert {input_tokens, output_tokens} <= set(counts)
