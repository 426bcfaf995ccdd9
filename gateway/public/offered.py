"""Which offerings a page speaks of: those that serve, else those that would. Pure, like the rules in SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from catalogue.facts import ModelFacts, OfferingFacts, PriceFacts
from catalogue.pricing.meters import INPUT_TEXT, OUTPUT_TEXT
from catalogue.published.record import serving_offerings, top_offering
from catalogue.published.snapshot import Snapshot


def shown_offerings(model: ModelFacts, snapshot: Snapshot, at: datetime) -> Sequence[OfferingFacts]:
    """Those whose endpoints and providers lists know. As PublishedModelQuerySet.where_shown."""
    return serving_offerings(model, snapshot, at) or model.offerings


def expected_top(
    model: ModelFacts, snapshot: Snapshot, at: datetime
) -> tuple[OfferingFacts | None, Mapping[str, PriceFacts]]:
    """The offering whose limits and prices stand for the model, with its standard prices by meter.

    As PublishedModelQuerySet.with_top with `or_closed`.
    """
    serving = serving_offerings(model, snapshot, at)
    return top_offering(serving or [each for each in model.offerings if each.is_effective(at)], at)


def is_free(prices: Mapping[str, PriceFacts]) -> bool | None:
    """As GatewayModelFilter.by_cost. None: neither direction has a price."""
    amounts = [prices[meter].amount for meter in (INPUT_TEXT, OUTPUT_TEXT) if meter in prices]
    if any(amounts):
        return False
    return True if INPUT_TEXT in prices else None
