"""What is closed to a key is refused by name; nothing is asked of a provider."""

from typing import Any

import pytest

from accounts.restrictions import Restrictions, read_networks
from gateway.core.client_address import read_trusted_proxies
from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.upstream import ScriptedProvider

OFFICE = {"networks": (read_networks(["192.0.2.0/24", "2001:db8::/32"]),)}
HERE = {"networks": (read_networks(["127.0.0.1"]),)}


@pytest.fixture(scope="module")
def first():
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture(scope="module")
def edge(first):
    offerings = (an_offering(1, provider_id=1), an_offering(2, provider_id=2, position=1))
    providers = [a_provider(1, base_url=first.base_url), a_provider(2, base_url=first.base_url)]
    proxies = read_trusted_proxies(["127.0.0.1"])
    with running_edge([a_model(offerings=offerings)], providers, proxies=proxies, with_worker=False) as edge:
        yield edge


def ask(edge: Any, rules: dict[str, Any], *, headers: dict[str, str] | None = None, **body: Any) -> Any:
    edge.key = edge.keys.issue(restrictions=Restrictions(**rules), projects={"blue": 7})
    given = {"model": "acme/one", "messages": [{"role": "user", "content": "hello"}], **body}
    with edge.client(**(headers or {})) as client:
        return client.post("/v1/chat/completions", json=given)


@pytest.mark.parametrize(
    ("rules", "headers", "param"),
    [
        ({"surfaces": ("messages",)}, {}, "surfaces"),
        (OFFICE, {}, "ip_ranges"),
        (OFFICE, {"x-forwarded-for": "198.51.100.1"}, "ip_ranges"),
        # Only the last one is what our proxy saw; the first is what the client would like to be.
        (OFFICE, {"x-forwarded-for": "192.0.2.1, 198.51.100.1"}, "ip_ranges"),
        ({"project": "blue"}, {"x-gateway-project-id": "red"}, "x-gateway-project-id"),
        ({"has_free_projects": False}, {"x-gateway-project-id": "red"}, "x-gateway-project-id"),
        ({"project": "archived"}, {}, "project"),
        ({"denied_providers": ("*",)}, {}, "provider"),
        ({"providers": (("elsewhere",),)}, {}, "provider"),
    ],
)
def test_call_that_is_closed_to_its_key_is_refused_by_name(edge, rules, headers, param):
    answer = ask(edge, rules, headers=headers)
    assert (answer.status_code, answer.json()["error"]["param"]) == (403, param), answer.text


@pytest.mark.parametrize(
    ("rules", "headers"),
    [
        ({"surfaces": ("chat.completions",)}, {}),
        (HERE, {}),
        (OFFICE, {"x-forwarded-for": "192.0.2.1"}),
        (OFFICE, {"x-forwarded-for": "198.51.100.1, 2001:db8::1"}),
        ({"has_free_projects": False}, {"x-gateway-project-id": "blue"}),
    ],
)
def test_call_that_is_open_to_its_key_is_answered(edge, rules, headers):
    assert ask(edge, rules, headers=headers).status_code == 200


def test_denied_model_looks_unknown(edge):
    answer = ask(edge, {"denied_models": ("acme/*",)})
    assert (answer.status_code, answer.json()["error"]["param"]) == (404, "model")


@pytest.mark.parametrize("denied", [1, 2])
def test_call_goes_to_the_provider_that_is_left_to_its_key(edge, denied):
    answer = ask(edge, {"denied_providers": (f"provider-{denied}",)})
    assert answer.headers["x-gateway-provider"] == f"provider-{3 - denied}"


def test_clients_own_wish_does_not_open_a_provider_that_is_closed_to_its_key(edge):
    answer = ask(edge, {"denied_providers": ("provider-1",)}, provider={"only": ["provider-1"]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "provider_not_permitted")


def test_calls_of_a_key_with_a_project_are_recorded_under_it(edge):
    edge.records.clear()
    ask(edge, {"project": "blue"})
    assert edge.records.opens[0].project == "blue"


@pytest.mark.parametrize("said", [{"user": "ann"}, {"safety_identifier": "ann", "user": "bob"}])
def test_end_user_is_recorded_hashed_with_the_team(edge, said):
    edge.records.clear()
    ask(edge, {}, **said)
    recorded = edge.records.opens[0].end_user
    assert (len(recorded), recorded.isalnum()) == (32, True)
    edge.records.clear()
    ask(edge, {}, user="ann")
    assert edge.records.opens[0].end_user == recorded
    edge.records.clear()
    ask(edge, {})
    assert not edge.records.opens[0].end_user
