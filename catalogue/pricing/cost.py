"""Which prices apply and what a call costs. Pure."""

from collections.abc import Hashable, Iterable
from datetime import datetime
from decimal import Decimal, localcontext

from catalogue.facts import PriceFacts
from catalogue.pricing.rates import charges_at, is_judgeable, rates_for, slot
from providers.wire.usage import Usage

STANDARD = "standard"
# Digits of a unit price.
_LONGEST_PRICE = 40


def current_prices(prices: Iterable[PriceFacts], at: datetime, plan: str = STANDARD) -> list[PriceFacts]:
    """The unconditional USD prices of that plan which are valid at `at`; the latest for each meter: for lists."""
    standard = (price for price in prices if is_standard(price, plan) and is_valid(price, at))
    return _latest((price.meter, price) for price in standard)


def call_prices(prices: Iterable[PriceFacts], at: datetime, plan: str = STANDARD) -> list[PriceFacts]:
    """Those that a call at `at` may cost, in USD: also those for long prompts. The latest for each case."""
    charged = (
        price
        for price in prices
        if price.plan == plan and price.currency == "USD" and is_valid(price, at) and is_judgeable(price)
    )
    return _latest((slot(price), price) for price in charged)


def prices_in_force(prices: Iterable[PriceFacts], at: datetime, plan: str = STANDARD) -> list[PriceFacts]:
    """All that the plan asks at `at`, whatever the currency and the conditions; the latest for each case."""
    asked = (price for price in prices if price.plan == plan and is_valid(price, at))
    return _latest(((price.meter, price.currency, repr(price.conditions)), price) for price in asked)


def is_standard(price: PriceFacts, plan: str = STANDARD) -> bool:
    """Of that plan, in USD and without conditions: one that lists may show."""
    return price.plan == plan and price.currency == "USD" and not price.conditions


def usd_per_unit(price: PriceFacts) -> Decimal:
    """For one single unit; exact unless the division does not end, such as one by three."""
    with localcontext(prec=_LONGEST_PRICE):
        return price.amount / price.unit_size


def plain(amount: Decimal) -> str:
    """Exact, without exponent and without trailing zeros."""
    return format(amount.normalize(), "f")


def cost_usd(usage: Usage, prices: Iterable[PriceFacts]) -> Decimal:
    """What `usage` costs at `prices`, rounded once, to ten places. A meter without a price costs nothing.

    Kinds of tokens are parts of the totals: where they have a price of their own they are taken out of the general
    meter, else they are paid as what they are part of. A price for long prompts counts for all of a long prompt.
    """
    return charges_at(rates_for(usage, prices)).cost_usd(usage)


def is_valid(price: PriceFacts, at: datetime) -> bool:
    return (price.valid_from is None or price.valid_from <= at) and (
        price.valid_to is None or at < price.valid_to
    )


def _latest(prices: Iterable[tuple[Hashable, PriceFacts]]) -> list[PriceFacts]:
    """By what only one can apply to."""
    chosen: dict[Hashable, PriceFacts] = {}
    for key, price in prices:
        rival = chosen.get(key)
        if rival is None or _began(price) >= _began(rival):
            chosen[key] = price
    return list(chosen.values())


def _began(price: PriceFacts) -> float:
    return price.valid_from.timestamp() if price.valid_from else float("-inf")
