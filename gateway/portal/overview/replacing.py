"""What the same usage would cost at another model. Pure."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from accounts.usage.measures import COUNTS
from catalogue.facts import ModelFacts, OfferingFacts
from catalogue.pricing.cost import current_prices, usd_per_unit
from catalogue.pricing.rates import charges_at
from catalogue.published.snapshot import Snapshot
from providers.wire.usage import Usage, counted


def cost_elsewhere(
    sums: Mapping[str, int], model: ModelFacts, snapshot: Snapshot, at: datetime
) -> Decimal | None:
    """In USD by the lowest price list of those that would serve it; None: none of them says what a token costs.

    `sums` are those of many calls, so that prices for long prompts alone are left out.
    """
    asked = (_cost_at(sums, offering, at) for offering in model.offerings if snapshot.serves(offering, at))
    return min((cost for cost in asked if cost is not None), default=None)


def _cost_at(sums: Mapping[str, int], offering: OfferingFacts, at: datetime) -> Decimal | None:
    rates = {price.meter: usd_per_unit(price) for price in current_prices(offering.prices, at)}
    if not rates:
        return None
    charges = charges_at(rates)
    usage = Usage(counted(**{name: sums[name] for name in COUNTS}))
    return charges.amount_usd(usage) + charges.a_call * (sums["calls"] - 1)
