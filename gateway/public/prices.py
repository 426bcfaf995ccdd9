"""An offering's prices in words: past, present and to come. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalogue.facts import PriceFacts
from catalogue.pricing.conditions import in_words
from catalogue.pricing.cost import STANDARD, is_valid
from catalogue.pricing.meters import METERS
from gateway.public.amounts import Amount, day, price, price_unit

_METERS = list(METERS)
_STATES = ("now", "coming", "past")


@dataclass(frozen=True, slots=True)
class PriceRow:
    """`state` is now, coming or past; `valid` is empty where it has no limits."""

    meter: str
    plan: str
    amount: Amount
    unit: str
    condition: str
    valid: str
    state: str


def price_rows(prices: Iterable[PriceFacts], at: datetime) -> Sequence[PriceRow]:
    """The standard plan first, present before future before past, in the meters' own order."""
    ordered = sorted(prices, key=lambda facts: _place(facts, at))
    tiered = {(facts.meter, facts.plan) for facts in ordered if facts.conditions}
    return [_row(facts, at, is_tiered=(facts.meter, facts.plan) in tiered) for facts in ordered]


def _row(facts: PriceFacts, at: datetime, *, is_tiered: bool) -> PriceRow:
    return PriceRow(
        meter=METERS[facts.meter][0],
        plan=facts.plan,
        amount=price(facts),
        unit=price_unit(facts.meter),
        condition=in_words(facts.conditions) or ("otherwise" if is_tiered else "always"),
        valid=_valid(facts),
        state=_state(facts, at),
    )


def _place(facts: PriceFacts, at: datetime) -> tuple[bool, str, int, int, str]:
    state = _STATES.index(_state(facts, at))
    return (facts.plan != STANDARD, facts.plan, state, _METERS.index(facts.meter), in_words(facts.conditions))


def _state(facts: PriceFacts, at: datetime) -> str:
    if is_valid(facts, at):
        return "now"
    return "coming" if facts.valid_from is not None and facts.valid_from > at else "past"


def _valid(facts: PriceFacts) -> str:
    begins = f"from {day(facts.valid_from)}" if facts.valid_from else ""
    ends = f"until {day(facts.valid_to)}" if facts.valid_to else ""
    return f"{begins} {ends}".strip()
