"""What an offering's calls cost for now, worked out once and not for every call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from catalogue.pricing import call_prices, cost_at
from catalogue.rates import Rates, rates_for
from catalogue.snapshot import OfferingFacts, PriceFacts
from providers.wire.usage import Usage


@dataclass(frozen=True, slots=True)
class Tariff:
    """The prices that apply from `since` until `until` (Unix seconds); `fields` are the same by value."""

    offering: OfferingFacts
    prices: Sequence[PriceFacts]
    fields: list[Mapping[str, Any]]
    rates: Rates | None
    """None where they depend on the prompt's length."""
    since: float
    until: float

    def holds(self, offering: OfferingFacts, at: float) -> bool:
        return self.offering is offering and self.since <= at < self.until

    def cost_usd(self, usage: Usage) -> Decimal:
        """As catalogue.pricing.cost_usd."""
        return cost_at(self.rates or rates_for(usage, self.prices), usage)


class Tariffs:
    """The last tariff of every offering that was called. One of another snapshot is another offering."""

    def __init__(self) -> None:
        self._last: dict[int, Tariff] = {}

    def find(self, offering: OfferingFacts, at: float) -> Tariff:
        """`at` in Unix seconds."""
        tariff = self._last.get(offering.id)
        if tariff is None or not tariff.holds(offering, at):
            tariff = self._last[offering.id] = tariff_of(offering, at)
        return tariff


def tariff_of(offering: OfferingFacts, at: float) -> Tariff:
    """`at` in Unix seconds."""
    prices = call_prices(offering.prices, datetime.fromtimestamp(at, UTC))
    changes = [instant.timestamp() for instant in offering.instants()]
    depends = any(price.conditions for price in prices)
    return Tariff(
        offering,
        prices,
        [_fields(price) for price in prices],
        None if depends else rates_for(Usage(), prices),
        since=max((change for change in changes if change <= at), default=float("-inf")),
        until=min((change for change in changes if change > at), default=float("inf")),
    )


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
