"""`GET /v1/models` and `GET /v1/models/{id}`."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Team
from accounts.policies import LifecyclePolicy
from catalogue.models import Offering
from providers.credentials import add_credential
from providers.models import Provider
from tests.make import (
    make_key,
    make_model,
    make_offering,
    make_provider,
    make_published,
    make_team,
    publish_all,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return client_of()


def client_of(*patterns: str) -> Client:
    _, text = make_key(model_patterns=list(patterns))
    return Client(headers={"authorization": f"Bearer {text}"})


def ids(client: Client) -> list[str]:
    return [model["id"] for model in client.get("/v1/models").json()["data"]]


def test_list_has_openais_form(client: Client) -> None:
    make_published()
    answer = client.get("/v1/models").json()
    assert answer["object"] == "list"
    assert set(answer["data"][0]) == {
        "id",
        "object",
        "created",
        "owned_by",
        "provider",
        "reasoning_tier",
        "supports_streaming",
        "shutdown_date",
    }


def test_row_tells_of_the_model(client: Client) -> None:
    model = make_published(reasoning_tier="high", retirement_at=datetime(2100, 1, 1, tzinfo=UTC))
    row = client.get("/v1/models/acme/one").json()
    assert (row["object"], row["reasoning_tier"], row["shutdown_date"]) == ("model", "high", "2100-01-01")
    assert row["created"] == int(model.created_at.timestamp())


def test_provider_is_the_first_in_static_order(client: Client) -> None:
    model = make_published()
    make_offering(model, make_provider("second"), position=5)
    make_offering(model, make_provider("zero"), position=0)
    Offering.objects.exclude(provider__slug__in=["second", "zero"]).update(position=3)
    publish_all()
    row = client.get("/v1/models/acme/one").json()
    assert (row["provider"], row["owned_by"]) == ("zero", "zero")


def test_model_that_nothing_can_serve_is_not_listed(client: Client) -> None:
    make_published()
    Offering.objects.update(is_enabled=False)
    assert ids(client) == []
    assert client.get("/v1/models/acme/one").status_code == 404


def test_key_lists_only_what_it_may_call() -> None:
    make_published("acme/one")
    make_published("beta/one")
    assert ids(client_of("beta/*")) == ["beta/one"]


def test_key_does_not_find_what_it_may_not_call() -> None:
    make_published("acme/one")
    assert client_of("beta/*").get("/v1/models/acme/one").status_code == 404


@pytest.mark.parametrize("name", ["acme/one", "acme%2Fone", "uno", "@cf/acme/one"])
def test_model_is_found_by_id_and_alias(client: Client, name: str) -> None:
    make_published(aliases=["uno", "@cf/acme/one"])
    assert client.get(f"/v1/models/{name}").json()["id"] == "acme/one"


def test_unknown_model_names_near_ones(client: Client) -> None:
    make_published("acme/haiku-4.5")
    answer = client.get("/v1/models/acme/haiku-45")
    error = answer.json()["error"]
    assert answer.status_code == 404
    assert (error["code"], error["param"]) == ("model_not_found", "model")
    assert "'acme/haiku-4.5'" in error["message"]


@pytest.mark.parametrize("name", ["%00", "%ff", "a" * 5000, "..", "'; drop"])
def test_nonsense_is_an_unknown_model(client: Client, name: str) -> None:
    make_published()
    assert client.get(f"/v1/models/{name}").status_code == 404


def test_wrong_method_is_refused_in_openais_envelope(client: Client) -> None:
    answer = client.post("/v1/models", {}, content_type="application/json")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def test_unknown_key_is_refused_in_openais_envelope() -> None:
    answer = Client(headers={"authorization": "Bearer nonsense"}).get("/v1/models")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize("count", [1, 12])
def test_number_of_queries_does_not_grow_with_the_list(
    client: Client, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(count):
        make_published(f"acme/m{number}")
    client.get("/v1/models")
    with django_assert_num_queries(3):  # key, revision, ids
        client.get("/v1/models")


@pytest.mark.parametrize("address", ["/v1/models", "/v1beta/models", "/v1/gateway/models?privacy_scope=team"])
def test_list_has_no_model_that_a_policy_refuses(address: str, settings: Any) -> None:
    settings.TEAM_SCOPE = True
    make_published("acme/old", deprecation_at=datetime(2026, 1, 1, tzinfo=UTC))
    make_published("acme/new")
    client = client_of()
    assert [name in client.get(address).text for name in ("acme/old", "acme/new")] == [True, True]
    Team.objects.update(lifecycle_policy=LifecyclePolicy.BLOCK)
    assert [name in client.get(address).text for name in ("acme/old", "acme/new")] == [False, True]


@pytest.mark.parametrize(
    ("teams", "aliases", "found"),
    [
        ("block", "", []),
        ("block", "advise", ["uno"]),
        ("advise", "block", ["acme/old"]),
        ("warn", "", ["acme/old", "uno"]),
    ],
)
def test_model_is_found_by_the_names_that_a_call_may_have(teams: str, aliases: str, found: list[str]) -> None:
    model = make_published("acme/old", deprecation_at=datetime(2026, 1, 1, tzinfo=UTC))
    model.aliases.create(name="uno", policy=aliases)
    publish_all()
    client = client_of()
    Team.objects.update(lifecycle_policy=teams)
    names = [name for name in ("acme/old", "uno") if client.get(f"/v1/models/{name}").status_code == 200]
    assert names == found


def with_own(team: Team, provider: Provider, **terms: Any) -> Client:
    """A client of the team, which has a credential of its own there."""
    add_credential(provider=provider, team=team, label="ours", secret="secret-of-ours", **terms)
    return Client(headers={"authorization": f"Bearer {make_key(team)[1]}"})


def test_what_a_teams_own_credential_opens_is_listed_for_its_keys_and_nobody_elses(
    client: Client, settings: Any
) -> None:
    settings.TEAM_SCOPE = True
    provider = make_provider(has_credential=False)
    for name in ("acme/one", "acme/two"):
        make_offering(make_model(name), provider)
    publish_all()
    own = with_own(make_team(), provider, model_patterns=["acme/one"])
    assert (ids(own), ids(client)) == (["acme/one"], [])
    assert own.get("/v1/models/acme/one").status_code == 200
    assert own.get("/v1/models/acme/two").status_code == 404
    listed, shared = (
        own.get(f"/v1/gateway/models?privacy_scope={scope}").json()["models"] for scope in ("team", "shared")
    )
    assert [(model["id"], model["is_routable"]) for model in listed] == [("acme/one", True)]
    assert shared == []
    every = own.get("/v1/gateway/models?privacy=team&availability=all&sort=name&fields=id,is_routable").json()
    assert every["models"] == [
        {"id": "acme/one", "is_routable": True},
        {"id": "acme/two", "is_routable": False},
    ]


def test_rules_hold_for_what_an_own_credential_opens(client: Client) -> None:
    provider = make_provider("groq", has_credential=False)
    make_offering(make_model("acme/one"), provider, regions=["us"])
    publish_all()
    for terms in ({"denied_provider_patterns": ["groq"]}, {"regions": ["eu"]}, {"model_patterns": ["x/*"]}):
        assert ids(with_own(make_team(**terms), provider)) == []
    assert ids(with_own(make_team(regions=["us"]), provider)) == ["acme/one"]


def test_keys_of_a_team_do_not_take_each_others_tags_where_its_credential_is_for_one() -> None:
    provider = make_provider(has_credential=False)
    make_offering(make_model("acme/one"), provider)
    publish_all()
    team = make_team()
    key, text = make_key(team)
    other = with_own(team, provider, keys=[key])
    own = Client(headers={"authorization": f"Bearer {text}"})
    assert (ids(own), ids(other)) == (["acme/one"], [])
    assert own.get("/v1/models")["ETag"] != other.get("/v1/models")["ETag"]
