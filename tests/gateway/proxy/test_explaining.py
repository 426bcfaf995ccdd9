"""`POST /v1/route/explain`: what would become of a call, with its own key and body, by the code that routes calls."""

import pytest

from accounts.budgets import Terms
from catalogue.endpoints import answered
from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.test_preferences import ASKED, SAY
from tests.gateway.proxy.values import a_model, a_price, a_provider, an_offering
from tests.upstream import ScriptedProvider

EXPLAIN = "/v1/route/explain"
ENDPOINTS = answered({"chat.completions", "embeddings"})
CHAT = {"model": "acme/one", "messages": SAY, "max_tokens": 100}


@pytest.fixture(scope="module")
def provider():
    with ScriptedProvider() as running:
        yield running


@pytest.fixture(scope="module")
def edge(provider):
    """The first provider streams nothing, the second one has prices."""
    prices = (a_price("input_text_tokens", "1"), a_price("output_text_tokens", "2"))
    offerings = (
        an_offering(1, provider_id=1, provider_slug="provider-1", endpoints=ENDPOINTS, streams=False),
        an_offering(
            2, provider_id=2, provider_slug="provider-2", endpoints=ENDPOINTS, position=1, prices=prices
        ),
    )
    providers = [a_provider(number, base_url=provider.base_url) for number in (1, 2)]
    with running_edge([a_model(offerings=offerings)], providers) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(provider):
    provider.log.clear()


def explain(edge, body=CHAT, *, key=None, **query):
    with edge.client(key) as client:
        return client.post(EXPLAIN, params=query, json=body)


def slugs(told):
    return [each["provider"] for each in told["order"]]


def test_order_is_that_in_which_a_call_would_go_and_nobody_is_called(edge, provider):
    told = explain(edge).json()
    assert told["object"] == "route.explanation"
    assert (told["endpoint"], told["model"], told["refusal"]) == ("chat.completions", "acme/one", None)
    assert slugs(told) == ["provider-1", "provider-2"]
    assert 0 <= told["draw"] < 1
    assert provider.log == []
    assert edge.records.opens == []


def test_each_that_falls_out_is_told_with_stage_and_reason(edge):
    told = explain(edge, {**CHAT, "stream": True, "provider": {"ignore": ["provider-2"]}}).json()
    fallen = {
        drop["provider"]: (stage["stage"], drop["reason"])
        for stage in told["stages"]
        for drop in stage["dropped"]
    }
    assert fallen == {
        "provider-1": ("capability", "lacks:stream"),
        "provider-2": ("preferences", "excluded:ignore"),
    }


def test_refusal_is_told_as_the_call_would_hear_it(edge):
    body = {**CHAT, "provider": {"only": []}}
    told = explain(edge, body).json()
    refused = edge.chat(provider={"only": []}, max_tokens=100)
    assert told["order"] == []
    assert told["refusal"]["status"] == refused.status_code == 400
    assert told["refusal"]["body"] == refused.json()


def test_cost_is_told_where_there_is_a_price_as_the_team_is_charged(edge):
    first, second = explain(edge).json()["order"]
    assert first["estimated_cost_usd"] is None
    read = explain(edge).json()["input_tokens"]
    # A hundred output tokens at 2 USD a million, and the prompt at 1.
    assert second["estimated_cost_usd"]["most"] == f"{(read + 200) / 1e6:.10f}".rstrip("0")


def test_limits_and_budgets_are_told_with_what_is_left(edge):
    # Of a budget that refuses, what has no price cannot be called.
    limited, key = edge.process.limited, edge.keys.issue()
    limited.set(("key", 2), "requests", 10)
    limited.hold_to("key:2", Terms("day", "UTC", 30_000_000_000))
    told = explain(edge, key=key).json()
    assert slugs(told) == ["provider-2"]
    assert [(each["unit"], each["amount"], each["remaining"]) for each in told["limits"]] == [
        ("requests", 10, 10)
    ]
    (budget,) = told["budgets"]
    assert (budget["subject"], budget["window"], budget["amount_usd"]) == ("key", "day", "3")


@pytest.mark.parametrize("path", ASKED)
def test_body_of_any_surface_is_explained(edge, path):
    model = {} if "v1beta" in path else {"model": "acme/one"}
    answered = explain(edge, {**model, **ASKED[path]}, path=path)
    assert answered.status_code == 200, answered.text
    assert slugs(answered.json()) == ["provider-1", "provider-2"]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"path": "/v1/nothing"}, "path"),
        ({"path": ""}, "path"),
        ({"path": EXPLAIN}, "path"),
        ({"path": "/v1/messages/count_tokens"}, "path"),
        ({"surface": "/v1/messages"}, "surface"),
    ],
)
def test_query_that_names_no_call_is_refused_by_name(edge, query, param):
    refused = explain(edge, **query)
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == param


def test_body_that_a_call_could_not_have_is_refused_as_there(edge):
    refused = explain(edge, {"model": "acme/one"})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "messages")


def test_unknown_model_is_refused_as_there_in_openais_form(edge):
    refused = explain(edge, {**ASKED["/v1/messages"], "model": "acme/onne"}, path="/v1/messages")
    assert refused.status_code == 404
    assert refused.json()["error"]["code"] == "model_not_found"


def test_key_that_may_not_call_a_surface_may_not_have_it_explained(edge):
    refused = explain(edge, key="sk-gw-nobody")
    assert refused.status_code == 401
