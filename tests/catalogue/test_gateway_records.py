"""One model, where it runs, and the words by which the list is narrowed."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import LedgerEntry
from catalogue.endpoints import GENERATION
from providers.models import ProbeResult, Provider
from tests.make import (
    make_key,
    make_model,
    make_offering,
    make_organisation,
    make_price,
    make_provider,
    make_published,
    publish_all,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    _, text = make_key()
    return Client(headers={"authorization": f"Bearer {text}"})


def make_entry(model: str, provider: str, **fields: Any) -> LedgerEntry:
    """A finished call of 100 output tokens in a second, the first one after 200 ms."""
    given: dict[str, Any] = {
        "call_id": uuid4(),
        "number": 1,
        "lane": "direct",
        "endpoint": "chat.completions",
        "team_id": 1,
        "key_id": 1,
        "requested_model": model,
        "upstream_name": "one",
        "is_streamed": True,
        "started_at": timezone.now() - timedelta(minutes=1),
        "outcome": "finished",
        "output_tokens": 100,
        "latency_ms": 1200.0,
        "first_token_ms": 200.0,
        "cost_usd": Decimal(0),
        "loss_usd": Decimal(0),
    }
    return LedgerEntry.objects.create(attempt_id=uuid4(), model=model, provider=provider, **given | fields)


@pytest.mark.parametrize("name", ["acme/one", "acme%2Fone", "uno", "@cf/acme/one"])
def test_model_is_found_by_id_and_alias(client: Client, name: str) -> None:
    make_published(aliases=["uno", "@cf/acme/one"])
    assert client.get(f"/v1/gateway/models/{name}").json()["id"] == "acme/one"


def test_retired_model_is_still_told_with_its_live_successor(client: Client) -> None:
    past = timezone.now() - timedelta(days=1)
    live = make_published("acme/three")
    middle = make_model("acme/two", retirement_at=past, successor=live)
    make_model("acme/one", retirement_at=past, successor=middle)
    publish_all()
    lifecycle = client.get("/v1/gateway/models/acme/one").json()["lifecycle"]
    assert (lifecycle["status"], lifecycle["replacement_model_id"]) == ("retired", "acme/three")


def test_newest_released_follower_succeeds_where_nobody_was_named(client: Client) -> None:
    old, now = make_published("acme/one"), timezone.now()
    for name, days in (("two", -9), ("three", -2), ("four", 2)):
        make_published(f"acme/{name}", previous=old, release_at=now + timedelta(days=days))
    lifecycle = client.get("/v1/gateway/models/acme/one").json()["lifecycle"]
    assert lifecycle["replacement_model_id"] == "acme/three"


def test_successors_that_lead_in_a_ring_are_nobody(client: Client) -> None:
    past = timezone.now() - timedelta(days=1)
    one, two = make_model("acme/one", retirement_at=past), make_model("acme/two", retirement_at=past)
    for model, successor in ((one, two), (two, one)):
        type(model).objects.filter(pk=model.pk).update(successor=successor)
    publish_all()
    assert client.get("/v1/gateway/models/acme/one").json()["lifecycle"]["replacement_model_id"] is None


def test_unknown_model_is_a_404_with_the_nearest_names(client: Client) -> None:
    make_published("acme/sonnet", aliases=["tune"])
    answer = client.get("/v1/gateway/models/acme/sonett")
    assert (answer.status_code, answer.json()["ok"], answer.json()["nearest"]) == (
        404,
        False,
        ["acme/sonnet"],
    )


def test_endpoints_tell_limits_prices_and_conditions(client: Client) -> None:
    fields: dict[str, Any] = {"context_length": 8000, "quantization": "fp8", "regions": ["us", "eu"]}
    offering = make_offering(make_model("acme/one"), make_provider("groq"), **fields)
    make_price(offering, amount="1")
    make_price(offering, amount="2", conditions=[{"path": "input_tokens", "op": "gt", "value": 200_000}])
    publish_all()
    told = client.get("/v1/gateway/models/acme/one/endpoints").json()["endpoints"][0]
    assert (told["provider_id"], told["limits"]["context_length"], told["quantization"]) == (
        "groq",
        8000,
        "fp8",
    )
    assert told["regions"] == ["eu", "us"]
    assert told["pricing"]["prompt"] == "0.000001"
    assert [(price["price_per_unit"], len(price["conditions"])) for price in told["prices"]] == [
        ("0.000001", 0),
        ("0.000002", 1),
    ]


def test_endpoints_tell_how_calls_went(client: Client) -> None:
    provider = make_provider("groq")
    make_offering(make_model("acme/one"), provider, upstream_name="one")
    publish_all()
    for outcome in ("finished", "finished", "failed_over"):
        make_entry("acme/one", "groq", outcome=outcome)
    make_entry("acme/one", "groq", started_at=timezone.now() - timedelta(days=2))
    ProbeResult.objects.create(provider=provider, at=timezone.now(), is_healthy=True)
    health = client.get("/v1/gateway/models/acme/one/endpoints").json()["endpoints"][0]["health"]
    assert (health["calls"], health["success_rate"], health["probe_uptime"]) == (3, 0.6667, 1.0)
    assert (health["latency_ms"]["p50"], health["throughput"]["p50"]) == (200.0, 100.0)


def test_nothing_measured_is_null(client: Client) -> None:
    make_published()
    health = client.get("/v1/gateway/models/acme/one/endpoints").json()["endpoints"][0]["health"]
    unmeasured = dict.fromkeys(["success_rate", "probe_uptime", "latency_ms", "throughput"])
    now = health.pop("now")
    assert health == {"probe": "unknown", "calls": 0} | unmeasured
    empty = {"calls": 0, "success_rate": None, "connect_failures": 0, "failures": {}}
    nothing = empty | dict.fromkeys(["latency_ms", "first_token_ms", "throughput"])
    assert now.pop("windows") == {"1m": nothing, "5m": nothing, "30m": nothing}
    assert now == {"breaker": "closed", "cause": None, "until": None, "success_rate": 1.0, "latency_ms": None}


def test_what_callers_did_wrong_is_no_failure_of_an_offering(client: Client) -> None:
    make_offering(make_model("acme/one"), make_provider("groq"), upstream_name="one")
    publish_all()
    make_entry("acme/one", "groq")
    for status, code in ((400, "invalid_request"), (422, "bad"), (413, "too_large"), (404, "not_found")):
        make_entry("acme/one", "groq", outcome="failed", status=status, error_code=code)
    health = client.get("/v1/gateway/models/acme/one/endpoints").json()["endpoints"][0]["health"]
    assert (health["calls"], health["success_rate"]) == (1, 1.0)
    faults = [
        (400, "provider_auth_error"),
        (401, "provider_auth_error"),
        (429, "rate_limited"),
        (500, "x"),
        (None, "y"),
    ]
    for status, code in faults:
        make_entry("acme/one", "groq", outcome="failed", status=status, error_code=code)
    health = client.get("/v1/gateway/models/acme/one/endpoints").json()["endpoints"][0]["health"]
    assert (health["calls"], health["success_rate"]) == (6, 0.1667)


def test_throughput_of_what_came_at_once_counts_from_the_beginning(client: Client) -> None:
    make_offering(make_model("acme/one"), make_provider("groq"), upstream_name="one")
    publish_all()
    make_entry("acme/one", "groq", is_streamed=False, first_token_ms=1199.0)
    health = client.get("/v1/gateway/models/acme/one/endpoints").json()["endpoints"][0]["health"]
    assert health["throughput"]["p50"] == pytest.approx(83.33)


def listed(client: Client, name: str) -> dict[str, int]:
    return {entry["id"]: entry["models"] for entry in client.get(f"/v1/gateway/{name}").json()[name]}


def test_vocabularies_count_models_that_can_be_called(client: Client) -> None:
    make_organisation("beta")
    groq, off = make_provider("groq"), make_provider("off", is_enabled=False)
    for name in ("one", "two"):
        make_offering(make_model(f"acme/{name}"), groq, params=["tools"], regions=["eu"])
    make_offering(make_model("acme/three"), off, params=["magic"])
    publish_all()
    assert listed(client, "organisations") == {"acme": 2, "beta": 0}
    assert listed(client, "providers") == {"groq": 2, "off": 0}
    assert listed(client, "endpoints") == dict.fromkeys(GENERATION, 2)
    assert listed(client, "params") == {"tools": 2}
    assert listed(client, "regions") == {"eu": 2}


def test_vocabulary_is_paged(client: Client) -> None:
    for number in range(3):
        Provider.objects.create(slug=f"p{number}", name=f"P{number}", base_url="https://a.example")
    page = client.get("/v1/gateway/providers?limit=2").json()
    rest = client.get(f"/v1/gateway/providers?limit=2&cursor={page['next_cursor']}").json()
    assert [entry["id"] for entry in page["providers"] + rest["providers"]] == ["p0", "p1", "p2"]


@pytest.mark.parametrize(
    "path",
    [
        "organisations",
        "providers",
        "endpoints",
        "params",
        "regions",
        "models/acme/one",
        "models/acme/one/endpoints",
    ],
)
def test_parameter_that_does_not_exist_is_refused(client: Client, path: str) -> None:
    make_published()
    answer = client.get(f"/v1/gateway/{path}?nonsense=1")
    assert (answer.status_code, answer.json()["param"]) == (400, "nonsense")
