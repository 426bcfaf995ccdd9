"""Anthropic's SDK for Python reads the list of models."""

from collections.abc import Iterator

import anthropic
import pytest
from anthropic import Anthropic

from tests.system.embedded import Product


@pytest.fixture
def client(product: Product) -> Iterator[Anthropic]:
    with Anthropic(api_key=product.key, base_url=product.url) as client:
        yield client


def test_all_models_are_listed_page_by_page(client: Anthropic) -> None:
    listed = [model.id for model in client.models.list(limit=1)]
    assert {"demo/chat", "demo/embed"} <= set(listed)
    assert len(listed) == len(set(listed))


def test_model_is_looked_up(client: Anthropic) -> None:
    model = client.models.retrieve("demo/chat")
    assert (model.id, model.type, model.display_name) == ("demo/chat", "model", "Demo chat")


def test_unknown_model_raises_not_found(client: Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError, match="demo/chat"):
        client.models.retrieve("demo/chatt")


def test_wrong_key_raises_authentication_error(product: Product) -> None:
    with (
        Anthropic(api_key="sk-gw-wrong", base_url=product.url) as client,
        pytest.raises(anthropic.AuthenticationError),
    ):
        client.models.list()
