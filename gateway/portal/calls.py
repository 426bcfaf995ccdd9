"""A key's last calls, as the portal lists them."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.admin.ledger import tone_of
from accounts.measures import duration, write_cost, write_exactly
from accounts.models import Key, LedgerEntry

SHOWN = 50


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call, as the last attempt at a provider ended it."""

    entry: LedgerEntry

    @property
    def outcome(self) -> str:
        return LedgerEntry.Outcome(self.entry.outcome).label

    @property
    def tone(self) -> str:
        return tone_of(self.entry)

    @property
    def asked_for(self) -> str:
        """The name that the client used, where it is another than the model's."""
        return "" if self.entry.requested_model == self.entry.model else self.entry.requested_model

    @property
    def cost(self) -> str:
        return write_cost(self.entry.charged_usd)

    @property
    def exact_cost(self) -> str:
        return f"{write_exactly(self.entry.charged_usd)} USD"

    @property
    def latency(self) -> str:
        return "" if self.entry.latency_ms is None else duration(self.entry.latency_ms)


def last_calls(key: Key) -> Sequence[CallRow]:
    """An attempt after which another offering was tried has a row of its own; the call is told by its last one."""
    rows = LedgerEntry.objects.attempts().filter(key=key).exclude(outcome=LedgerEntry.Outcome.FAILED_OVER)
    return [CallRow(row) for row in rows.order_by("-started_at")[:SHOWN]]
