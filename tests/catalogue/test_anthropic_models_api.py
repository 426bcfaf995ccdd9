"""`GET /v1/models` for clients that speak Anthropic's form."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from tests.make import make_key, make_published

pytestmark = pytest.mark.django_db


def client_of(*patterns: str) -> Client:
    _, text = make_key(model_patterns=list(patterns))
    return Client(headers={"x-api-key": text, "anthropic-version": "2023-06-01"})


@pytest.fixture
def client() -> Client:
    return client_of()


@pytest.fixture
def _five() -> None:
    for name in "abcde":
        make_published(f"acme/{name}")


def page(client: Client, query: str = "") -> Any:
    return client.get(f"/v1/models?{query}").json()


def ids(answer: Any) -> list[str]:
    return [model["id"] for model in answer["data"]]


def test_row_has_anthropics_form(client: Client) -> None:
    make_published(release_at=datetime(2025, 10, 15, tzinfo=UTC), context_length=200_000, name="One")
    assert page(client)["data"] == [
        {
            "type": "model",
            "id": "acme/one",
            "display_name": "One",
            "created_at": "2025-10-15T00:00:00Z",
            "max_input_tokens": 200_000,
            "max_tokens": None,
            "deprecated_at": None,
            "retires_at": None,
        }
    ]


@pytest.mark.usefixtures("_five")
def test_pages_go_forward(client: Client) -> None:
    first = page(client, "limit=2")
    assert (ids(first), first["has_more"], first["last_id"]) == (["acme/a", "acme/b"], True, "acme/b")
    last = page(client, "limit=9&after_id=acme/b")
    assert (ids(last), last["has_more"], last["first_id"]) == (
        ["acme/c", "acme/d", "acme/e"],
        False,
        "acme/c",
    )


@pytest.mark.usefixtures("_five")
def test_pages_go_backward(client: Client) -> None:
    before = page(client, "limit=2&before_id=acme/d")
    assert (ids(before), before["has_more"]) == (["acme/b", "acme/c"], True)


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "after_id=acme/zzz", "before_id=a&after_id=b"])
def test_bad_parameter_is_refused_in_anthropics_envelope(client: Client, query: str) -> None:
    answer = client.get(f"/v1/models?{query}")
    assert (answer.status_code, answer.json()["type"]) == (400, "error")
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_unknown_model_is_told_in_anthropics_envelope(client: Client) -> None:
    make_published("acme/one")
    answer = client.get("/v1/models/acme/ome")
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found_error")
    assert "acme/one" in answer.json()["error"]["message"]


def test_key_that_may_call_less_sees_less() -> None:
    make_published("acme/one")
    make_published("beta/one")
    client = client_of("beta/*")
    assert ids(page(client)) == ["beta/one"]
    assert client.get("/v1/models/acme/one").status_code == 404
