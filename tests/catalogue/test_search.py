"""Names are found as people type them, exact ones first, and what is near is offered where nothing is found."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from tests.make import NOW, make_key, make_model, make_offering, make_provider, publish_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def names(db: None) -> None:
    """The newest last."""
    provider = make_provider()
    models = {
        "acme/gpt-5": "GPT-5",
        "acme/gpt-5.1-mini": "GPT-5.1 mini",
        "acme/claude-sonnet-4.5": "Claude Sonnet 4.5",
        "acme/talk": "Small talk of gpt 5",
    }
    for age, (public_id, name) in enumerate(models.items()):
        model = make_model(public_id, name=name, release_at=NOW - timedelta(days=900 - age))
        make_offering(model, provider, params=["tools"] if age % 2 else ["tools", "response_format"])
    publish_all()


@pytest.fixture
def ask(client: Client, names: None) -> Any:
    headers = {"Authorization": f"Bearer {make_key()[1]}"}
    return lambda query: client.get(f"/v1/gateway/models?{query}", headers=headers).json()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("gpt5", ["acme/gpt-5", "acme/talk", "acme/gpt-5.1-mini"]),
        ("GPT 5", ["acme/gpt-5", "acme/talk", "acme/gpt-5.1-mini"]),
        ("acme/gpt-5", ["acme/gpt-5", "acme/gpt-5.1-mini"]),
        ("gpt51mini", ["acme/gpt-5.1-mini"]),
        ("sonnet-45", ["acme/claude-sonnet-4.5"]),
        ("claudesonnet4.5", ["acme/claude-sonnet-4.5"]),
        ("gpt-6", []),
        ("--", []),
    ],
)
def test_hyphens_dots_and_blanks_of_names_do_not_matter(ask: Any, text: str, found: list[str]) -> None:
    assert [model["id"] for model in ask(f"q={text}")["models"]] == found


def test_order_that_is_asked_for_stands(ask: Any) -> None:
    newest_first = ["acme/talk", "acme/gpt-5.1-mini", "acme/gpt-5"]
    assert [model["id"] for model in ask("q=gpt5&sort=-release_date")["models"]] == newest_first


def test_search_that_finds_nothing_names_what_is_near(ask: Any, client: Client) -> None:
    (warning,) = ask("q=gtp-5")["warnings"]
    assert warning == {
        "param": "q",
        "provided": "gtp-5",
        "message": "q: nothing is found. Near it: acme/gpt-5.",
    }
    page = client.get("/models?q=gtp-5").content.decode()
    assert "Did you mean" in page
    assert 'href="/models/acme/gpt-5"' in page


def test_capabilities_are_those_of_one_offering_together(ask: Any) -> None:
    both = ask("capabilities=tools,structured_output")["models"]
    assert {model["id"] for model in both} == {"acme/gpt-5", "acme/claude-sonnet-4.5"}


def test_capability_that_does_not_exist_is_refused_with_those_that_do(ask: Any) -> None:
    refusal = ask("capabilities=flying")
    assert "structured_output" in str(refusal)
    assert "capabilities" in str(refusal)
