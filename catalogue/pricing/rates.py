"""Which rate each meter has for a call, and what is charged at those rates, where money is rounded. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from catalogue.facts import PriceFacts
from catalogue.pricing import meters
from catalogue.pricing.conditions import closeness, holds, is_tier
from catalogue.pricing.meters import COUNTED, Counted
from providers.wire.usage import Usage

Rates = Mapping[str, Decimal]
"""USD for one unit, by meter."""

SMALLEST_USD = Decimal("0.0000000001")
_FREE = Decimal(0)
_LIFETIMES: Mapping[tuple[str, Any], str] = {
    ("cache_ttl", "5m"): meters.CACHED_WRITE_TEXT_5M,
    ("cache_ttl", "1h"): meters.CACHED_WRITE_TEXT_1H,
    ("cache_duration_seconds", 300): meters.CACHED_WRITE_TEXT_5M,
    ("cache_duration_seconds", 3600): meters.CACHED_WRITE_TEXT_1H,
}
"""How long a cache entry lives is a condition at some providers and a meter at others."""


def is_judgeable(price: PriceFacts) -> bool:
    """Whether usage tells if it applies: it has no conditions but on the prompt's tokens and the cache's lifetime."""
    return all(is_tier(condition) or _lifetime_meter(price, condition) for condition in price.conditions)


def slot(price: PriceFacts) -> tuple[Any, ...]:
    """Of judgeable prices with the same slot only one can apply."""
    tiers = ((condition["op"], float(condition["value"])) for condition in _tiers(price))
    return meter_of(price), *sorted(tiers)


def meter_of(price: PriceFacts) -> str:
    """What it is for, with the cache's lifetime that its conditions name."""
    named = (_lifetime_meter(price, condition) for condition in price.conditions)
    return next(filter(None, named), price.meter)


def rates_for(usage: Usage, prices: Iterable[PriceFacts]) -> Rates:
    """The rate of each meter for a prompt of that length: of several that apply, the one for the closest range."""
    chosen: dict[str, PriceFacts] = {}
    for price in prices:
        if not is_judgeable(price) or not all(
            holds(tier, usage.counts["input_tokens"]) for tier in _tiers(price)
        ):
            continue
        rival = chosen.get(meter_of(price))
        if rival is None or closeness(_tiers(price)) >= closeness(_tiers(rival)):
            chosen[meter_of(price)] = price
    return {meter: price.amount / price.unit_size for meter, price in chosen.items()}


@dataclass(frozen=True, slots=True)
class Charges:
    """What is charged of a call's usage: `a_call`, and for each count its rate, after that of its priced parts."""

    a_call: Decimal
    counts: Sequence[tuple[str, Decimal, Sequence[tuple[str, Decimal, Sequence[str]]]]]

    def rate_of(self, name: str) -> Decimal:
        """USD for one of that count, of which no part has a price of its own."""
        return next((rate for counted, rate, _ in self.counts if counted == name), _FREE)

    def cost_usd(self, usage: Usage) -> Decimal:
        """Rounded once, to ten places."""
        return self.amount_usd(usage).quantize(SMALLEST_USD, rounding=ROUND_HALF_UP)

    def amount_usd(self, usage: Usage) -> Decimal:
        """Not rounded. Each token counts once, and parts are taken out of their total as far as it reaches."""
        counts, amount = usage.counts, self.a_call
        for name, rate, parts in self.counts:
            left = counts[name]
            for part, part_rate, less in parts:
                if part in counts:
                    apart = sum(map(counts.__getitem__, less))
                    taken = min(max(0, counts[part] - apart), left)
                    amount += part_rate * taken
                    left -= taken
            amount += rate * left
        return amount


def charges_at(rates: Rates) -> Charges:
    """By the meters that have a rate. What has none is paid as what it is a part of, or not at all."""
    counts = []
    for counted in COUNTED:
        parts = [
            (part.name, rates[meter], part.less)
            for part in counted.parts
            if (meter := _priced(part, rates)) is not None
        ]
        meter = _priced(counted, rates)
        if parts or meter:
            counts.append((counted.name, rates[meter] if meter else _FREE, parts))
    return Charges(rates.get("requests", _FREE), counts)


def metered(rates: Rates, usage: Usage) -> list[tuple[str, int]]:
    """By which meters usage is charged, and how much of it by each: what Charges.amount_usd adds up."""
    counts = usage.counts
    found = [("requests", 1)] if "requests" in rates else []
    for counted in COUNTED:
        left = counts[counted.name]
        for part in counted.parts:
            if part.name in counts and (meter := _priced(part, rates)) is not None:
                apart = sum(map(counts.__getitem__, part.less))
                taken = min(max(0, counts[part.name] - apart), left)
                found.append((meter, taken))
                left -= taken
        if (meter := _priced(counted, rates)) is not None:
            found.append((meter, left))
    return [(meter, count) for meter, count in found if count]


def _priced(counted: Counted, rates: Rates) -> str | None:
    """The meter that charges it."""
    return next((meter for meter in counted.meters if meter in rates), None)


def _tiers(price: PriceFacts) -> list[Mapping[str, Any]]:
    return [condition for condition in price.conditions if is_tier(condition)]


def _lifetime_meter(price: PriceFacts, condition: Mapping[str, Any]) -> str | None:
    value = condition.get("value")
    if price.meter != meters.CACHED_WRITE_TEXT or condition.get("op") != "eq":
        return None
    return _LIFETIMES.get((str(condition.get("path")), value)) if isinstance(value, str | int) else None
