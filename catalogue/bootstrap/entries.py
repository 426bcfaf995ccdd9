"""What the bootstrap files say, as values. Days are UTC midnights; prices are USD for a million tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


class BootstrapError(Exception):
    """A bootstrap file cannot be read, or contradicts itself; the message names file, row and field."""


@dataclass(frozen=True, slots=True)
class OrganisationEntry:
    id: str
    name: str
    country: str
    colour: str


@dataclass(frozen=True, slots=True)
class ProviderEntry:
    """`base_url` may hold a name in braces, to be read from the environment. `variable` holds the key; empty:
    none is needed.

    `params` are the names of parameters under the feature that needs them; empty: unknown. `wire_format` and `quirks`
    are those of providers.models.Provider.
    """

    slug: str
    name: str
    base_url: str
    variable: str
    website: str
    is_probed: bool
    wire_format: str
    is_enabled: bool
    quirks: tuple[str, ...]
    params: Mapping[str, tuple[str, ...]]
    zero_retention: bool | None
    collects_data: bool | None


@dataclass(frozen=True, slots=True)
class PriceEntry:
    """`meter` is one of the file's words: input, output, cached_read, cached_write.

    `input_tokens_above`: for calls with more input tokens only. None: for all that no other price is for.
    """

    meter: str
    amount: Decimal
    valid_from: datetime | None
    valid_to: datetime | None
    input_tokens_above: int | None


@dataclass(frozen=True, slots=True)
class OfferingEntry:
    provider: str
    upstream_name: str
    endpoints: tuple[str, ...]
    params: tuple[str, ...]
    streams: bool
    context_length: int | None
    max_output_tokens: int | None
    regions: tuple[str, ...]
    quantization: str
    zero_retention: bool | None
    collects_data: bool | None
    effective_to: datetime | None
    prices: tuple[PriceEntry, ...]


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """`place` is the file and the row, for messages. `follows` and `successor` are public ids, or empty.

    `follows` is the model before this one in its family; `successor` is what to use instead once this one ends.
    """

    place: str
    organisation: str
    slug: str
    name: str
    aliases: tuple[str, ...]
    release_at: datetime | None
    deprecation_at: datetime | None
    retirement_at: datetime | None
    successor: str
    follows: str
    context_length: int | None
    max_output_tokens: int | None
    input_types: tuple[str, ...]
    output_types: tuple[str, ...]
    reasoning_tier: str
    open_weights: bool | None
    licence: str
    knowledge_cutoff: date | None
    source: str
    offerings: tuple[OfferingEntry, ...]

    @property
    def public_id(self) -> str:
        return f"{self.organisation}/{self.slug}"


@dataclass(frozen=True, slots=True)
class Bootstrap:
    organisations: tuple[OrganisationEntry, ...]
    providers: tuple[ProviderEntry, ...]
    models: tuple[ModelEntry, ...]
