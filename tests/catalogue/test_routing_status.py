"""`GET /v1/routing/status`, and the same figures where a model's offerings are listed."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import UsageQuarter, UsageSeries
from accounts.revision import Part, take_revision
from catalogue.models import Offering
from gateway.plane.shown_health import ShownHealth
from gateway.proxy.health import HealthObserver
from providers import live_health
from providers.health import HealthTable
from providers.models import Provider, ProviderCredential, Quota
from providers.secrets import encrypt
from providers.tallies import Tally
from providers.wire.failure import FailureKind
from tests import make

pytestmark = pytest.mark.django_db
URL = "/v1/routing/status"
# Source: the published page of the system whose form this is.
PUBLISHED = [
    "provider",
    "healthy",
    "success_rate",
    "avg_latency_ms",
    "in_cooldown",
    "cooldown_until",
    "daily_requests",
    "daily_limit",
]
DOWN = FailureKind.UNAVAILABLE


@pytest.fixture
def table() -> Iterator[HealthTable]:
    table = HealthTable()
    with closing(asyncio.new_event_loop()) as loop:
        live_health.here.reader = ShownHealth(HealthObserver(table), loop)
        yield table
        live_health.here.forget()


@pytest.fixture
def offerings() -> list[Offering]:
    model = make.make_model("acme/one")
    found = [
        make.make_offering(model, make.make_provider(slug), upstream_name="one", position=position)
        for position, slug in enumerate(("first", "second"))
    ]
    make.publish_all()
    return found


def client_of(**terms: Any) -> Client:
    _, text = make.make_key(**terms)
    return Client(headers={"authorization": f"Bearer {text}"})


def told(client: Client | None = None) -> Any:
    answer = (client or client_of()).get(URL)
    assert answer.status_code == 200, answer.content
    return answer.json()


def break_down(table: HealthTable, way: int | str) -> None:
    for _ in range(5):
        table.failed(way, DOWN, time.monotonic())


def test_it_has_the_published_form(table: HealthTable, offerings: list[Offering]) -> None:
    table.succeeded(offerings[0].pk, 123.4, time.monotonic())
    body = told()
    assert list(body) == ["status", "models"]
    assert body["status"] == "ok"
    status = body["models"]["acme/one"]
    assert list(status)[:-1] == PUBLISHED
    assert {name: status[name] for name in PUBLISHED} == {
        "provider": "first",
        "healthy": True,
        "success_rate": 1.0,
        "avg_latency_ms": 123.4,
        "in_cooldown": False,
        "cooldown_until": None,
        "daily_requests": 0,
        "daily_limit": None,
    }


def test_while_one_offering_is_left_alone_the_other_answers(
    table: HealthTable, offerings: list[Offering]
) -> None:
    break_down(table, offerings[0].pk)
    status = told()["models"]["acme/one"]
    assert (status["provider"], status["healthy"], status["in_cooldown"]) == ("second", True, False)
    first, second = status["offerings"]
    assert (first["breaker"], first["cause"], first["calls_5m"]) == ("open", "failures", 5)
    until = datetime.fromisoformat(first["until"]) - timezone.now()
    assert timedelta() < until <= timedelta(seconds=31)
    assert (second["breaker"], second["cause"], second["until"]) == ("closed", None, None)


def test_where_all_are_left_alone_it_says_until_when(table: HealthTable, offerings: list[Offering]) -> None:
    table.failed(offerings[0].pk, FailureKind.RATE_LIMIT, time.monotonic(), 5)
    break_down(table, offerings[1].pk)
    body = told()
    status = body["models"]["acme/one"]
    assert (body["status"], status["healthy"], status["in_cooldown"]) == ("down", False, True)
    assert status["cooldown_until"] == min(each["until"] for each in status["offerings"])
    assert datetime.fromisoformat(status["cooldown_until"]) - timezone.now() <= timedelta(seconds=6)


def test_held_open_by_staff_there_is_no_until(table: HealthTable, offerings: list[Offering]) -> None:
    table.hold({offering.pk: "open" for offering in offerings}, time.monotonic())
    status = told()["models"]["acme/one"]
    assert (status["in_cooldown"], status["cooldown_until"]) == (True, None)
    assert [each["cause"] for each in status["offerings"]] == ["staff", "staff"]


def test_a_further_credential_of_the_operator_keeps_an_offering_up(
    table: HealthTable, offerings: list[Offering]
) -> None:
    provider = offerings[0].provider
    further = ProviderCredential.objects.create(
        provider=provider, label="backup", ciphertext=encrypt("sk-two", provider=provider)
    )
    take_revision(Part.PROVIDERS)
    break_down(table, offerings[0].pk)
    table.succeeded(f"{offerings[0].pk}:{further.pk}", 10, time.monotonic())
    first = told()["models"]["acme/one"]["offerings"][0]
    assert (first["breaker"], first["calls_5m"]) == ("closed", 6)


def test_a_named_route_does_as_its_members_do(table: HealthTable, offerings: list[Offering]) -> None:
    make.make_route("house/fast", offerings[0].model)
    make.publish_all()
    break_down(table, offerings[0].pk)
    models = told()["models"]
    assert models["house/fast"]["provider"] == "second"
    causes = [[each["cause"] for each in models[name]["offerings"]] for name in ("house/fast", "acme/one")]
    assert causes == [["failures", None]] * 2


def test_only_models_that_the_key_can_call_are_told(table: HealthTable, offerings: list[Offering]) -> None:
    make.make_offering(make.make_model("other/two"), offerings[0].provider, upstream_name="two")
    make.publish_all()
    assert set(told()["models"]) == {"acme/one", "other/two"}
    assert set(told(client_of(model_patterns=["acme/*"]))["models"]) == {"acme/one"}
    assert told(client_of(model_patterns=["nobody/*"])) == {"status": "ok", "models": {}}


def test_a_day_s_requests_are_those_since_midnight_of_utc(
    table: HealthTable, offerings: list[Offering]
) -> None:
    midnight = int(timezone.now().timestamp()) // 86_400 * 86_400
    for number, (team, provider) in enumerate(((1, "first"), (2, "second"))):
        series = UsageSeries.objects.create(
            id=UUID(int=number),
            team_id=team,
            model="acme/one",
            provider=provider,
            project_id=0,
            lineage_id=0,
            member_id=0,
            service_account_id=0,
            endpoint="",
            outcome="finished",
            kind="attempt",
        )
        UsageQuarter.objects.create(series_id=series.pk, starts_at=midnight, calls=3 + number)
        UsageQuarter.objects.create(series_id=series.pk, starts_at=midnight - 900, calls=100)
    assert told()["models"]["acme/one"]["daily_requests"] == 7


@pytest.mark.parametrize(
    ("of_provider", "of_first", "of_second", "limit"),
    [(None, None, 7, None), (None, 5, 7, 12), (3, 5, 7, 10), (9, 5, 7, 12), (4, None, 7, 11)],
)
def test_a_day_s_limit_is_what_the_operator_s_quotas_leave(
    offerings: list[Offering],
    of_provider: int | None,
    of_first: int | None,
    of_second: int | None,
    limit: int | None,
) -> None:
    subjects = [
        ({"provider": offerings[0].provider}, of_provider),
        ({"offering": offerings[0]}, of_first),
        ({"offering": offerings[1]}, of_second),
    ]
    for subject, amount in subjects:
        if amount:
            Quota.objects.create(unit="requests", window="day", amount=amount, **subject)
    Quota.objects.create(unit="requests", window="minute", amount=1, offering=offerings[0])
    take_revision(Part.PROVIDERS)
    assert told()["models"]["acme/one"]["daily_limit"] == limit


def test_of_an_unhealthy_provider_no_model_is_healthy(table: HealthTable, offerings: list[Offering]) -> None:
    Provider.objects.update(health="unhealthy")
    take_revision(Part.PROVIDERS)
    assert told()["status"] == "down"


def test_where_a_model_s_offerings_are_listed_the_same_is_told(
    table: HealthTable, offerings: list[Offering]
) -> None:
    tally = Tally()
    for latency_ms in range(100, 200):
        tally.serve(latency_ms, latency_ms / 10, 50)
    table.served(offerings[0].pk, tally, time.monotonic(), 199)
    table.failed(offerings[0].pk, DOWN, time.monotonic(), is_unreached=True)
    entry = client_of().get("/v1/gateway/models/acme/one/endpoints").json()["endpoints"][0]
    now = entry["health"]["now"]
    assert (now["breaker"], now["cause"], now["until"]) == ("closed", None, None)
    assert now["success_rate"] == pytest.approx(0.9, rel=1e-3)
    for window in now["windows"].values():
        assert (window["calls"], window["connect_failures"]) == (101, 1)
        assert (window["success_rate"], window["failures"]) == (0.9901, {"unavailable": 1})
        assert window["latency_ms"]["p50"] == pytest.approx(150, rel=0.06)
        assert window["first_token_ms"]["p99"] == pytest.approx(19.9, rel=0.06)
        assert window["throughput"]["p90"] == pytest.approx(50, rel=0.06)
    status = told()["models"]["acme/one"]["offerings"][0]
    assert (status["breaker"], status["calls_5m"]) == (now["breaker"], now["windows"]["5m"]["calls"])


def test_an_unknown_parameter_is_refused() -> None:
    answer = client_of().get(URL, {"model": "acme/one"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "model")


def test_it_wants_a_key() -> None:
    assert Client().get(URL).status_code == 401


def test_queries_do_not_grow_with_models(
    table: HealthTable, offerings: list[Offering], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_of()
    told(client)
    for number in range(20):
        make.make_offering(
            make.make_model(f"acme/{number}"), offerings[0].provider, upstream_name=f"m{number}"
        )
    make.publish_all()
    told(client)
    with django_assert_max_num_queries(8):
        assert len(told(client)["models"]) == 21
