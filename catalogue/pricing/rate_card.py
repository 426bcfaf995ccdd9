"""What an offering's calls cost at present, worked out once and not for every call."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from catalogue.facts import OfferingFacts, PriceFacts
from catalogue.pricing.cost import STANDARD, call_prices
from catalogue.pricing.rates import Charges, Rates, charges_at, rates_for
from providers.wire.usage import Costing, Usage

_SAME = {"fast": "priority"}
"""Tiers that go by another plan's prices where they have none. Source: OpenAI's reference of `service_tier`, and
Anthropic's prices of its fast mode (November 2026).
"""


@dataclass(frozen=True, slots=True)
class PlanPrices:
    """The prices of one plan, `fields` the same by value. What has none there costs what it does in `beneath`."""

    prices: Sequence[PriceFacts]
    fields: list[Mapping[str, Any]]
    beneath: "PlanPrices | None" = None
    fixed: Charges | None = None
    """What is charged; None where that depends on the prompt's length."""

    @property
    def costing(self) -> Costing:
        """As catalogue.pricing.cost.cost_usd, in as few steps as there can be."""
        return self.fixed.cost_usd if self.fixed else self.cost_usd

    def cost_usd(self, usage: Usage) -> Decimal:
        return (self.fixed or charges_at(self.rates(usage))).cost_usd(usage)

    def rates(self, usage: Usage) -> Rates:
        own = rates_for(usage, self.prices)
        return {**self.beneath.rates(usage), **own} if self.beneath else own


@dataclass(frozen=True, slots=True)
class RateCard:
    """The prices that apply from `since` until `until` (Unix seconds): the standard ones, and those of other plans."""

    offering: OfferingFacts
    standard: PlanPrices
    others: Mapping[str, PlanPrices]
    since: float
    until: float
    cost_usd: Costing = field(init=False, repr=False, compare=False)
    """What a call costs in whichever tier it was answered."""

    def __post_init__(self) -> None:
        costing = self._cost_by_tier if self.others else self.standard.costing
        object.__setattr__(self, "cost_usd", costing)

    @property
    def has_prices(self) -> bool:
        """In USD, for standard calls."""
        return bool(self.standard.prices)

    def plan_for(self, usage: Usage) -> PlanPrices:
        """That of the service tier in which the answer was made, if it has one."""
        tier = usage.service_tier
        if not tier:
            return self.standard
        return self.others.get(tier) or self.others.get(_SAME.get(tier, "")) or self.standard

    def _cost_by_tier(self, usage: Usage) -> Decimal:
        return self.plan_for(usage).cost_usd(usage)


class RateCards:
    """The last rate card of every offering that was called. One of another snapshot is another offering."""

    def __init__(self) -> None:
        self._last: dict[int, RateCard] = {}

    def find(self, offering: OfferingFacts, at: float) -> RateCard:
        """`at` in Unix seconds."""
        rate_card = self._last.get(offering.id)
        if (
            rate_card is None
            or rate_card.offering is not offering
            or not rate_card.since <= at < rate_card.until
        ):
            rate_card = self._last[offering.id] = rate_card_of(offering, at)
        return rate_card


def rate_card_of(offering: OfferingFacts, at: float) -> RateCard:
    """`at` in Unix seconds."""
    moment = datetime.fromtimestamp(at, UTC)
    standard = _plan_prices(call_prices(offering.prices, moment))
    plans = {price.plan for price in offering.prices} - {STANDARD}
    others = {plan: call_prices(offering.prices, moment, plan) for plan in plans}
    changes = [instant.timestamp() for instant in offering.instants()]
    return RateCard(
        offering,
        standard,
        {plan: _plan_prices(prices, standard) for plan, prices in others.items() if prices},
        since=max((change for change in changes if change <= at), default=float("-inf")),
        until=min((change for change in changes if change > at), default=float("inf")),
    )


def _plan_prices(prices: Sequence[PriceFacts], beneath: PlanPrices | None = None) -> PlanPrices:
    fields = [_fields(price) for price in prices]
    plan = PlanPrices(prices, [*beneath.fields, *fields] if beneath else fields, beneath)
    depends = any(price.conditions for price in prices) or (beneath is not None and beneath.fixed is None)
    return plan if depends else replace(plan, fixed=charges_at(plan.rates(Usage())))


def prices_of(fields: Iterable[Mapping[str, Any]]) -> list[PriceFacts]:
    """The prices that an attempt was opened with, from how the spool and the ledger keep them."""
    return [
        PriceFacts(
            meter=value["meter"],
            plan=value["plan"],
            unit_size=value["unit_size"],
            amount=Decimal(value["amount"]),
            currency=value["currency"],
            conditions=tuple(value.get("conditions", ())),
        )
        for value in fields
    ]


def _fields(price: PriceFacts) -> Mapping[str, Any]:
    """For the ledger."""
    value = {
        "meter": price.meter,
        "plan": price.plan,
        "unit_size": price.unit_size,
        "amount": f"{price.amount:f}",
        "currency": price.currency,
    }
    return value | {"conditions": list(price.conditions)} if price.conditions else value
