"""Stop 9: what an attempt used and cost, by the billing rule. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from catalogue.pricing.rates import SMALLEST_USD
from gateway.proxy.exchange import CLIENT_GONE, KEY_ENDED
from gateway.proxy.patience import CLIENT_DEADLINE
from providers.wire.usage import Costing, Usage

FINISHED, FAILED, FAILED_OVER, CUT, CANCELLED = "finished", "failed", "failed_over", "cut", "cancelled"
GATEWAY_ERROR = "gateway_error"
"""A fault of our own ended the attempt."""
TIMED_OUT = frozenset({"provider_timeout", "provider_stalled", CLIENT_DEADLINE})
"""The provider had the whole request, and worked on it for as long as it was let."""
REFUSED = "content_filter"
"""A provider's content filter refused what it was sent, and another model is asked: what that cost is ours."""
PROCESS_LOST = "process_lost"
"""What made the call was killed: nobody knows how it ended."""
_AT_OUR_COST = TIMED_OUT | {GATEWAY_ERROR, REFUSED}
_BY_THE_TEAM = frozenset({CLIENT_GONE, KEY_ENDED})
_ALWAYS = dict.fromkeys(
    ("input_tokens", "output_tokens", "cached_read_tokens", "cached_write_tokens", "reasoning_tokens"), 0
)
_NOTHING = Decimal(0).quantize(SMALLEST_USD)


class Payer(Enum):
    """Who bears what an attempt cost. Nobody: a provider that failed before its first byte charges nothing, unless we
    gave it up while it was at work.
    """

    TEAM = "team"
    OPERATOR = "operator"
    NOBODY = "nobody"


@dataclass(slots=True)
class Bill:
    """Money in USD: what the team pays, and what the operator loses; or what it would have been."""

    usage: Usage | None
    cost_usd: Decimal = _NOTHING
    loss_usd: Decimal = _NOTHING
    own_cost_usd: Decimal = _NOTHING
    """What it would have cost by the operator's credential, where the team's own was used."""

    def on_own(self) -> "Bill":
        """The same, as the provider has the team itself pay it."""
        return Bill(self.usage, own_cost_usd=self.cost_usd + self.loss_usd)


def find_payer(outcome: str, code: str) -> Payer:
    """By how it ended and the code of what ended it. Every ending stands in a table of docs/architecture.md.

    A team pays for whole answers, and for what it was sent where it ended the call itself. What a provider broke
    off and what we broke off is the operator's, also for a reason that nobody has thought of yet.
    """
    if outcome == FINISHED or (outcome == CANCELLED and code in _BY_THE_TEAM):
        return Payer.TEAM
    if outcome in {FAILED, FAILED_OVER} and code not in _AT_OUR_COST:
        return Payer.NOBODY
    return Payer.OPERATOR


def settle(payer: Payer, reported: Usage | None, estimate: Usage | None, cost_usd: Costing) -> Bill:
    """The bill of one attempt.

    What the provider reported counts; where it reported nothing, the estimate of what was streamed (None where
    nothing was).
    """
    usage = reported or estimate
    if usage is None or payer is Payer.NOBODY:
        return Bill(usage)
    amount = cost_usd(usage)
    return Bill(usage, amount) if payer is Payer.TEAM else Bill(usage, loss_usd=amount)


def usage_fields(usage: Usage | None) -> Mapping[str, int] | None:
    """The counts as the ledger keeps them: the commonest always, the others where there are any."""
    return None if usage is None else _ALWAYS | usage.counts
