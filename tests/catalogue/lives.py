"""Models and versions of them as values, for tests of what depends on time."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from catalogue.changes.model_changes import Version
from catalogue.facts import ModelFacts, OfferingFacts, PriceFacts
from catalogue.published.snapshot import Snapshot
from providers.facts import ProviderFacts


def day(number: int, month: int = 6) -> datetime:
    """The beginning of a day of 2026."""
    return datetime(2026, month, number, tzinfo=UTC)


def a_price(amount: str, meter: str = "input_text_tokens", **fields: Any) -> PriceFacts:
    """USD for a million."""
    return PriceFacts(
        **{
            "meter": meter,
            "plan": "standard",
            "unit_size": 1_000_000,
            "amount": Decimal(amount),
            "currency": "USD",
        }
        | fields
    )


def an_offering(number: int, *prices: PriceFacts, **fields: Any) -> OfferingFacts:
    given = {
        "id": number,
        "provider_id": number,
        "provider_slug": f"p{number}",
        "upstream_name": "one",
        "endpoints": frozenset({"chat.completions"}),
        "params": frozenset(),
    }
    return OfferingFacts(**given | {"prices": prices} | fields)


def a_model(*offerings: OfferingFacts, id: str = "acme/one", **fields: Any) -> ModelFacts:  # noqa: A002
    return ModelFacts(id=id, name=id.partition("/")[2].title(), offerings=offerings, **fields)


def a_version(model: ModelFacts, opened: int, closed: int | None = None) -> Version:
    """From the edition of one day of June until that of another; an edition's number is its day."""
    return Version(model, opened, day(opened), closed, day(closed) if closed else None)


def a_snapshot(*models: ModelFacts) -> Snapshot:
    """Everything is on."""
    ids = {offering.provider_id for model in models for offering in model.offerings}
    providers = {id_: ProviderFacts(id_, f"p{id_}", "", "openai", "", True, True) for id_ in ids}
    return Snapshot.of(models, providers, revision=1)
