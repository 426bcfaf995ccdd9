"""A key's last calls, as the portal lists them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import F, Q

from accounts.admin.ledger import tone_of
from accounts.measures import duration, write_cost, write_exactly
from accounts.models import Key, LedgerEntry

SHOWN = 50
_KEYS_MOST = 10
"""Of a lineage, those that were used last: what they were not used for is older."""


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call, as the last attempt at a provider ended it."""

    entry: LedgerEntry
    with_key: str = ""
    """The public id of the key that it was made with, where that is another one of the lineage."""

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
    def own_cost(self) -> str:
        """What it would have cost here, where the team's own provider key was used; else empty."""
        return write_cost(self.entry.own_cost_usd) if self.entry.own_credential_id is not None else ""

    @property
    def latency(self) -> str:
        return "" if self.entry.latency_ms is None else duration(self.entry.latency_ms)


def last_calls(key: Key) -> Sequence[CallRow]:
    """Of its lineage: with the key itself and with all that it replaced or was replaced by.

    An attempt after which another offering was tried has a row of its own; the call is told by its last one.
    """
    of_lineage = Key.objects.filter(Q(pk=key.lineage_id) | Q(first=key.lineage_id))
    latest = of_lineage.order_by(F("last_used_at").desc(nulls_last=True), "-pk")[:_KEYS_MOST]
    rows = [CallRow(row, "" if each.pk == key.pk else each.public_id) for each in latest for row in _of(each)]
    return sorted(rows, key=lambda row: row.entry.started_at, reverse=True)[:SHOWN]


def _of(key: Key) -> Iterable[LedgerEntry]:
    """The index of a key's rows by time is of one key: of several at once, all of their rows would be sorted."""
    rows = LedgerEntry.objects.attempts().filter(key=key).exclude(outcome=LedgerEntry.Outcome.FAILED_OVER)
    return rows.order_by("-started_at")[:SHOWN]
