"""Numbers as people read them, each with what it is exactly. Pure."""

from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal

from accounts.measures import digits
from catalogue.facts import PriceFacts
from catalogue.pricing.cost import usd_per_unit
from catalogue.pricing.meters import unit_of
from catalogue.published.record import unit_price

MILLION = 1_000_000
# Of these so many are sold at once that the price of one says nothing.
_COUNTED_BY_MILLIONS = frozenset({"token", "character", "byte", "pixel"})
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}


@dataclass(frozen=True, slots=True)
class Amount:
    """`text` to read, `exact` for whoever points at it."""

    text: str
    exact: str


def tokens(count: int | None) -> Amount | None:
    """Such as 128K; a K is a thousand. None: unknown."""
    if count is None:
        return None
    return Amount(shorten(count), f"{count:,} tokens")


def price(facts: PriceFacts) -> Amount:
    """For a million tokens, characters, bytes or pixels; for one of anything else."""
    unit = unit_of(facts.meter)
    many = MILLION if unit in _COUNTED_BY_MILLIONS else 1
    exact = f"{unit_price(facts)} {facts.currency} for one {unit}"
    return Amount(money(usd_per_unit(facts) * many, facts.currency), exact)


def token_range(least: int, most: int) -> Amount:
    """Such as 33K to 164K."""
    if least == most:
        return Amount(shorten(least), f"{least:,} tokens")
    return Amount(f"{shorten(least)} to {shorten(most)}", f"{least:,} to {most:,} tokens, by provider")


def price_unit(meter: str) -> str:
    """What `price` is for, such as “million tokens”."""
    unit = unit_of(meter)
    return f"million {unit}s" if unit in _COUNTED_BY_MILLIONS else unit


def money(amount: Decimal, currency: str = "USD") -> str:
    """With at least two decimals and, below one, at least four digits; what is little is never nothing."""
    if amount == 0:
        return f"{_SIGNS[currency]}0" if currency in _SIGNS else f"0 {currency}"
    text = digits(amount)
    return f"{_SIGNS[currency]}{text}" if currency in _SIGNS else f"{text} {currency}"


def day(moment: datetime) -> str:
    """Such as 1 Dec 2026, with the time where it is not the day's beginning (UTC)."""
    text = f"{moment.day} {moment:%b %Y}"
    return text if moment.timetz().replace(tzinfo=None) == time.min else f"{text}, {moment:%H:%M} UTC"


def share(rate: float) -> str:
    """Of 0 to 1, such as 99.2 %; only the whole is 100 %."""
    percent = min(round(rate * 100, 1), 99.9) if rate < 1 else 100.0
    return f"{percent:g} %"


def shorten(count: int) -> str:
    if count >= 999_500:
        return f"{count / MILLION:.2f}".rstrip("0").rstrip(".") + "M"
    if count >= 10_000:
        return f"{count / 1000:.0f}K"
    return f"{count / 1000:.1f}".removesuffix(".0") + "K" if count >= 1000 else str(count)
