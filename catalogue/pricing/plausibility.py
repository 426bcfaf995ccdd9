"""Whether a price is so far from others like it that it is probably for another number of units. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from catalogue.facts import PriceFacts
from catalogue.pricing.cost import plain, usd_per_unit

FAR = 100
"""A thousand or a million times off is a slip of units, also where vendors differ by a few times."""
_EXAMPLES = 2


@dataclass(frozen=True, slots=True)
class Reference:
    """A price to compare with: `place` tells whose, such as “Acme” or “here before”."""

    place: str
    price: PriceFacts


def doubt_of(price: PriceFacts, references: Iterable[Reference]) -> str:
    """What is odd about a price beside others of its meter, plan and currency; empty: nothing, or nothing to compare.

    Free ones say nothing. One under conditions is held against those under the same, and those without.
    """
    alike = [each for each in references if _is_alike(each.price, price) and each.price.amount]
    if not alike or not price.amount:
        return ""
    amounts = [usd_per_unit(each.price) for each in alike]
    own, lowest, highest = usd_per_unit(price), min(amounts), max(amounts)
    if own * FAR > lowest and own < highest * FAR:
        return ""
    times, word = (own / highest, "more") if own > highest else (lowest / own, "less")
    shown = dict.fromkeys(
        f"{plain(each.price.amount)} for {each.price.unit_size:,} ({each.place})" for each in alike
    )
    return (
        f"{plain(price.amount)} for {price.unit_size:,} is {_rounded(times)} times {word} than"
        f" {', '.join([*shown][:_EXAMPLES])}. Is it for another number of units?"
    )


def _is_alike(other: PriceFacts, price: PriceFacts) -> bool:
    is_same = (other.meter, other.plan, other.currency) == (price.meter, price.plan, price.currency)
    return is_same and (not other.conditions or other.conditions == price.conditions)


def _rounded(times: Decimal) -> str:
    return f"{int(times.quantize(Decimal(1))):,}"
