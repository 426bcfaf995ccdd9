"""Usage and cost are the same whole or streamed, and told in every client's own shape: real sockets, every format."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import orjson
import pytest

from catalogue.pricing.cost import cost_usd
from gateway.proxy.settle import usage_fields
from providers.formats.base import AnswerFacts
from providers.formats.registry import FORMATS
from providers.operations.generate import adapter_between
from providers.wire.call import Call
from providers.wire.estimate import estimate_input_tokens
from providers.wire.events import (
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
    UsageSeen,
)
from providers.wire.usage import Usage
from tests.gateway.proxy.edge import RunningEdge, recorded, running_edge
from tests.gateway.proxy.test_translation import ANY_CLIENT, CLIENTS, ask, heard
from tests.gateway.proxy.values import a_model, a_price, a_provider, an_offering
from tests.upstream.speaking import Speaker, speaking
from tests.used import used

PRICES = tuple(
    a_price(meter, str(amount))
    for meter, amount in {
        "input_text_tokens": 1,
        "output_text_tokens": 2,
        "cached_read_text_tokens": "0.1",
        "cached_write_text_tokens_5m": "1.25",
        "cached_write_text_tokens_1h": 3,
        "reasoning_tokens": 5,
        "cached_read_audio_tokens": "0.5",
        "input_audio_tokens": 7,
        "input_image_tokens": 11,
        "output_audio_tokens": 13,
        "output_image_tokens": 17,
    }.items()
)
LANES = pytest.mark.parametrize("lane", ["direct", "worker"])
# All that each format can report.
REPORTED = {
    "openai": used(
        1000, 200, 300, 200, 50, input_audio_tokens=90, input_image_tokens=40, output_audio_tokens=30
    ),
    "responses": used(1000, 200, 300, 200, 50),
    "anthropic": used(1000, 200, 300, 200, 50, cached_write_1h_tokens=80),
    "gemini": used(
        1000,
        200,
        300,
        0,
        50,
        input_audio_tokens=90,
        input_image_tokens=40,
        output_image_tokens=30,
        cached_read_audio_tokens=20,
    ),
}
SAID: tuple[Event, ...] = (
    Started("upstream-1"),
    ReasoningDelta("Hm."),
    TextDelta("Looking."),
    ToolCallStarted(0, "call_1", "look"),
    ToolArguments(0, '{"at":"sea"}'),
    Finished(FinishReason.TOOL_CALLS, "tool_calls"),
)


@pytest.fixture(scope="module", params=list(FORMATS))
def speaker(request) -> Iterator[Speaker]:
    with speaking(request.param) as speaker:
        yield speaker


@pytest.fixture(scope="module")
def edge(speaker) -> Iterator[RunningEdge]:
    offering = an_offering(1, prices=PRICES, max_output_tokens=1000)
    provider = a_provider(1, base_url=speaker.base_url, wire_format=speaker.wire_format.name)
    with running_edge([a_model(offerings=(offering,))], [provider]) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(speaker, edge):
    speaker.events = None
    edge.records.clear()


def told_to(client: str, usage: Usage) -> Usage:
    """What the client's format can say of it."""
    form, facts = FORMATS[client], AnswerFacts("id", 1, "model")
    written = form.write_answer([*SAID, UsageSeen(usage)], facts)
    return usage_in(form.read_answer(orjson.loads(orjson.dumps(written))))


def usage_in(events: list[Event]) -> Usage:
    """Without the tier, which some formats have to say of every answer."""
    (usage,) = [event.usage for event in events if isinstance(event, UsageSeen)]
    return replace(usage, service_tier="")


@ANY_CLIENT
@LANES
def test_every_kind_of_token_is_recorded_charged_and_told_alike_whole_and_streamed(
    edge, speaker, client, lane
):
    usage = REPORTED[speaker.wire_format.name]
    speaker.events = [*SAID, UsageSeen(usage)]
    expected = cost_usd(usage, PRICES)
    for is_streamed in (False, True):
        answer = ask(edge, client, is_streamed=is_streamed, lane=lane)
        closed = recorded(edge)
        assert (closed.usage, Decimal(closed.cost_usd)) == (usage_fields(usage), expected)
        assert not closed.is_estimated
        assert usage_in(heard(client, answer, is_streamed=is_streamed)) == told_to(client, usage)
        if not is_streamed:
            assert answer.headers["x-gateway-cost"] == closed.cost_usd
        edge.records.clear()


@ANY_CLIENT
@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("speaker", sorted(FORMATS.keys() - {"anthropic"}), indirect=True)
def test_missing_usage_is_estimated_and_marked_for_the_ledger_and_the_client(
    edge, speaker, client, is_streamed
):
    speaker.events = SAID
    answer = ask(edge, client, is_streamed=is_streamed)
    closed = recorded(edge)
    asked = estimate_input_tokens(CLIENTS[client][1])
    counts = closed.usage["input_tokens"], closed.usage["output_tokens"]
    assert (closed.is_estimated, *counts) == (True, asked, 6)
    assert usage_in(heard(client, answer, is_streamed=is_streamed)).counts["output_tokens"] == 6
    assert b'stimated":true' in answer.content


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - {"openai"}))
def test_whole_answer_of_the_clients_own_format_gets_an_estimate_where_it_tells_no_usage(name):
    form, body = FORMATS[name], CLIENTS[name][1]
    answer = {**form.write_answer([*SAID], AnswerFacts("id", 1, "model")), "unknown": 1}
    answer.pop(form.usage_name, None)
    call = Call(form.endpoint, body, format=name)
    read = adapter_between(name, name).answer(call, "acme/one", 200, orjson.dumps(answer))
    assert read.usage == used(estimate_input_tokens(body), 6, is_estimated=True)
    assert orjson.loads(read.body) == {**answer, form.usage_name: form.usage(read.usage)}


def test_chat_client_that_asks_for_usage_in_its_stream_is_told_the_cost(edge):
    chunks = ask(edge, "openai", is_streamed=True).text.split("\n\n")
    told = [orjson.loads(each.removeprefix("data: ")) for each in chunks if '"usage":{' in each]
    assert [Decimal(str(each["usage"]["cost"])) for each in told] == [Decimal(recorded(edge).cost_usd)]


def test_chat_client_that_does_not_ask_is_told_neither_usage_nor_cost(edge):
    text = edge.chat(stream=True).text
    assert recorded(edge).usage["output_tokens"] == 3
    assert not {"prompt_tokens", "cost"} & set(text.split('"'))
