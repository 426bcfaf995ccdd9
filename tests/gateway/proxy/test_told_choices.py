"""What the ledger and the headers of an answer say where several models might have given it."""

import pytest

from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.values import AT, a_model, a_provider, an_offering
from tests.upstream import ScriptedProvider


@pytest.fixture(scope="module")
def provider():
    with ScriptedProvider() as running:
        yield running


@pytest.fixture(scope="module")
def edge(provider):
    models = [
        a_model("acme/gone", aliases=("gone",), retirement_at=AT, successor_id="acme/one", offerings=()),
        a_model("acme/one", offerings=(an_offering(1),)),
        a_model("acme/two", deprecation_at=AT, offerings=(an_offering(2),)),
    ]
    with running_edge(models, [a_provider(1, base_url=provider.base_url)]) as running:
        running.redirecting = running.keys.issue(lifecycle_policy="redirect")
        yield running


@pytest.mark.parametrize("lane", ["direct", "worker"])
@pytest.mark.parametrize(
    ("names", "fails", "model", "redirected", "fallback"),
    [
        (("gone", "acme/two"), False, "acme/one", "acme/gone", None),
        (("gone", "acme/two"), True, "acme/two", "", "gone"),
        (("acme/two", "gone"), True, "acme/one", "acme/gone", "acme/two"),
        (("acme/two", "gone"), False, "acme/two", "", None),
    ],
)
def test_the_ledger_has_the_redirect_of_the_model_that_answered(
    edge, provider, lane, names, fails, model, redirected, fallback
):
    edge.records.clear()
    if fails:
        provider.script("503")
    first, *further = names
    with edge.client(edge.redirecting, **{"x-gateway-lane": lane}) as client:
        answer = client.post(
            "/v1/chat/completions",
            json={"model": first, "models": further, "messages": [{"role": "user", "content": "hi"}]},
        )
    assert (answer.status_code, answer.headers["x-gateway-model"]) == (200, model), answer.text
    edge.records.settled(1 + fails)
    opened = edge.records.opens[-1]
    assert (opened.requested_model, opened.model, opened.redirected_from) == (first, model, redirected)
    told = answer.headers
    assert (told.get("x-gateway-redirected-from") or "") == redirected
    assert told.get("x-gateway-fallback-from") == fallback
    assert ("deprecation" in told) == (model == "acme/two")
