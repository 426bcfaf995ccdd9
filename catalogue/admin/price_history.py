"""The prices of each offering of a model: current, coming and past, for its page. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from catalogue.models import Offering, Price
from catalogue.pricing.conditions import in_words
from catalogue.pricing.cost import is_standard, is_valid, plain
from catalogue.pricing.meters import METERS, unit_of
from catalogue.publishing.compile import price_facts
from gateway.core.admin_base import Tone

_TONES: dict[str, Tone] = {"current": "good", "coming": "info", "past": "neutral"}
_STATES = tuple(_TONES)
_METERS = list(METERS)


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One row of prices. `amount` is exact, for `per`; limits are None where it has none."""

    state: str
    tone: Tone
    meter: str
    plan: str
    conditions: str
    amount: str
    per: str
    begins: datetime | None
    ends: datetime | None
    source: str


@dataclass(frozen=True, slots=True)
class PriceTable:
    """All rows of one offering, and how many there are of each state."""

    offering: Offering
    lines: Sequence[PriceLine]

    @property
    def counts(self) -> str:
        states = [line.state for line in self.lines]
        return (
            ", ".join(f"{states.count(state)} {state}" for state in _STATES if state in states) or "no price"
        )


def price_tables(offerings: Iterable[Offering], at: datetime) -> list[PriceTable]:
    """Reads prefetched prices."""
    return [PriceTable(offering, _lines(offering.prices.all(), at)) for offering in offerings]


def _lines(prices: Iterable[Price], at: datetime) -> list[PriceLine]:
    ordered = sorted(prices, key=lambda price: _place(price, at))
    return [_line(price, at) for price in ordered]


def _line(price: Price, at: datetime) -> PriceLine:
    state = _state(price, at)
    return PriceLine(
        state=state,
        tone=_TONES[state],
        meter=price.get_meter_display(),
        plan=price.plan,
        conditions=in_words(price.conditions),
        amount=f"{plain(price.amount)} {price.currency}",
        per=_unit(price),
        begins=price.valid_from,
        ends=price.valid_to,
        source=price.source,
    )


def _unit(price: Price) -> str:
    unit = unit_of(price.meter)
    if price.unit_size == 1:
        return unit
    size = "million" if price.unit_size == 1_000_000 else f"{Decimal(price.unit_size):,}"
    return f"{size} {unit}s"


def _state(price: Price, at: datetime) -> str:
    if is_valid(price_facts(price), at):
        return "current"
    return "coming" if price.valid_from is not None and price.valid_from > at else "past"


def _place(price: Price, at: datetime) -> tuple[int, bool, str, int, float]:
    began = -price.valid_from.timestamp() if price.valid_from else 0.0
    is_other = not is_standard(price_facts(price))
    return _STATES.index(_state(price, at)), is_other, price.plan, _METERS.index(price.meter), began
