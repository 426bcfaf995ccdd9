"""A catalogue whose models do well and badly, and the instant at which that is looked at."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Key, LedgerEntry
from accounts.usage.repair import day_of, rebuild_day
from catalogue.models import Model, Offering
from providers.models import Provider
from tests.make import make_entry, make_key, make_model, make_offering, make_provider, publish_all

Calls = Callable[..., None]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Noon, as all clocks say."""
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: noon)
    return noon


@pytest.fixture
def two_ways(at: datetime) -> tuple[Offering, Offering]:
    """acme/one at alpha and at beta; acme/two at alpha alone."""
    alpha, beta = make_provider("alpha"), make_provider("beta")
    model = make_model("acme/one", name="One")
    first, second = make_offering(model, alpha), make_offering(model, beta)
    make_offering(make_model("acme/two", name="Two"), alpha)
    publish_all(at=at - timedelta(days=200))
    return first, second


@pytest.fixture
def key(at: datetime) -> Key:
    return make_key()[0]


@pytest.fixture
def calls(key: Key) -> Calls:
    """So many calls that began then, in the ledger and in usage."""

    def make(number: int, started_at: datetime, **fields: Any) -> None:
        for _ in range(number):
            make_entry(key, **{"provider": "alpha", "started_at": started_at} | fields)
        rebuild_day(day_of(started_at))

    return make


def provider(slug: str) -> Provider:
    return Provider.objects.get(slug=slug)


def model(public_id: str) -> Model:
    return Model.objects.get(public_id=public_id)


FAULT = {"outcome": LedgerEntry.Outcome.FAILED, "error_code": "provider_error", "status": 500}
