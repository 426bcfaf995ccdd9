"""What is published of models, offerings and prices, as values. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from accounts.policies import LifecyclePolicy
from catalogue.lifecycle.status import Status, status_at
from gateway.core.store.interface import Limit

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
    provider_slug: str = ""
    provider_name: str = ""
    """As published; what a provider is like now is in the snapshot's providers."""
    patience_s: int | None = None
    """How long its streams are waited for; None: as its provider's. A switch, as `is_enabled` is: not published."""
    quotas: tuple[Limit, ...] = ()
    """What may be sent to it by all teams together, besides its provider's. A switch, too."""
    quantization: str | None = None
    regions: tuple[str, ...] = ()
    """Where it runs, sorted; empty where unknown."""
    zero_retention: bool | None = None
    """Nothing of a call is kept once it is answered; its provider's, where it says nothing itself. None: unknown."""
    collects_data: bool | None = None
    """What it is sent is used for the provider's own ends, such as training; likewise."""

    def is_effective(self, at: datetime) -> bool:
        """Whether `at` is inside its dates."""
        has_begun = self.effective_from is None or self.effective_from <= at
        return has_begun and (self.effective_to is None or at < self.effective_to)

    def has_price_for(self, meter: str) -> bool:
        """At any time."""
        return any(price.meter == meter for price in self.prices)

    def instants(self) -> Iterator[datetime]:
        """At which it or a price of it begins or ends."""
        yield from _known(self.effective_from, self.effective_to)
        for price in self.prices:
            yield from _known(price.valid_from, price.valid_to)


@dataclass(frozen=True, slots=True)
class MemberConditions:
    """Which calls a member of a route is for: all that is said has to hold. None and empty: it does not matter."""

    is_streamed: bool | None = None
    has_tools: bool | None = None
    input_types: frozenset[str] = frozenset()
    """The request has one of these in its input."""
    input_tokens_from: int | None = None
    input_tokens_below: int | None = None
    endpoints: frozenset[str] = frozenset()
    team_id: int | None = None
    project_id: int | None = None
    """Of the key that calls."""


@dataclass(frozen=True, slots=True)
class RouteMember:
    """One model that a route may be answered by: at any provider, or at that one alone.

    A canary takes its percentage of all calls before any tier; it has no share of one.
    """

    model_id: str
    provider_slug: str = ""
    weight: int = 1
    tier: int = 0
    canary_percent: int | None = None
    conditions: MemberConditions | None = None
    """None of nearly all: it is for every call."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """`successor_id` and `previous_id` are other models' public ids, as curators named them; see `Snapshot.successor`.

    Offerings come in static order: position, then id. A named route has `members`, in the order of their tiers; its
    offerings are those of its members, as they were published together with it, and calls go to the members' own.
    """

    id: str
    name: str
    description: str = ""
    organisation_name: str = ""
    organisation_colour: str = ""
    created_at: datetime = EPOCH
    """Its registration here."""
    input_types: frozenset[str] = frozenset()
    output_types: frozenset[str] = frozenset()
    aliases: tuple[str, ...] = ()
    alias_policies: Mapping[str, str] = field(default_factory=dict)
    """By alias, of those that have a policy of their own."""
    context_length: int | None = None
    max_output_tokens: int | None = None
    tokenizer: str | None = None
    reasoning_tier: str | None = None
    is_moderated: bool = False
    open_weights: bool | None = None
    licence: str | None = None
    knowledge_cutoff: date | None = None
    release_at: datetime | None = None
    deprecation_at: datetime | None = None
    retirement_at: datetime | None = None
    successor_id: str | None = None
    previous_id: str | None = None
    offerings: tuple[OfferingFacts, ...] = ()
    members: tuple[RouteMember, ...] = ()
    fallback_on: tuple[str, ...] = ()
    """Of a named route: for which troubles of a request its next member answers, unasked."""

    @property
    def is_route(self) -> bool:
        return bool(self.members)

    @property
    def noun(self) -> str:
        """What a sentence about it begins with."""
        return "Named route" if self.members else "Model"

    @property
    def organisation_id(self) -> str:
        return self.id.partition("/")[0]

    def status(self, at: datetime) -> Status:
        return status_at(at, self.release_at, self.deprecation_at, self.retirement_at)

    def is_blocked(self, name: str, team_policy: str, at: datetime) -> bool:
        """Whether a call by that name of it is refused because it is deprecated: an alias's policy goes before."""
        policy = self.alias_policies.get(name) or team_policy
        return policy == LifecyclePolicy.BLOCK and self.status(at) is Status.DEPRECATED

    def is_listed(self, at: datetime) -> bool:
        """Released and not retired."""
        return self.status(at) in {Status.ACTIVE, Status.DEPRECATED}

    def instants(self) -> Iterator[datetime]:
        """At which what is true of it changes without anybody publishing."""
        yield from _known(self.release_at, self.deprecation_at, self.retirement_at)
        for offering in self.offerings:
            yield from offering.instants()


def _known(*instants: datetime | None) -> Iterator[datetime]:
    return (instant for instant in instants if instant is not None)
