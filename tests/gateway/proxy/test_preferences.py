"""What a client says of its providers, on every surface: obeyed here, and never told to a provider."""

import pytest

from accounts.floors import Floor
from catalogue.endpoints import answered
from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.values import a_model, a_price, a_provider, an_offering
from tests.upstream import ScriptedProvider

ENDPOINTS = answered({"chat.completions", "embeddings"})
SAY = [{"role": "user", "content": "hi"}]
ASKED = {
    "/v1/chat/completions": {"messages": SAY, "temperature": 0.5},
    "/v1/completions": {"prompt": "hi", "temperature": 0.5},
    "/v1/responses": {"input": "hi", "temperature": 0.5},
    "/v1/messages": {"messages": SAY, "max_tokens": 5, "temperature": 0.5},
    "/v1beta/models/acme/one:generateContent": {
        "contents": [{"parts": [{"text": "hi"}]}],
        "generationConfig": {"temperature": 0.5},
    },
    "/v1/embeddings": {"input": "hi", "dimensions": 8},
}
ANY_SURFACE = pytest.mark.parametrize("path", ASKED)


@pytest.fixture(scope="module")
def provider():
    with ScriptedProvider() as running:
        yield running


@pytest.fixture(scope="module")
def edge(provider):
    """The first provider declares nothing that is used, the second one everything."""
    offerings = (
        an_offering(1, provider_id=1, endpoints=ENDPOINTS, params=frozenset({"stop"})),
        an_offering(
            2,
            provider_id=2,
            endpoints=ENDPOINTS,
            position=1,
            params=frozenset({"temperature", "max_tokens", "dimensions"}),
        ),
    )
    providers = [a_provider(number, base_url=provider.base_url) for number in (1, 2)]
    with running_edge([a_model(offerings=offerings)], providers) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(provider):
    provider.log.clear()


def ask(edge, path, *, lane="direct", key="", **more):
    model = {} if "v1beta" in path else {"model": "acme/one"}
    shown = {"authorization": f"Bearer {key}"} if key else {}
    with edge.client(**{"x-gateway-lane": lane, **shown}) as client:
        return client.post(path, json={**model, **ASKED[path], **more})


@ANY_SURFACE
@pytest.mark.parametrize("lane", ["direct", "worker"])
def test_required_parameters_choose_the_provider_and_stay_here(edge, provider, path, lane):
    answer = ask(edge, path, lane=lane, provider={"require_parameters": True})
    assert (answer.status_code, answer.headers["x-gateway-provider"]) == (200, "provider-2"), answer.text
    assert "provider" not in provider.calls[0].body


@pytest.mark.parametrize("path", sorted(ASKED.keys() - {"/v1/embeddings"}))
def test_without_the_wish_an_offering_that_loses_nothing_is_asked_first(edge, path):
    """Embeddings have no choice: vectors of another length are no answer at all."""
    assert ask(edge, path).headers["x-gateway-provider"] == "provider-2"
    answer = ask(edge, path, provider={"only": ["provider-1"]})
    assert answer.headers["x-gateway-translated"].endswith("emperature -> left out")


@pytest.mark.parametrize(
    ("path", "more", "param"),
    [
        ("/v1/chat/completions", {"seed": 7}, "seed"),
        ("/v1/completions", {"seed": 7}, "seed"),
        ("/v1/responses", {"reasoning": {"effort": "low"}}, "reasoning.effort"),
        ("/v1/messages", {"stop_sequences": ["x"]}, "stop_sequences"),
        (
            "/v1beta/models/acme/one:generateContent",
            {"generationConfig": {"topK": 3}},
            "generationConfig.topK",
        ),
        ("/v1/embeddings", {"invented": 1}, "invented"),
    ],
)
def test_a_required_parameter_that_nobody_declares_is_named_as_the_client_spells_it(
    edge, provider, path, more, param
):
    preferences = {"require_parameters": True, "only": ["provider-2"]}
    answer = ask(edge, path, provider=preferences, **more)
    assert answer.status_code == 400, answer.text
    assert f"'{param}'" in answer.json()["error"]["message"]
    assert provider.calls == []


@ANY_SURFACE
@pytest.mark.parametrize(("body", "param"), [({"sort": "speed"}, "provider.sort"), (7, "provider")])
def test_a_wish_that_is_none_is_refused_by_name(edge, provider, path, body, param):
    answer = ask(edge, path, provider=body)
    assert answer.status_code == 400
    assert f"'{param}'" in answer.json()["error"]["message"]
    assert provider.calls == []


@pytest.fixture(scope="module")
def told_edge(provider):
    """Of the first provider nothing is known; the second one, which comes later, fulfils what may be wished."""
    told = {
        "regions": ("europe-west4",),
        "zero_retention": True,
        "collects_data": False,
        "quantization": "bf16",
        "prices": (a_price("input_text_tokens", "1"), a_price("output_text_tokens", "2")),
    }
    offerings = (
        an_offering(1, provider_id=1, endpoints=ENDPOINTS),
        an_offering(2, provider_id=2, endpoints=ENDPOINTS, position=1, **told),
    )
    providers = [a_provider(number, base_url=provider.base_url) for number in (1, 2)]
    with running_edge([a_model(offerings=offerings)], providers) as running:
        yield running


@ANY_SURFACE
@pytest.mark.parametrize(
    ("wish", "unfulfilled"),
    [
        ({"zdr": True}, None),
        ({"data_collection": "deny"}, None),
        ({"quantizations": ["bf16"]}, ["fp4"]),
        ({"regions": ["eu"]}, ["us"]),
        ({"max_price": {"prompt": 1, "completion": 2}}, {"prompt": 0.5}),
        ({"sort": "price"}, None),
    ],
    ids=str,
)
def test_every_surface_takes_every_wish_and_tells_no_provider(told_edge, provider, path, wish, unfulfilled):
    assert ask(told_edge, path).headers["x-gateway-provider"] == "provider-1"
    answer = ask(told_edge, path, provider=wish)
    assert (answer.status_code, answer.headers["x-gateway-provider"]) == (200, "provider-2"), answer.text
    assert all("provider" not in call.body for call in provider.calls)
    if unfulfilled is not None:
        (name,) = wish
        refused = ask(told_edge, path, provider={name: unfulfilled})
        assert refused.status_code == 400
        assert f"'provider.{name}'" in refused.json()["error"]["message"]


@ANY_SURFACE
@pytest.mark.parametrize("lane", ["direct", "worker"])
def test_a_key_keeps_to_its_floor_on_every_surface_whatever_is_wished(told_edge, path, lane):
    own = told_edge.keys.issue(floor=Floor(regions=(("eu",),), zero_retention=True))
    for wish in ({"only": ["provider-1"]}, {"zdr": False, "ignore": ["provider-2"]}):
        refused = ask(told_edge, path, lane=lane, key=own, provider=wish)
        assert refused.status_code == 400, refused.text
    answer = ask(told_edge, path, lane=lane, key=own, provider={"order": ["provider-1"]})
    assert (answer.status_code, answer.headers["x-gateway-provider"]) == (200, "provider-2")
    nobody = told_edge.keys.issue(floor=Floor(regions=(("us",),)))
    refused = ask(told_edge, path, lane=lane, key=nobody)
    assert (refused.status_code, "(regions us)" in refused.json()["error"]["message"]) == (403, True)


@pytest.mark.parametrize("given", [["atlas"], [], 0, False])
@ANY_SURFACE
def test_a_project_that_is_no_text_is_refused_by_name(edge, path, given):
    answer = ask(edge, path, project_id=given)
    assert answer.status_code == 400, answer.text
