"""`GET /v1/gateway/models`."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from catalogue.api.serializers import GATEWAY_MODEL_EXAMPLE
from catalogue.models import Offering
from tests.make import make_key, make_model, make_organisation, make_published, publish_all

pytestmark = pytest.mark.django_db
URL = "/v1/gateway/models"
OUR_FIELDS = ["reasoning_tier", "open_weights", "licence", "knowledge_cutoff", "is_routable", "kind", "route"]
# Source: the published page, and what we added to it. None: not an object.
PUBLISHED_FIELDS = dict.fromkeys(
    [
        "id",
        "canonical_slug",
        "model_id",
        "name",
        "description",
        "created",
        "release_date",
        "deprecation_date",
        "retirement_date",
        "status",
        "organisation_id",
        "organisation_name",
        "organisation_colour",
        "aliases",
        "endpoints",
        "input_types",
        "output_types",
        "providers",
        "supported_params",
        "supported_parameters",
        "top_provider_id",
        "per_request_limits",
        *OUR_FIELDS,
    ]
) | {
    "lifecycle": {"status", "deprecation_date", "retirement_date", "replacement_model_id", "message"},
    "architecture": {"modality", "input_modalities", "output_modalities", "tokenizer", "instruct_type"},
    "top_provider": {"context_length", "max_completion_tokens", "is_moderated"},
    "pricing": {
        "prompt",
        "completion",
        "request",
        "image",
        "input_cache_read",
        "input_cache_write",
        "web_search",
    },
    "pricing_detail": {"pricing_plan", "provider_id", "upstream_name", "meters"},
    "headline": {
        "over",
        "offerings",
        "is_free",
        "prompt",
        "completion",
        "input_cache_read",
        "context_length",
    },
}


@pytest.fixture
def client() -> Client:
    _, text = make_key()
    return Client(headers={"authorization": f"Bearer {text}"})


def ids(client: Client, query: str = "") -> list[str]:
    answer = client.get(f"{URL}?{query}")
    assert answer.status_code == 200, answer.content
    return [model["id"] for model in answer.json()["models"]]


def fields(value: Any) -> set[str] | None:
    return set(value) if isinstance(value, dict) else None


def test_answer_has_the_published_envelope(client: Client) -> None:
    make_published()
    answer = client.get(URL).json()
    assert {name: answer[name] for name in answer if name != "models"} == {
        "ok": True,
        "privacy_scope": "shared",
        "limit": 50,
        "offset": 0,
        "total": 1,
        "next_cursor": None,
        "warnings": [],
    }


def test_record_has_every_published_field_and_no_other(client: Client) -> None:
    make_published()
    model = client.get(URL).json()["models"][0]
    assert {name: fields(model[name]) for name in model} == PUBLISHED_FIELDS
    assert fields(model["providers"][0]) == {"api_provider_id", "is_active_gateway", "params"}


def test_example_of_the_document_has_the_published_fields() -> None:
    assert {name: fields(GATEWAY_MODEL_EXAMPLE[name]) for name in GATEWAY_MODEL_EXAMPLE} == PUBLISHED_FIELDS


def test_newest_comes_first_and_unknown_dates_last(client: Client) -> None:
    make_published("acme/undated")
    make_published("acme/old", release_at=datetime(2024, 1, 1, tzinfo=UTC))
    make_published("acme/new", release_at=datetime(2025, 1, 1, tzinfo=UTC))
    assert ids(client) == ["acme/new", "acme/old", "acme/undated"]


def test_pages_are_cut_by_limit_and_offset(client: Client) -> None:
    for name in ("a", "b", "c"):
        make_published(f"acme/{name}")
    assert ids(client, "limit=1&offset=1") == ["acme/b"]
    assert client.get(f"{URL}?limit=1").json()["total"] == 3


def test_offset_past_the_end_is_an_empty_page(client: Client) -> None:
    make_published()
    assert ids(client, "offset=5000") == []


@pytest.mark.parametrize(
    "query", ["organisation=acme&organisation=beta", "organisation=acme,beta", "organisation=acme%20beta"]
)
def test_organisations_are_listed_in_any_way(client: Client, query: str) -> None:
    for organisation in ("acme", "beta", "gamma"):
        make_published(f"{organisation}/one")
    assert ids(client, query) == ["acme/one", "beta/one"]


def test_published_organisation_without_models_matches_nothing(client: Client) -> None:
    make_published()
    assert ids(client, "organisation=z-ai") == []


def test_unpublished_model_is_not_listed(client: Client) -> None:
    make_model("acme/draft")
    assert ids(client, "availability=all") == []


def test_model_that_nothing_can_serve_is_listed_on_request_only(client: Client) -> None:
    make_published()
    Offering.objects.update(is_enabled=False)
    assert ids(client) == []
    model = client.get(f"{URL}?availability=all").json()["models"][0]
    assert [provider["is_active_gateway"] for provider in model["providers"]] == [False]


def test_model_without_offerings_is_listed_on_request(client: Client) -> None:
    make_model("acme/bare")
    publish_all()
    assert ids(client, "availability=all") == ["acme/bare"]


@pytest.mark.parametrize("query", ["privacy_scope=shared", "format=json", "feed=json", "availability=active"])
def test_default_may_be_said_aloud(client: Client, query: str) -> None:
    make_published()
    assert ids(client, query) == ["acme/one"]


@pytest.mark.parametrize(
    "value", ["0", "251", "-1", "1.5", "ten", "", "%20", "1e2", "%C2%B2", "9" * 5000, "%00"]
)
def test_limit_out_of_bounds_is_refused(client: Client, value: str) -> None:
    answer = client.get(f"{URL}?limit={value}")
    assert answer.status_code == 400
    said = answer.json()
    assert (said["ok"], said["error"], said["param"]) == (False, "invalid_request", "limit")
    assert (said["minimum"], said["maximum"]) == (1, 250)


@pytest.mark.parametrize("value", ["-1", "5001", "", "x"])
def test_offset_out_of_bounds_is_refused(client: Client, value: str) -> None:
    answer = client.get(f"{URL}?offset={value}")
    assert (answer.status_code, answer.json()["param"]) == (400, "offset")


def test_unknown_organisation_is_refused_with_those_there_are(client: Client) -> None:
    make_organisation("acme")
    said = client.get(f"{URL}?organisation=acmee").json()
    assert (said["param"], said["provided"]) == ("organisation", "acmee")
    assert {"acme", "anthropic"} <= set(said["allowed"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("privacy_scope", "public"),
        ("privacy", "public"),
        ("format", "ics"),
        ("feed", "ics"),
        ("format", "xml"),
        ("availability", "some"),
        ("organisation", ""),
        ("organisation", ",%20,"),
        ("organisation", "%00"),
        ("format", ""),
    ],
)
def test_value_outside_its_enum_is_refused(client: Client, name: str, value: str) -> None:
    answer = client.get(f"{URL}?{name}={value}")
    assert (answer.status_code, answer.json()["param"]) == (400, name)
    assert "provided" in answer.json()


@pytest.mark.parametrize("name", ["limit", "format"])
def test_value_given_twice_is_refused(client: Client, name: str) -> None:
    answer = client.get(f"{URL}?{name}=1&{name}=2")
    assert (answer.status_code, answer.json()["param"]) == (400, name)


def test_parameter_that_does_not_exist_is_refused_with_those_that_do(client: Client) -> None:
    said = client.get(f"{URL}?organization=acme").json()
    assert (said["error"], said["param"], said["code"]) == (
        "invalid_request",
        "organization",
        "unknown_parameter",
    )
    assert "organisation" in said["allowed"]


@pytest.mark.parametrize("name", ["privacy_scope", "privacy"])
def test_team_scope_is_not_implemented(name: str, client: Client) -> None:
    answer = client.get(f"{URL}?{name}=team")
    said = answer.json()
    assert answer.status_code == 501
    assert said["code"] == "models_privacy_scope_not_implemented"
    assert (said["ok"], said["error"], said["privacy_scope"]) == (False, "not_implemented", "team")


def test_without_a_key_nothing_is_told() -> None:
    answer = Client().get(URL)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json()["ok"] is False


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_other_methods_are_refused_in_the_published_shape(client: Client, method: str) -> None:
    answer = getattr(client, method)(URL)
    assert (answer.status_code, answer.json()["ok"]) == (405, False)


@pytest.mark.parametrize("count", [1, 12])
def test_number_of_queries_does_not_grow_with_the_list(
    client: Client, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(count):
        make_published(f"acme/m{number}")
    client.get(URL)
    with django_assert_num_queries(3):  # key, revision, ids
        client.get(URL)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("endpoints", ["embeddings", "chat.completions"]),
        ("input_types", ["image", "text"]),
        ("params", ["tools"]),
    ],
)
def test_list_in_brackets_is_the_same_list(client: Client, name: str, values: list[str]) -> None:
    make_published("acme/one", input_types=["text"])
    plain = client.get("/v1/gateway/models", {name: values})
    bracketed = client.get("/v1/gateway/models", {f"{name}[]": values})
    assert plain.status_code == 200
    assert bracketed.json() == plain.json()


def test_one_value_in_brackets_twice_is_refused_by_its_plain_name(client: Client) -> None:
    answer = client.get("/v1/gateway/models?limit[]=1&limit[]=2")
    assert (answer.status_code, answer.json()["param"]) == (400, "limit")
