"""Changes of prices in the words of a curator: for a million, with the meter's name. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from catalogue.changes.differences import FieldChange, differences, is_price_list, label
from catalogue.facts import ModelFacts, PriceFacts
from catalogue.pricing.conditions import in_words
from catalogue.pricing.cost import STANDARD, plain
from catalogue.pricing.meters import METERS


def readable_differences(before: ModelFacts, after: ModelFacts) -> Iterator[FieldChange]:
    """As `differences` tells them, but each row of prices as people read it."""
    for change in differences(before, after):
        yield _with_readable_prices(change, before, after) if is_price_list(change) else change


def read_price(price: PriceFacts) -> str:
    """Such as “Input text tokens: 0.15 USD for 1,000,000, from 2026-12-01”."""
    size = f"{price.unit_size:,}" if price.unit_size != 1 else "one"
    parts = [f"{METERS[price.meter][0]}: {plain(price.amount)} {price.currency} for {size}"]
    if price.plan != STANDARD:
        parts.append(f"plan {price.plan}")
    if price.conditions:
        parts.append(in_words(price.conditions))
    if price.valid_from:
        parts.append(f"from {_minute(price.valid_from)}")
    if price.valid_to:
        parts.append(f"until {_minute(price.valid_to)}")
    return ", ".join(parts)


def _with_readable_prices(change: FieldChange, before: ModelFacts, after: ModelFacts) -> FieldChange:
    old, new = _prices(change, before), _prices(change, after)
    return replace(
        change,
        before=[read_price(price) for price in old if price not in new],
        after=[read_price(price) for price in new if price not in old],
    )


def _prices(change: FieldChange, model: ModelFacts) -> list[PriceFacts]:
    """Of the offering that the change names."""
    named = [each for each in model.offerings if change.field == f"offerings.{label(each)}.prices"]
    return list(named[0].prices) if named else []


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}" if moment.hour == moment.minute == 0 else f"{moment:%Y-%m-%d %H:%M}"
