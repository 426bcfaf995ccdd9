"""OpenAI's SDK reads usage and costs here as it does there."""

from datetime import UTC, datetime
from typing import Any

import httpx2
import openai
import pytest
from django.test import Client

from accounts.attempts import AttemptRecord
from accounts.models import Team
from accounts.recording import record_attempts
from tests.accounts.conftest import Caller
from tests.gateway.spooling import attempt
from tests.make import make_key, make_user

pytestmark = pytest.mark.django_db
MAY = int(datetime(2026, 5, 4, tzinfo=UTC).timestamp())
DAY_S = 86_400
USAGE = "/v1/organization/usage/completions"


def of(team: Team, at: float = MAY, **opened: Any) -> AttemptRecord:
    end = {"cost_usd": "0.1"} | opened.pop("end", {})
    return attempt(end=end, **{"team_id": team.pk, "lineage_id": 1, "started_at": at} | opened)


@pytest.fixture
def reader(team: Team) -> str:
    return make_key(team, "reader", scopes=["usage"])[1]


@pytest.fixture
def sdk(reader: str) -> openai.OpenAI:
    """OpenAI's own, whose requests Django's test client answers."""

    def handle(request: httpx2.Request) -> httpx2.Response:
        url = f"{request.url.path}?{request.url.query.decode()}"
        answer = Client().get(url, headers=dict(request.headers))
        return httpx2.Response(answer.status_code, content=answer.content, headers=dict(answer.headers))

    client = httpx2.Client(transport=httpx2.MockTransport(handle))
    return openai.OpenAI(
        admin_api_key=reader, api_key="", base_url="http://testserver/v1", http_client=client
    )


def test_sdk_reads_usage_of_completions(sdk: openai.OpenAI, team: Team) -> None:
    usage = {"input_tokens": 100, "output_tokens": 7, "cached_read_tokens": 60, "cached_write_tokens": 15}
    key, _ = make_key(team, "one")
    member = team.memberships.create(user=make_user("ann"))
    record_attempts(
        [
            of(team, end={"usage": usage}, lineage_id=key.pk, project="blue", member_id=member.pk),
            of(team, endpoint="responses", at=MAY + DAY_S),
            of(team, endpoint="embeddings"),
        ]
    )
    page = sdk.admin.organization.usage.completions(
        start_time=MAY,
        end_time=MAY + 3 * DAY_S,
        group_by=["project_id", "user_id", "api_key_id", "model", "batch"],
    )
    assert (page.object, page.has_more, page.next_page) == ("page", False, None)
    assert [(each.start_time, each.end_time) for each in page.data] == [
        (MAY + day * DAY_S, MAY + (day + 1) * DAY_S) for day in range(3)
    ]
    (first,), (second,), third = [each.results for each in page.data]
    assert third == []
    assert first.object == second.object == "organization.usage.completions.result"
    assert (first.input_tokens, first.output_tokens, first.num_model_requests) == (100, 7, 1)
    assert (first.input_cached_tokens, first.input_cache_write_tokens, first.input_uncached_tokens) == (
        60,
        15,
        25,
    )
    assert (first.project_id, first.user_id, first.api_key_id, first.model, first.batch) == (
        "blue",
        "ann",
        key.public_id,
        "acme/one",
        False,
    )
    assert (second.project_id, second.user_id, second.service_tier) == (None, None, None)


def test_sdk_reads_usage_of_embeddings(sdk: openai.OpenAI, team: Team) -> None:
    record_attempts([of(team), of(team, endpoint="embeddings", end={"usage": {"input_tokens": 11}})])
    page = sdk.admin.organization.usage.embeddings(start_time=MAY, end_time=MAY + 1)
    (result,) = page.data[0].results
    assert result.object == "organization.usage.embeddings.result"
    assert (result.input_tokens, result.num_model_requests, result.model) == (11, 1, None)


def test_sdk_reads_costs(sdk: openai.OpenAI, team: Team) -> None:
    record_attempts([of(team, model="a"), of(team, model="a"), of(team, model="b", endpoint="embeddings")])
    page = sdk.admin.organization.usage.costs(start_time=MAY, end_time=MAY + DAY_S, group_by=["line_item"])
    costs = [(each.line_item, each.amount.value, each.amount.currency) for each in page.data[0].results]  # type: ignore[union-attr]
    assert costs == [("a", 0.2, "usd"), ("b", 0.1, "usd")]


def test_sdk_goes_on_from_page_to_page(sdk: openai.OpenAI, team: Team) -> None:
    record_attempts([of(team, at=MAY + hour * 3600) for hour in range(0, 50, 5)])
    terms: Any = {"start_time": MAY + 60, "end_time": MAY + 2 * DAY_S, "bucket_width": "1h", "limit": 20}
    starts, calls, cursor = [], 0, openai.omit
    for _ in range(3):
        page = sdk.admin.organization.usage.completions(**terms, page=cursor)
        starts += [each.start_time for each in page.data]
        calls += sum(result.num_model_requests for each in page.data for result in each.results)
        cursor = page.next_page  # type: ignore[assignment]
    assert cursor is None
    assert starts == [MAY + hour * 3600 for hour in range(48)]
    assert calls == 10


@pytest.mark.parametrize(
    ("query", "calls"),
    [
        ("models[]=a", 1),
        ("models=a&models=b", 2),
        ("project_ids[]=blue", 1),
        ("user_ids[]=ann", 1),
        ("batch=false", 3),
        ("batch=true", 0),
    ],
)
def test_filters(call: Caller, team: Team, reader: str, query: str, calls: int) -> None:
    member = team.memberships.create(user=make_user("ann"))
    record_attempts(
        [of(team, model="a", project="blue"), of(team, model="b", member_id=member.pk), of(team, model="c")]
    )
    told = call("GET", f"{USAGE}?start_time={MAY}&end_time={MAY + DAY_S}&{query}", reader).json()
    assert sum(result["num_model_requests"] for each in told["data"] for result in each["results"]) == calls


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("", "start_time"),
        ("start_time=no", "start_time"),
        (f"start_time={MAY}&end_time={MAY}", "end_time"),
        (f"start_time={MAY}&bucket_width=1m", "bucket_width"),
        (f"start_time={MAY}&limit=32", "limit"),
        (f"start_time={MAY}&limit=169&bucket_width=1h", "limit"),
        (f"start_time={MAY}&group_by[]=colour", "group_by"),
        (f"start_time={MAY}&page=page_1", "page"),
        (f"start_time={MAY}&page=x", "page"),
        (f"start_time={MAY}&batch=perhaps", "batch"),
        (f"start_time={MAY}&colour=red", "colour"),
    ],
)
def test_parameter_that_is_wrong_is_a_400_that_names_it(
    call: Caller, reader: str, query: str, param: str
) -> None:
    answer = call("GET", f"{USAGE}?{query}", reader)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize("path", [USAGE, "/v1/organization/usage/embeddings", "/v1/organization/costs"])
def test_scope_usage_is_needed(call: Caller, team: Team, reader: str, path: str) -> None:
    _, inference = make_key(team, "calls")
    url = f"{path}?start_time={MAY}"
    assert [call("GET", url, key).status_code for key in (reader, inference, "")] == [200, 403, 401]
    assert call("GET", f"{url}&api_key_ids[]=abcdefghijkl", reader).json()["error"]["param"] == "api_key_ids"
