"""Stop 9: what an attempt used and cost, by the billing rule. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from catalogue.pricing import SMALLEST_USD, cost_usd
from catalogue.snapshot import PriceFacts
from providers.wire.usage import Usage

FINISHED, FAILED, FAILED_OVER, CUT, CANCELLED = "finished", "failed", "failed_over", "cut", "cancelled"
_CHARS_PER_TOKEN = 4
_NOTHING = Decimal(0).quantize(SMALLEST_USD)


@dataclass(slots=True)
class Bill:
    """Money in USD: what the team pays, and what the operator loses."""

    usage: Usage | None
    cost_usd: Decimal = _NOTHING
    loss_usd: Decimal = _NOTHING


def settle(
    outcome: str, reported: Usage | None, estimate: Usage | None, prices: Sequence[PriceFacts]
) -> Bill:
    """The bill of one attempt.

    What the provider reported counts; where it reported nothing, the estimate of what was streamed (None where
    nothing was). Only finished answers and what a client that left had been sent are charged; what a provider broke
    off is the operator's loss.
    """
    usage = reported or estimate
    if usage is None or outcome in {FAILED, FAILED_OVER}:
        return Bill(usage)
    amount = cost_usd(usage, prices)
    return Bill(usage, loss_usd=amount) if outcome == CUT else Bill(usage, cost_usd=amount)


def estimate_usage(input_chars: int, output_chars: int) -> Usage:
    return Usage(
        input_tokens=-(-input_chars // _CHARS_PER_TOKEN),
        output_tokens=-(-output_chars // _CHARS_PER_TOKEN),
        is_estimated=True,
    )


def usage_fields(usage: Usage | None) -> Mapping[str, int] | None:
    """The counts as the ledger keeps them."""
    if usage is None:
        return None
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_read_tokens": usage.cached_read_tokens,
        "cached_write_tokens": usage.cached_write_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
    }


def price_fields(prices: Sequence[PriceFacts]) -> list[Mapping[str, Any]]:
    """Prices by value, for the ledger."""
    return [
        {
            "meter": p.meter,
            "plan": p.plan,
            "unit_size": p.unit_size,
            "amount": f"{p.amount:f}",
            "currency": p.currency,
        }
        for p in prices
    ]
