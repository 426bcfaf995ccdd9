"""An address that nobody answers: programs are told in their own form, and what they may have meant."""

import pytest
from django.test import Client

KEY = {"authorization": "Bearer sk-gw-nobodys"}


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("//v1/chat/completions", "/v1/chat/completions"),
        ("/v1//chat/completions", "/v1/chat/completions"),
        ("/v1/v1/chat/completions", "/v1/chat/completions"),
        ("/chat/completions", "/v1/chat/completions"),
        ("/api/v1/chat/completions", "/v1/chat/completions"),
        ("/openai/v1/embeddings", "/v1/embeddings"),
        ("/v1/anthropic/v1/messages", "/v1/messages"),
        ("/messages", "/v1/messages"),
        ("/responses", "/v1/responses"),
        ("/gemini/v1beta/models/acme/one:generateContent", "/v1beta/models/acme/one:generateContent"),
    ],
)
def test_client_with_another_base_url_is_told_where_it_meant(path: str, near: str) -> None:
    answer = Client(headers=KEY).post("/", {}, content_type="application/json", PATH_INFO=path)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == f"Unknown address: POST {path}. Did you mean {near}?"


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/", "/v1/nothing", "//v1/nothing", "/v1/chat/completion", "/v2/chat"]
)
def test_unknown_address_is_told_in_openais_form(path: str) -> None:
    answer = Client(headers=KEY).get("/", PATH_INFO=path)
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert path in answer.json()["error"]["message"]


def test_unknown_address_of_googles_api_is_told_in_its_form() -> None:
    answer = Client().get("/v1beta/nothing")
    assert (answer.status_code, answer.json()["error"]["status"]) == (404, "NOT_FOUND")


def test_unknown_address_of_the_published_list_is_told_in_its_form() -> None:
    answer = Client().get("/v1/gateway/nothing")
    assert (answer.status_code, answer.json()["ok"]) == (404, False)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/nothing", "/models/acme/nothing", "/v1x"])
def test_people_get_a_page(path: str) -> None:
    answer = Client(headers={"accept": "text/html"}).get(path)
    assert (answer.status_code, answer["content-type"]) == (404, "text/html; charset=utf-8")
