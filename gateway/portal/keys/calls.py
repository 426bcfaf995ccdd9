"""A key's last calls, as the portal lists them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from accounts.calls.rows import tone_of
from accounts.measures import duration, write_cost, write_exactly
from accounts.models import Key, LedgerEntry

SHOWN = 10
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
    keys = {each.pk: "" if each.pk == key.pk else each.public_id for each in _lineage_of(key)}
    parts = [_newest_of(pk) for pk in keys]
    # Each is written by the ORM.
    selects = [f"SELECT attempt_id FROM ({text}) AS of_{at}" for at, (text, _) in enumerate(parts)]  # noqa: S608
    union = " UNION ALL ".join(selects)
    ids = RawSQL(union, [value for _, values in parts for value in values])  # noqa: S611
    entries = LedgerEntry.objects.filter(pk__in=ids).order_by("-started_at")[:SHOWN]
    return [CallRow(entry, keys[entry.key_id]) for entry in entries]


def _lineage_of(key: Key) -> Iterable[Key]:
    if key.first_id is None and getattr(key, "successor", None) is None:
        return [key]
    of_lineage = Key.objects.filter(Q(pk=key.lineage_id) | Q(first=key.lineage_id))
    return of_lineage.order_by(F("last_used_at").desc(nulls_last=True), "-pk")[:_KEYS_MOST]


def _newest_of(key_id: int) -> tuple[str, Sequence[Any]]:
    """The index of a key's rows by time is of one key: of several at once, all of their rows would be sorted."""
    rows = LedgerEntry.objects.attempts().filter(key_id=key_id)
    newest = rows.exclude(outcome=LedgerEntry.Outcome.FAILED_OVER).order_by("-started_at")
    return newest.values("attempt_id")[:SHOWN].query.sql_with_params()
