"""Which prices apply and what a call costs. Pure; the one place where money is rounded."""

from collections.abc import Container, Iterable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext

from catalogue.snapshot import PriceFacts
from providers.wire.usage import Usage

STANDARD = "standard"
# Digits of a unit price.
_LONGEST_PRICE = 40
SMALLEST_USD = Decimal("0.0000000001")


def current_prices(prices: Iterable[PriceFacts], at: datetime, plan: str = STANDARD) -> list[PriceFacts]:
    """The unconditional USD prices of that plan which are valid at `at`; the latest for each meter."""
    chosen: dict[str, PriceFacts] = {}
    for price in prices:
        if not is_standard(price, plan) or not is_valid(price, at):
            continue
        rival = chosen.get(price.meter)
        if rival is None or _began(price) >= _began(rival):
            chosen[price.meter] = price
    return list(chosen.values())


def is_standard(price: PriceFacts, plan: str = STANDARD) -> bool:
    """Of that plan, in USD and without conditions: one that lists may show."""
    return price.plan == plan and price.currency == "USD" and not price.conditions


def usd_per_unit(price: PriceFacts) -> Decimal:
    """For one single unit; exact unless the division does not end, such as one by three."""
    with localcontext(prec=_LONGEST_PRICE):
        return price.amount / price.unit_size


def cost_usd(usage: Usage, prices: Iterable[PriceFacts]) -> Decimal:
    """What `usage` costs at `prices`, rounded once, to ten places. A meter without a price costs nothing.

    Cached and reasoning tokens are parts of the totals: where they have a price of their own they are taken
    out of the general meter, else they are paid as what they are part of.
    """
    rates = {price.meter: price.amount / price.unit_size for price in prices}
    total = Decimal(0)
    for meter, count in _metered(usage, rates):
        total += rates[meter] * count
    return total.quantize(SMALLEST_USD, rounding=ROUND_HALF_UP)


def _metered(usage: Usage, priced: Container[str]) -> list[tuple[str, int]]:
    counts = {
        "input_text_tokens": usage.input_tokens,
        "output_text_tokens": usage.output_tokens,
        "requests": 1,
    }
    parts = (
        ("cached_read_text_tokens", usage.cached_read_tokens, "input_text_tokens"),
        ("cached_write_text_tokens", usage.cached_write_tokens, "input_text_tokens"),
        ("reasoning_tokens", usage.reasoning_tokens, "output_text_tokens"),
    )
    for meter, count, whole in parts:
        if meter in priced:
            counts[meter] = count
            counts[whole] = max(0, counts[whole] - count)
    return [(meter, count) for meter, count in counts.items() if meter in priced]


def is_valid(price: PriceFacts, at: datetime) -> bool:
    return (price.valid_from is None or price.valid_from <= at) and (
        price.valid_to is None or at < price.valid_to
    )


def _began(price: PriceFacts) -> float:
    return price.valid_from.timestamp() if price.valid_from else float("-inf")
