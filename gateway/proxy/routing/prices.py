"""What a client pays at most: `provider.max_price` of a request. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from catalogue.facts import OfferingFacts
from catalogue.pricing.meters import COUNTED
from catalogue.pricing.rate_card import rate_card_of
from catalogue.pricing.rates import Rates
from gateway.proxy.surfaces.fields import refuse
from providers.operations.base import Requirements
from providers.operations.registry import operation_of
from providers.wire.usage import Usage, counted

_MILLION = 1_000_000
_MOST = Decimal(1_000_000_000)
_TOKENS = {counted.name: counted.meters for counted in COUNTED}
UNITS: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "prompt": (_MILLION, (*_TOKENS["input_tokens"],)),
    "completion": (_MILLION, (*_TOKENS["output_tokens"],)),
    "request": (1, ("requests",)),
    "image": (1, ("input_images", "output_images")),
}
"""By member: for how many units it is the price, in USD, and of which meters."""
_TIERS = ("service_tier", "serviceTier", "speed")


def price(value: Any, param: str) -> None:
    """A check as those of gateway.proxy.surfaces.fields."""
    if (amount := _amount(value)) is None or not 0 <= amount <= _MOST:
        raise refuse(param, f"an amount of USD from 0 to {_MOST}", value)


@dataclass(frozen=True, slots=True)
class MaxPrice:
    """USD, by the members of UNITS. `tier` is the service tier that the request asks for."""

    most: Mapping[str, Decimal]
    tier: str = ""

    def permits(self, offering: OfferingFacts, required: Requirements, at: datetime) -> bool:
        """Whether no price of it is higher; one that nobody knows is."""
        prices = prices_of(offering, required, at, self.tier)
        return all(
            (amount := prices.get(name)) is not None and amount <= most for name, most in self.most.items()
        )


def read_max_price(value: Mapping[str, Any], body: Mapping[str, Any]) -> MaxPrice:
    """`value` is one that was checked, of that request's body."""
    most = {name: amount for name, each in value.items() if (amount := _amount(each)) is not None}
    tier = next((body[name] for name in _TIERS if isinstance(body.get(name), str)), "")
    return MaxPrice(most, tier)


def prices_of(
    offering: OfferingFacts, required: Requirements, at: datetime, tier: str = ""
) -> Mapping[str, Decimal]:
    """What it would cost now by the members of UNITS, in USD, for a prompt of that length; without those unknown.

    What has a price, but none by the call or the image, costs nothing by these. Text that is not made costs nothing.
    """
    usage = Usage(counted(input_tokens=required.input_tokens), service_tier=tier)
    rates = rate_card_of(offering, at.timestamp()).plan_for(usage).rates(usage)
    if not rates:
        return {}
    found = {name: amount for name in UNITS if (amount := _highest(name, rates)) is not None}
    is_silent = operation_of(required.endpoint).name == "embed"
    return dict.fromkeys(("request", "image", *(("completion",) if is_silent else ())), Decimal(0)) | found


def _highest(name: str, rates: Rates) -> Decimal | None:
    """Tokens are charged by the first meter of theirs that has a price; images by each."""
    units, meters = UNITS[name]
    priced = [rates[meter] * units for meter in meters if meter in rates]
    return (max(priced) if name == "image" else priced[0]) if priced else None


def _amount(value: Any) -> Decimal | None:
    """A number, or a text of one, as OpenRouter takes both. None: it is neither."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
