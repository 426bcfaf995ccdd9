"""Usage in OpenRouter's form, and counts by how calls ended."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.attempts import AttemptRecord
from accounts.models import Budget, LedgerEntry, Team
from accounts.recording import record_attempts
from tests.accounts.conftest import Caller
from tests.gateway.spooling import attempt
from tests.make import make_key, make_team, make_user

pytestmark = pytest.mark.django_db
CALL_ID = uuid4().hex
DAY_S = 86_400


@pytest.fixture
def now() -> float:
    return timezone.now().timestamp()


@pytest.fixture
def reader(team: Team) -> str:
    return make_key(team, "reader", scopes=["usage"])[1]


def of(team: Team, now: float, **told: Any) -> AttemptRecord:
    end = {"cost_usd": "0.1"} | told.pop("end", {})
    whose = {
        "team_id": team.pk,
        "lineage_id": 999,
        "started_at": now,
        "request_id": "req_1",
        "call_id": CALL_ID,
    }
    return attempt(end=end, **whose | told)


def test_generation_is_told_with_each_attempt(call: Caller, team: Team, reader: str, now: float) -> None:
    usage = {"input_tokens": 30, "output_tokens": 5, "reasoning_tokens": 2, "cached_read_tokens": 9}
    failed = {"outcome": "failed_over", "status": 503, "cost_usd": "0", "usage": None}
    end = {"usage": usage, "latency_ms": 1200.5, "first_token_ms": 300.0}
    records = [
        of(team, now, provider="down", end=failed),
        of(team, now + 1, number=2, is_streamed=True, end=end),
    ]
    record_attempts(records)
    for id_ in ("req_1", CALL_ID):
        told = call("GET", f"/v1/generation?id={id_}", reader).json()["data"]
        assert told["id"] == id_
    assert (told["total_cost"], told["usage"], told["model"], told["provider_name"]) == (
        0.1,
        0.1,
        "acme/one",
        "acme",
    )
    assert (told["latency"], told["generation_time"], told["streamed"], told["cancelled"]) == (
        300,
        1200.5,
        True,
        False,
    )
    assert (told["tokens_prompt"], told["native_tokens_completion"], told["native_tokens_reasoning"]) == (
        30,
        5,
        2,
    )
    assert (told["native_tokens_cached"], told["api_type"], told["is_byok"]) == (9, "completions", False)
    assert [(each["provider_name"], each["status"]) for each in told["provider_responses"]] == [
        ("down", 503),
        ("acme", 200),
    ]


def test_call_with_a_credential_of_the_teams_own_is_told_as_such(
    call: Caller, team: Team, reader: str, now: float
) -> None:
    record_attempts([of(team, now, own_credential_id=3, end={"cost_usd": "0", "own_cost_usd": "0.2"})])
    told = call("GET", "/v1/generation?id=req_1", reader).json()["data"]
    assert (told["is_byok"], told["total_cost"], told["provider_responses"][0]["is_byok"]) == (True, 0, True)
    assert told["upstream_inference_cost"] == 0.2


def test_what_corrects_a_call_is_in_its_cost(call: Caller, team: Team, reader: str, now: float) -> None:
    record_attempts([of(team, now)])
    entry = LedgerEntry.objects.get()
    entry.pk, entry.kind, entry.cost_usd, entry.charge_usd = (
        uuid4(),
        "refund",
        Decimal("-0.04"),
        Decimal("-0.04"),
    )
    entry.save(force_insert=True)
    assert call("GET", "/v1/generation?id=req_1", reader).json()["data"]["total_cost"] == 0.06


def test_key_that_calls_models_reads_the_calls_of_its_lineage(call: Caller, team: Team, now: float) -> None:
    key, text = make_key(team, "calls")
    record_attempts([of(team, now), of(team, now, lineage_id=key.pk, request_id="req_2")])
    assert [call("GET", f"/v1/generation?id=req_{n}", text).status_code for n in (1, 2)] == [404, 200]


@pytest.mark.parametrize("id_", ["req_1", "req_nobody", "chatcmpl-1", "blue", uuid4().hex, "x%00"])
def test_call_of_another_team_and_of_nobody_read_alike(
    call: Caller, reader: str, now: float, id_: str
) -> None:
    record_attempts([of(make_team("other"), now, project="blue")])
    answer = call("GET", f"/v1/generation?id={id_}", reader)
    assert answer.status_code in {400, 404}
    assert answer.json()["error"]["param"] == "id"


def test_feed_key_reads_no_call(call: Caller, team: Team) -> None:
    assert call("GET", "/v1/generation?id=req_1", make_key(team, scope="feed")[1]).status_code == 403
    assert call("GET", "/v1/generation?id=req_1").status_code == 401


def test_credits_are_what_was_used_and_what_the_tightest_budget_leaves(
    call: Caller, team: Team, reader: str, now: float
) -> None:
    record_attempts([of(team, now), of(team, now - 400 * DAY_S)])
    asked = {"GET": "/v1/credits"}
    assert call(*asked.popitem(), reader).json() == {"data": {"total_credits": 0.0, "total_usage": 0.2}}
    Budget.objects.create(team=team, window="day", amount_usd=5)
    Budget.objects.create(team=team, window="lifetime", amount_usd=3)
    Budget.objects.create(team=team, window="month", amount_usd=1, refuses=False)
    assert call("GET", "/v1/credits", reader).json() == {"data": {"total_credits": 3.0, "total_usage": 0.2}}


def test_credits_take_the_scope_usage(call: Caller, team: Team) -> None:
    assert call("GET", "/v1/credits", make_key(team, "calls")[1]).status_code == 403


def test_staff_read_the_credits_of_all(client: Client, team: Team, now: float) -> None:
    record_attempts([of(team, now, end={"loss_usd": "0.5"})])
    Budget.objects.create(is_deployment=True, window="lifetime", amount_usd=9)
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    assert client.get("/v1/credits").json() == {"data": {"total_credits": 9.0, "total_usage": 0.6}}


def test_analytics_count_calls_by_how_they_ended(call: Caller, team: Team, reader: str, now: float) -> None:
    record_attempts(
        [
            of(team, now, end={"outcome": "failed_over"}),
            of(team, now, provider="other"),
            of(team, now, model="acme/two", project="blue"),
            of(team, now - DAY_S, end={"outcome": "failed"}),
            of(team, now - 2 * DAY_S),
            of(make_team("other"), now),
        ]
    )
    told = call("GET", "/v1/analytics?days=2", reader).json()
    daily = told.pop("daily")
    assert told == {
        "total_requests": 3,
        "successful_requests": 2,
        "failed_requests": 1,
        "success_rate": 0.6667,
        "providers": {"acme": 2, "other": 1},
        "models": {"acme/one": 2, "acme/two": 1},
        "projects": {"blue": 1},
    }
    assert [(each["total_requests"], each["failed_requests"]) for each in daily] == [(1, 1), (2, 0)]
    assert call("GET", "/v1/analytics?project_id=blue", reader).json()["models"] == {"acme/two": 1}
    assert len(call("GET", "/v1/analytics", reader).json()["daily"]) == 30


@pytest.mark.parametrize(
    ("query", "param"),
    [("days=0", "days"), ("days=366", "days"), ("project_id=%00", "project_id"), ("x=1", "x")],
)
def test_analytics_name_the_parameter_that_is_wrong(
    call: Caller, reader: str, query: str, param: str
) -> None:
    answer = call("GET", f"/v1/analytics?{query}", reader)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
