"""What a call is estimated to cost at an offering, in few steps: for orders, where Decimals would cost more than the
choice saves. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from catalogue.facts import OfferingFacts, PriceFacts
from catalogue.pricing.cost import call_prices, cost_usd
from catalogue.pricing.rates import charges_at, rates_for
from providers.wire.usage import Usage, counted


@dataclass(frozen=True, slots=True)
class Tariff:
    """USD for one token read, read from a cache and written, and for the call itself, at standard prices.

    `by_length` are the prices themselves, where those depend on how long the prompt is. `is_free`: no meter charges.
    """

    input: float
    cached: float
    output: float
    a_call: float
    is_free: bool
    by_length: Sequence[PriceFacts] = ()

    def cost_usd(self, input_tokens: int, output_tokens: int, *, is_cached: bool = False) -> float:
        """`is_cached`: all that is read comes from the provider's cache."""
        if self.by_length:
            counts = counted(
                input_tokens=input_tokens,
                output_tokens=output_tokens,
                cached_read_tokens=input_tokens * is_cached,
            )
            return float(cost_usd(Usage(counts), self.by_length))
        reading = self.cached if is_cached else self.input
        return self.a_call + reading * input_tokens + self.output * output_tokens


def tariff_of(offering: OfferingFacts, at: datetime) -> Tariff | None:
    """None where it is not known what it costs."""
    prices = call_prices(offering.prices, at)
    if not prices:
        return None
    charges = charges_at(rates_for(Usage(), prices))
    read = float(charges.rate_of("input_tokens"))
    parts = next((parts for name, _, parts in charges.counts if name == "input_tokens"), ())
    cached = next((float(rate) for name, rate, _ in parts if name == "cached_read_tokens"), read)
    return Tariff(
        read,
        cached,
        float(charges.rate_of("output_tokens")),
        float(charges.a_call),
        is_free=not any(price.amount for price in prices),
        by_length=prices if any(price.conditions for price in prices) else (),
    )
