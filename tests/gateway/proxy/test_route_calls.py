"""Chat calls through a named route, in both lanes, over real sockets."""

import pytest

from catalogue.facts import MemberConditions, ModelFacts, RouteMember
from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.upstream import ScriptedProvider

LANES = pytest.mark.parametrize("lane", ["direct", "worker"])
MEMBERS = (
    RouteMember("acme/one"),
    RouteMember("acme/streams", conditions=MemberConditions(is_streamed=True), canary_percent=99),
    RouteMember("acme/two", "provider-2", tier=1),
    # Again, wherever it runs: whoever failed as the first is not asked a second time.
    RouteMember("acme/one", tier=2),
)


@pytest.fixture
def first():
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def second():
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def edge(first, second):
    models = [
        a_model("acme/one", offerings=(an_offering(1),)),
        a_model(
            "acme/two", offerings=(an_offering(2), an_offering(3, provider_id=2, upstream_name="two-there"))
        ),
        a_model("acme/streams", offerings=(an_offering(4, streams=False),)),
        ModelFacts("house/fast", "Fast", members=MEMBERS, aliases=("fast",)),
    ]
    providers = [a_provider(1, base_url=first.base_url), a_provider(2, base_url=second.base_url)]
    with running_edge(models, providers) as running:
        yield running


def told(answer):
    names = ("x-gateway-route", "x-gateway-model", "x-gateway-provider", "x-gateway-attempts")
    return tuple(answer.headers.get(name) for name in names)


@LANES
@pytest.mark.parametrize("name", ["house/fast", "fast"])
def test_a_member_answers_and_is_told_beside_the_route(edge, lane, name):
    answer = edge.chat(name, lane=lane)
    assert (answer.status_code, told(answer)) == (200, ("house/fast", "acme/one", "provider-1", "1"))
    opened = edge.records.settled().opens[0]
    assert (opened.requested_model, opened.model, opened.provider) == (name, "acme/one", "provider-1")


@LANES
def test_the_next_tier_answers_where_the_first_fails(edge, first, second, lane):
    first.script("500")
    answer = edge.chat("house/fast", lane=lane)
    assert (answer.status_code, told(answer)) == (200, ("house/fast", "acme/two", "provider-2", "2"))
    assert [opened.model for opened in edge.records.settled(2).opens] == ["acme/one", "acme/two"]
    assert second.log[-1].body["model"] == "two-there"


def test_each_way_of_a_route_is_tried_once(edge, first, second):
    first.default = second.default = "500"
    answer = edge.chat("house/fast")
    assert (answer.status_code, answer.headers["x-gateway-attempts"]) == (502, "2")
    assert edge.records.settled(2).outcomes == ["failed_over", "failed"]


@LANES
def test_a_callers_own_mistake_goes_to_no_other_member(edge, first, second, lane):
    first.script("400")
    assert edge.chat("house/fast", lane=lane).status_code == 400
    assert second.log == []


def test_a_key_that_may_call_no_member_is_told_so(edge):
    key = edge.keys.issue(model_patterns=("house/*",))
    with edge.client(key) as client:
        answer = client.post(
            "/v1/chat/completions", json={"model": "fast", "messages": [{"role": "user", "content": "x"}]}
        )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "no_route_member")
