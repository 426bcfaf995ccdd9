"""Stop 9: what an attempt used and cost, by the billing rule. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal

from catalogue.pricing import SMALLEST_USD
from providers.wire.usage import Costing, Usage

FINISHED, FAILED, FAILED_OVER, CUT, CANCELLED = "finished", "failed", "failed_over", "cut", "cancelled"
_ALWAYS = frozenset(
    {"input_tokens", "output_tokens", "cached_read_tokens", "cached_write_tokens", "reasoning_tokens"}
)
_COUNTS = tuple(field.name for field in fields(Usage) if field.type is int)
_NOTHING = Decimal(0).quantize(SMALLEST_USD)


@dataclass(slots=True)
class Bill:
    """Money in USD: what the team pays, and what the operator loses."""

    usage: Usage | None
    cost_usd: Decimal = _NOTHING
    loss_usd: Decimal = _NOTHING


def settle(outcome: str, reported: Usage | None, estimate: Usage | None, cost_usd: Costing) -> Bill:
    """The bill of one attempt.

    What the provider reported counts; where it reported nothing, the estimate of what was streamed (None where
    nothing was). Only finished answers and what a client that left had been sent are charged; what a provider broke
    off is the operator's loss.
    """
    usage = reported or estimate
    if usage is None or outcome in {FAILED, FAILED_OVER}:
        return Bill(usage)
    amount = cost_usd(usage)
    return Bill(usage, loss_usd=amount) if outcome == CUT else Bill(usage, cost_usd=amount)


def usage_fields(usage: Usage | None) -> Mapping[str, int] | None:
    """The counts as the ledger keeps them: the commonest always, the others where there are any."""
    if usage is None:
        return None
    counts = {name: getattr(usage, name) for name in _COUNTS}
    return {name: count for name, count in counts.items() if count or name in _ALWAYS}
