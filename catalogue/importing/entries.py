"""What a folder says, as values. An empty text or list, and None, mean that it does not say."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

Origin = tuple[str, int]
"""File and row, for messages."""


@dataclass(frozen=True, slots=True)
class OrganisationEntry:
    place: Origin
    id: str
    name: str
    colour: str
    website: str
    country_code: str


@dataclass(frozen=True, slots=True)
class ProviderEntry:
    """`base_url` is empty where calls can't go there; `variable` may hold its key, empty where none is allowed."""

    place: Origin
    slug: str
    name: str
    website: str
    base_url: str
    variable: str
    regions: tuple[str, ...] = ()
    """Where it runs what does not say so itself."""
    zero_retention: bool | None = None
    collects_data: bool | None = None


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """`successor_id` and `previous_id` are ids in the same folder."""

    place: Origin
    id: str
    organisation_id: str
    name: str
    facts: Mapping[str, Any]
    """Columns of the model that the folder knows, by name."""
    successor_id: str = ""
    previous_id: str = ""
    is_withheld: bool = False
    """Retired or not released, and no date says so: its offerings begin switched off."""

    @property
    def slug(self) -> str:
        return self.id.partition("/")[2]


@dataclass(frozen=True, slots=True)
class AliasEntry:
    place: Origin
    name: str
    model_id: str


OfferingKey = tuple[str, str, str]
"""Model, provider, and what the provider calls the model."""


@dataclass(frozen=True, slots=True)
class PriceEntry:
    """`amount` buys `unit_size` units."""

    place: Origin
    meter: str
    plan: str
    unit_size: int
    amount: Decimal
    currency: str
    conditions: tuple[Mapping[str, Any], ...]
    valid_from: datetime | None
    valid_to: datetime | None
    priority: int

    @property
    def slot(self) -> tuple[object, ...]:
        """Of two with the same slot only one can hold."""
        return self.meter, self.plan, self.currency, repr(self.conditions), self.valid_from, self.valid_to

    @property
    def digest(self) -> str:
        """Equal for prices that say the same."""
        text = repr((*self.slot, self.unit_size, str(self.amount)))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(slots=True)
class OfferingEntry:
    """An offer, with the prices that were found for it."""

    place: Origin
    key: OfferingKey
    facts: Mapping[str, Any]
    """Columns of the offering, by name."""
    is_enabled: bool
    prices: list[PriceEntry] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Folder:
    """Everything that a folder says, checked and put together."""

    name: str
    organisations: tuple[OrganisationEntry, ...]
    providers: tuple[ProviderEntry, ...]
    models: tuple[ModelEntry, ...]
    aliases: tuple[AliasEntry, ...]
    offerings: tuple[OfferingEntry, ...]
