"""What the overview measures: how each is made of sums, and how whoever reads it writes numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.money import usd_of
from accounts.usage.measures import ERRORS, TOKENS
from gateway.core.locales import (
    Locale,
    write_number,
    write_percent,
    write_tokens,
    write_usd,
    write_usd_exactly,
)
from gateway.core.reader import current
from gateway.public.amounts import Amount

Sums = Mapping[str, int]
READ = (
    "charge",
    "calls",
    TOKENS,
    ERRORS,
    "latency_us",
    "latency_told",
    "first_token_us",
    "first_token_told",
    "cached_read_tokens",
    "input_tokens",
)
"""What all of them are made of."""
_SECOND_MS = 1_000
NOTHING: Sums = dict.fromkeys(READ, 0)
Value = int | float | Decimal | None


@dataclass(frozen=True, slots=True)
class Measure:
    """`of` is what is added up; over `told`, where it is an average: then None where nothing was measured."""

    name: str
    label: str
    kind: str
    of: str
    told: str = ""

    @property
    def is_average(self) -> bool:
        """Those of several groups cannot be put on each other."""
        return bool(self.told)

    @property
    def size(self) -> str:
        """By what groups are ranked: an average of little is not more than one of much."""
        return "calls" if self.is_average else self.of

    def value(self, sums: Sums) -> Value:
        """As `GET /v1/usage` tells it, where it tells it."""
        if self.told:
            return _divide(self.kind, sums[self.of], sums[self.told])
        return usd_of(sums[self.of]) if self.kind == "usd" else sums[self.of]

    def write(self, value: Value) -> Amount:
        if value is None:
            return Amount("\N{EN DASH}", "nothing measured")
        return _WRITTEN[self.kind](value, current().locale)


def write_share(value: float) -> str:
    """Of 0 to 1, in percent."""
    return write_percent(Decimal(str(value)) * 100, current().locale)


def _divide(kind: str, part: int, told: int) -> float | None:
    if not told:
        return None
    return round(part / told / 1000, 3) if kind == "ms" else round(part / told, 6)


def _write_ms(value: float, locale: Locale) -> Amount:
    exact = f"{write_number(Decimal(str(value)), locale)} ms on average"
    if value < 1:
        return Amount(f"< {write_number(1, locale)} ms", exact)
    if value < _SECOND_MS:
        return Amount(f"{write_number(round(value), locale)} ms", exact)
    seconds = Decimal(f"{value / _SECOND_MS:.{2 if value < 10 * _SECOND_MS else 0}f}")
    return Amount(f"{write_number(seconds, locale)} s", exact)


_WRITTEN: Mapping[str, Callable[[Any, Locale], Amount]] = {
    "usd": lambda value, locale: Amount(write_usd(value, locale), write_usd_exactly(value, locale)),
    "count": lambda value, locale: Amount(write_number(value, locale), write_number(value, locale)),
    "tokens": lambda value, locale: Amount(
        write_tokens(value, locale), f"{write_number(value, locale)} tokens"
    ),
    "ms": _write_ms,
    "share": lambda value, locale: Amount(
        write_share(value), f"{write_number(Decimal(str(value)), locale)} of input tokens"
    ),
}
_ALL = (
    Measure("spend", "Spend", "usd", "charge"),
    Measure("calls", "Calls", "count", "calls"),
    Measure("tokens", "Tokens", "tokens", TOKENS),
    Measure("errors", "Errors", "count", ERRORS),
    Measure("latency", "Latency", "ms", "latency_us", "latency_told"),
    Measure("first_token", "First token", "ms", "first_token_us", "first_token_told"),
    Measure("cached", "Cached share", "share", "cached_read_tokens", "input_tokens"),
)
MEASURES: Mapping[str, Measure] = {measure.name: measure for measure in _ALL}
USUAL = "spend"


def less(sums: Sums, others: Sums) -> Sums:
    """What of all is not theirs."""
    return {name: sums[name] - others[name] for name in READ}


def together(*each: Sums) -> Sums:
    return {name: sum(sums[name] for sums in each) for name in READ}
