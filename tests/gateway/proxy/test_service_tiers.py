"""What the provider says it served in is what is paid, whatever was asked for."""

import json

import pytest

from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.values import a_model, a_price, a_provider, an_offering
from tests.services import wait_until
from tests.upstream import ScriptedProvider

PRICES = (
    a_price("input_text_tokens", "1"),
    a_price("output_text_tokens", "2"),
    a_price("input_text_tokens", "10", plan="priority"),
    a_price("output_text_tokens", "20", plan="priority"),
)
STREAM = {"stream": True, "stream_options": {"include_usage": True}}


@pytest.fixture(scope="module")
def edge():
    with (
        ScriptedProvider() as provider,
        running_edge(
            [a_model(offerings=(an_offering(prices=PRICES),))], [a_provider(base_url=provider.base_url)]
        ) as edge,
    ):
        yield edge


def closed_call(edge, **fields):
    edge.records.clear()
    answer = edge.chat(**fields)
    assert answer.status_code == 200, answer.text
    wait_until(lambda: len(edge.records.closes) == 1, "recording the call")
    return answer, edge.records.closes[0]


def told_cost(answer):
    if "x-gateway-cost" in answer.headers:
        return float(answer.headers["x-gateway-cost"])
    last = answer.text.split("data: ")[-2]
    return float(json.loads(last)["usage"]["cost"])


@pytest.mark.parametrize("lane", ["direct", "worker"])
@pytest.mark.parametrize("shape", [{}, STREAM])
def test_priority_costs_what_it_costs(edge, lane, shape):
    _, usual = closed_call(edge, lane=lane, **shape)
    answer, dear = closed_call(edge, lane=lane, service_tier="priority", **shape)
    assert usual.prices is None
    assert [price["plan"] for price in dear.prices] == ["standard"] * 2 + ["priority"] * 2
    assert float(dear.cost_usd) == told_cost(answer) == pytest.approx(10 * float(usual.cost_usd))


def test_tier_without_prices_costs_the_standard_ones(edge):
    _, usual = closed_call(edge)
    _, other = closed_call(edge, service_tier="default")
    assert (other.cost_usd, other.prices) == (usual.cost_usd, None)
