"""A small catalogue to look at."""

from datetime import UTC, datetime

import pytest

from catalogue.models import Model
from providers.models import Provider
from tests.make import make_model, make_offering, make_organisation, make_price, make_provider, publish_all

RELEASED = datetime(2025, 3, 1, tzinfo=UTC)
GONE = datetime(2026, 1, 15, tzinfo=UTC)


def make_offered(public_id: str, provider: Provider, *, prompt: str = "1", **fields: object) -> Model:
    """A model with one chat offering there, not published; `prompt` is USD for a million tokens."""
    model = make_model(public_id, **fields)
    offering = make_offering(model, provider)
    make_price(offering, "input_text_tokens", prompt)
    make_price(offering, "output_text_tokens", "2")
    return model


@pytest.fixture
def open_provider(db: None) -> Provider:
    return make_provider("open", name="Open House")


@pytest.fixture
def closed_provider(db: None) -> Provider:
    return make_provider("closed", name="Closed House", has_credential=False)


@pytest.fixture
def catalogue(open_provider: Provider, closed_provider: Provider) -> None:
    """Of acme: one that can be called, one that is retired for it. Of zeta: one that nothing serves."""
    make_organisation("acme", name="Acme", colour="#cc785c")
    big = make_offered(
        "acme/big",
        open_provider,
        name="Big",
        aliases=["big-latest"],
        context_length=128_000,
        release_at=RELEASED,
    )
    make_offered("acme/old", open_provider, name="Old", retirement_at=GONE, successor=big)
    make_offered(
        "zeta/small",
        closed_provider,
        name="Small",
        prompt="0.5",
        open_weights=True,
        input_types=["text", "image"],
    )
    publish_all()
