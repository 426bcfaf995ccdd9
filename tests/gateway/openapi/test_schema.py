"""The API document, and what is answered under /v1/ where no view is."""

import gzip
import json
from collections.abc import Iterator
from functools import cache
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from gateway.proxy.errors import InvalidRequest
from gateway.proxy.routing.preferences import read_preferences

HEADERS = {"x-request-id", "x-gateway-provider", "x-gateway-model", "x-gateway-attempts", "x-gateway-lane"}


@cache
def document() -> Any:
    return Client().get("/openapi.json").json()


def operations() -> Iterator[tuple[str, Any]]:
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            yield f"{method} {path}", operation


def contents(part: Any) -> Iterator[Any]:
    """Every media type below, references followed."""
    if isinstance(part, dict):
        yield from part.get("content", {}).values()
        for name, inner in part.items():
            yield from contents(resolve(inner) if name == "$ref" else inner)


def resolve(reference: str) -> Any:
    _, kind, name = reference.rsplit("/", 2)
    return document()["components"][kind][name] if kind != "schemas" else None


def test_document_builds_without_warnings() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


def test_document_needs_no_key() -> None:
    answer = Client().get("/openapi.json")
    assert answer.status_code == 200
    assert "json" in answer["Content-Type"]


def test_document_is_packed_for_whoever_takes_it_packed() -> None:
    answer = Client().get("/openapi.json", headers={"accept-encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.content)) == document()


@pytest.mark.parametrize(
    "name",
    [
        "get /v1/gateway/models",
        "get /v1/gateway/models/{id}/history",
        "get /v1/gateway/changes",
        "get /v1/gateway/lifecycle",
        "post /v1/gateway/lifecycle/check",
        "get /v1/models",
        "get /v1/models/{id}",
        "post /v1/chat/completions",
        "post /v1/embeddings",
        "get /v1/keys",
        "post /v1/keys",
        "get /readyz",
    ],
)
def test_route_is_described(name: str) -> None:
    assert name in dict(operations())


def test_every_operation_has_a_summary_and_an_id_of_its_own() -> None:
    assert all(operation.get("summary") for _, operation in operations())
    names = [operation["operationId"] for _, operation in operations()]
    assert len(names) == len(set(names))


def test_every_operation_has_an_example() -> None:
    without = [
        name
        for name, operation in operations()
        if not any("example" in it or "examples" in it for it in contents(operation))
    ]
    assert without == []


def test_every_reference_leads_somewhere() -> None:
    def references(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            yield from (value for name, value in part.items() if name == "$ref")
        for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            yield from references(inner)

    for reference in set(references(document())):
        _, kind, name = reference.rsplit("/", 2)
        assert name in document()["components"][kind]


def test_no_field_of_a_request_has_a_default_for_generators_demand_those() -> None:
    def names(schema: Any) -> Iterator[str]:
        if "$ref" in schema:
            schema = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        for name, field in schema.get("properties", {}).items():
            yield from [name] if "default" in field else names(field)

    for _, operation in operations():
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert list(names(content["schema"])) == []


def test_inference_names_its_headers_and_failures() -> None:
    chat = dict(operations())["post /v1/chat/completions"]
    assert set(chat["responses"]["200"]["headers"]) >= HEADERS | {"Deprecation", "Sunset", "Link"}
    assert {"400", "401", "404", "410", "413", "429", "502", "503", "504"} <= set(chat["responses"])


def test_only_messages_answers_529() -> None:
    declaring = {name: operation for name, operation in operations() if "529" in operation["responses"]}
    assert set(declaring) == {"post /v1/messages"}
    content = resolve(declaring["post /v1/messages"]["responses"]["529"]["$ref"])["content"]
    (example,) = content["application/json"]["examples"].values()
    assert example["value"]["error"]["type"] == "overloaded_error"


def test_two_reasons_of_a_504_are_told() -> None:
    chat = dict(operations())["post /v1/chat/completions"]
    content = resolve(chat["responses"]["504"]["$ref"])["content"]
    assert set(content["application/json"]["examples"]) == {"provider_timeout", "client_deadline"}
    assert "x-gateway-timeout-ms" in {each["name"] for each in chat["parameters"]}


def test_published_bounds_are_in_the_document() -> None:
    listed = dict(operations())["get /v1/gateway/models"]
    parameters = {parameter["name"]: parameter["schema"] for parameter in listed["parameters"]}
    bounds = {
        name: (it["minimum"], it["maximum"], it.get("default"))
        for name, it in parameters.items()
        if "minimum" in it
    }
    assert bounds == {"limit": (1, 250, 50), "offset": (0, 5000, 0), "min_context": (1, 10**9, None)}
    assert set(parameters) >= {"organisation", "availability", "privacy_scope", "format", "feed"}


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "options"])
@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nothing", "/v1/models/", "/v1/%00"])
def test_unknown_address_is_a_404_in_the_envelope(method: str, path: str) -> None:
    answer = getattr(Client(), method)(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("path", ["/v1/gateway/", "/v1/gateway/models/", "/v1/gateway/nothing"])
def test_unknown_address_beside_the_published_list_is_a_404_in_its_shape(path: str) -> None:
    answer = Client().get(path)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_host_that_is_not_ours_is_told_so_in_the_envelope() -> None:
    answer = Client(headers={"host": "evil.example"}).get("/v1/models")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")


def test_all_that_may_be_said_of_providers_is_in_the_document() -> None:
    told = document()["components"]["schemas"]["ProviderWishes"]["properties"]
    with pytest.raises(InvalidRequest, match="takes only") as refused:
        read_preferences({"provider": {"nonsense": 1}}, {})
    taken = str(refused.value).partition("takes only ")[2].rpartition(", not")[0]
    assert set(told) == set(taken.split(", "))


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions",
        "/v1/messages",
        "/v1/responses",
        "/v1/completions",
        "/v1beta/models/{model}:generateContent",
    ],
)
def test_every_surface_says_what_a_body_may_say_of_who_answers(path: str) -> None:
    schema = document()["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    if reference := schema.get("$ref"):
        schema = document()["components"]["schemas"][reference.rpartition("/")[2]]
    assert {"models", "fallback_on", "min_reasoning_level", "provider"} <= set(schema["properties"])
