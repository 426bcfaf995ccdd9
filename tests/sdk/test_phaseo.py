"""The published list's own SDK, with `/v1/gateway` as its base."""

import warnings
from collections.abc import Iterator

import pytest
from phaseo import Phaseo

from tests.system.embedded import Product


@pytest.fixture
def client(product: Product) -> Iterator[Phaseo]:
    with warnings.catch_warnings():
        yield Phaseo(api_key=product.key, base_url=f"{product.url}/v1/gateway")


def test_models_are_listed_with_filters(client: Phaseo) -> None:
    page = client.get_models({"organisation": ["demo"], "endpoints": ["chat.completions"], "limit": 5})
    assert (page["ok"], page["limit"]) == (True, 5)
    assert "demo/chat" in {model["model_id"] for model in page["models"]}


def test_live_model_passes_the_check_before_a_call(client: Phaseo) -> None:
    verdict = client.validate_model("demo/chat")
    assert (verdict["ok"], verdict["info"]["status"]) == (True, "active")


def test_retired_model_is_refused_before_a_call_with_its_successor(client: Phaseo) -> None:
    retired = client.get_models({"status": "retired", "availability": "all", "limit": 1})["models"][0]
    verdict = client.validate_model(retired["model_id"])
    assert (verdict["ok"], verdict["info"]["status"]) == (False, "retired")
    assert verdict["info"]["replacement_model_id"] == retired["lifecycle"]["replacement_model_id"]


def test_model_that_nobody_knows_is_left_to_the_call(client: Phaseo) -> None:
    assert client.validate_model("demo/nobody") == {"ok": True, "info": None}
