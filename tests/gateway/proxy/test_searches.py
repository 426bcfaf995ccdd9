"""A key's leave to search elsewhere: which offerings it opens, in both lanes, and what the searches cost."""

import json

import pytest

from tests.gateway.proxy.edge import recorded, running_edge
from tests.gateway.proxy.values import a_model, a_price, a_provider, an_offering
from tests.upstream.speaking import EVENTS, speaking

ASKED = {
    "model": "acme/one",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "hi"}],
    "tools": [{"type": "web_search_20250305", "name": "web_search"}],
}
PRICE = a_price("web_searches", "10", unit_size=1000)


@pytest.fixture(scope="module")
def searching():
    """Two providers that could search; only of the second it is known what that costs."""
    with speaking("gemini") as free, speaking("gemini", events=EVENTS) as paid:
        speakers = {1: free, 2: paid}
        offerings = [
            an_offering(number, provider_id=number, prices=(PRICE,) * (number - 1)) for number in speakers
        ]
        models = [
            a_model(offerings=tuple(offerings)),
            *(a_model(f"acme/{each.id}", offerings=(each,)) for each in offerings),
        ]
        providers = [
            a_provider(number, base_url=speaker.base_url, wire_format="gemini")
            for number, speaker in speakers.items()
        ]
        with running_edge(models, providers) as edge:
            yield edge, paid


def ask(edge, lane="direct", model="acme/one", **facts):
    key = edge.keys.issue(name="searching", **facts)
    with edge.client(key, **{"x-gateway-lane": lane}) as client:
        return client.post("/v1/messages", json=ASKED | {"model": model})


@pytest.mark.parametrize("lane", ["direct", "worker"])
def test_search_of_the_offering_with_a_price_stands_in(searching, lane):
    edge, paid = searching
    answer = ask(edge, lane, may_search_elsewhere=True)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-gateway-provider"] == "provider-2"
    assert answer.headers["x-gateway-translated"].startswith("tools.type=web_search_20250305 -> gemini's web")
    assert paid.seen[-1][2]["tools"] == [{"googleSearch": {}}]


@pytest.mark.parametrize(
    ("model", "facts"),
    [
        ("acme/one", {}),
        ("acme/2", {}),
        ("acme/1", {"may_search_elsewhere": True}),
    ],
)
def test_search_is_refused_by_name_without_leave_or_price(searching, model, facts):
    answer = ask(searching[0], model=model, **facts)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "tools[0].type"


def test_searches_are_paid_for():
    tool_use = {"server_tool_use": {"web_search_requests": 3}}
    told = {"input_tokens": 1, "output_tokens": 1, **tool_use}
    body = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": "hi"}],
        "stop_reason": "end_turn",
        "usage": told,
    }
    whole = (200, {"content-type": "application/json"}, json.dumps(body).encode())
    with speaking("anthropic", refusal=whole) as speaker:
        provider = a_provider(1, base_url=speaker.base_url, wire_format="anthropic")
        with running_edge([a_model(offerings=(an_offering(prices=(PRICE,)),))], [provider]) as edge:
            assert ask(edge).status_code == 200
            assert recorded(edge).cost_usd == "0.0300000000"
