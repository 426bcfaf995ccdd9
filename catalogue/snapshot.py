"""A process' in-memory view of what is published and enabled. Pure values, no Django."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from providers.facts import ProviderFacts


@dataclass(frozen=True, slots=True)
class PriceFacts:
    """`amount` of `currency` buys `unit_size` units of `meter`, from `valid_from` until before `valid_to`."""

    meter: str
    plan: str
    unit_size: int
    amount: Decimal
    currency: str
    conditions: tuple[Mapping[str, Any], ...] = ()
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class OfferingFacts:
    id: int
    provider_id: int
    upstream_name: str
    endpoints: frozenset[str]
    params: frozenset[str]
    """Declared parameters; empty where unknown, and then nothing is held against it."""
    streams: bool = True
    context_length: int | None = None
    max_output_tokens: int | None = None
    position: int = 0
    is_enabled: bool = True
    effective_from: datetime | None = None
    effective_to: datetime | None = None
    prices: tuple[PriceFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """`successor_id` is another model's public id. Offerings come in static order: position, then id."""

    id: str
    name: str
    input_types: frozenset[str] = frozenset()
    output_types: frozenset[str] = frozenset()
    aliases: tuple[str, ...] = ()
    context_length: int | None = None
    reasoning_tier: str | None = None
    release_at: datetime | None = None
    deprecation_at: datetime | None = None
    retirement_at: datetime | None = None
    successor_id: str | None = None
    offerings: tuple[OfferingFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that routing needs. `revision` is the number at which it was read."""

    revision: int
    edition: int
    models: Mapping[str, ModelFacts]
    providers: Mapping[int, ProviderFacts]
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Alias → public id."""
    offerings: Mapping[int, tuple[ModelFacts, OfferingFacts]] = field(default_factory=dict, repr=False)
    """By the offering's id; made by `of`."""

    @classmethod
    def of(
        cls,
        models: Iterable[ModelFacts],
        providers: Mapping[int, ProviderFacts],
        *,
        revision: int,
        edition: int = 0,
    ) -> "Snapshot":
        """A snapshot with its look-up tables made from the models."""
        by_id = {model.id: model for model in models}
        return cls(
            revision=revision,
            edition=edition,
            models=by_id,
            providers=providers,
            aliases={alias: model.id for model in by_id.values() for alias in model.aliases},
            offerings={o.id: (model, o) for model in by_id.values() for o in model.offerings},
        )

    def find(self, name: str) -> ModelFacts | None:
        """The model of that id or alias."""
        return self.models.get(name) or self.models.get(self.aliases.get(name, ""))

    def offering(self, offering_id: int) -> tuple[ModelFacts, OfferingFacts] | None:
        return self.offerings.get(offering_id)


EMPTY = Snapshot(revision=-1, edition=0, models={}, providers={})
