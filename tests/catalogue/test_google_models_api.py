"""`GET /v1beta/models` for clients that speak Google's form."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from tests.make import make_key, make_model, make_offering, make_provider, make_published, publish_all

pytestmark = pytest.mark.django_db


def client_of(*patterns: str) -> Client:
    _, text = make_key(model_patterns=list(patterns))
    return Client(headers={"x-goog-api-key": text})


@pytest.fixture
def client() -> Client:
    return client_of()


@pytest.fixture
def _five() -> None:
    for name in "abcde":
        make_published(f"acme/{name}")


def page(client: Client, query: str = "") -> Any:
    return client.get(f"/v1beta/models?{query}").json()


def ids(answer: Any) -> list[str]:
    return [model["baseModelId"] for model in answer["models"]]


def test_row_has_googles_form(client: Client) -> None:
    make_published(
        release_at=datetime(2025, 10, 15, tzinfo=UTC),
        context_length=200_000,
        max_output_tokens=8_000,
        reasoning_tier="high",
        description="Answers.",
        name="One",
    )
    assert page(client) == {
        "models": [
            {
                "name": "models/acme/one",
                "baseModelId": "acme/one",
                "version": "2025-10-15",
                "displayName": "One",
                "description": "Answers.",
                "inputTokenLimit": 200_000,
                "outputTokenLimit": 8_000,
                "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
                "thinking": True,
            }
        ]
    }


def test_what_is_unknown_is_left_out(client: Client) -> None:
    make_published(name="One")
    (row,) = page(client)["models"]
    assert row["version"] == "1"
    assert not row.keys() & {"description", "inputTokenLimit", "outputTokenLimit", "thinking"}


def test_model_that_only_embeds_generates_nothing(client: Client) -> None:
    make_offering(make_model("acme/one"), make_provider(), endpoints=["embeddings"])
    publish_all()
    assert page(client)["models"][0]["supportedGenerationMethods"] == []


@pytest.mark.usefixtures("_five")
def test_pages_lead_to_each_other_and_end() -> None:
    client, seen, query = client_of(), [], "pageSize=2"
    while True:
        answer = page(client, query)
        seen.append(ids(answer))
        if "nextPageToken" not in answer:
            break
        query = f"pageSize=2&pageToken={answer['nextPageToken']}"
    assert seen == [["acme/a", "acme/b"], ["acme/c", "acme/d"], ["acme/e"]]


@pytest.mark.usefixtures("_five")
@pytest.mark.parametrize(("size", "count"), [(1, 1), (4, 4), (5, 5), (6, 5), (1001, 5)])
def test_page_is_as_long_as_was_asked_for(client: Client, size: int, count: int) -> None:
    answer = page(client, f"pageSize={size}")
    assert len(answer["models"]) == count
    assert ("nextPageToken" in answer) is (count < 5)


@pytest.mark.usefixtures("_five")
def test_key_sees_what_it_may_call() -> None:
    assert ids(page(client_of("acme/b"))) == ["acme/b"]


@pytest.mark.parametrize("query", ["pageSize=0", "pageSize=x", "pageToken=acme/zzz"])
def test_bad_parameter_is_refused_by_name_in_googles_envelope(client: Client, query: str) -> None:
    answer = client.get(f"/v1beta/models?{query}")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")
    assert query.partition("=")[0] in error["message"]


def test_model_is_found_by_id_and_by_alias(client: Client) -> None:
    make_published("acme/one", aliases=["one"])
    for name in ("acme/one", "one"):
        assert client.get(f"/v1beta/models/{name}").json()["name"] == "models/acme/one"


def test_unknown_model_is_told_in_googles_envelope(client: Client) -> None:
    make_published("acme/one")
    answer = client.get("/v1beta/models/acme/on")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["status"]) == (404, 404, "NOT_FOUND")
    assert "'acme/one'" in error["message"]


def test_without_a_key_googles_envelope_says_which() -> None:
    answer = Client().get("/v1beta/models")
    assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")


def test_googles_sdk_that_asks_under_v1_reads_the_same() -> None:
    make_published("acme/one")
    google, (_, text) = client_of(), make_key()
    assert google.get("/v1/models").json() == google.get("/v1beta/models").json()
    assert google.get("/v1/models/acme/one").json() == google.get("/v1beta/models/acme/one").json()
    openai = Client(headers={"authorization": f"Bearer {text}"}).get("/v1/models").json()
    assert openai["object"] == "list"
