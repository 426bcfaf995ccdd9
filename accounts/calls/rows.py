"""A call as a row of the log: its attempts folded into one, with what was put right since."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from accounts.calls.places import place_of
from accounts.ledger_names import Names, read_names
from accounts.measures import duration, write_briefly, write_cost, write_exactly
from accounts.models import LedgerEntry, Team
from gateway.core.admin_base import Tone
from gateway.core.locales import write_number
from gateway.core.reader import current

_TONES: dict[LedgerEntry.Outcome, Tone] = {
    LedgerEntry.Outcome.FINISHED: "good",
    LedgerEntry.Outcome.CANCELLED: "neutral",
    LedgerEntry.Outcome.FAILED_OVER: "warning",
    LedgerEntry.Outcome.UNKNOWN: "warning",
}
_WORDS: dict[LedgerEntry.Outcome, str] = {
    LedgerEntry.Outcome.FINISHED: "finished",
    LedgerEntry.Outcome.FAILED: "failed",
    LedgerEntry.Outcome.FAILED_OVER: "failed",
    LedgerEntry.Outcome.CUT: "cut off",
    LedgerEntry.Outcome.CANCELLED: "ended early",
    LedgerEntry.Outcome.UNKNOWN: "unknown",
}
_MILLISECOND = timedelta(milliseconds=1)


def tone_of(entry: LedgerEntry) -> Tone:
    """In which an entry's outcome is shown."""
    return _TONES.get(LedgerEntry.Outcome(entry.outcome), "bad")


def word_of(entry: LedgerEntry) -> str:
    """An entry's outcome in a word or two."""
    return _WORDS[LedgerEntry.Outcome(entry.outcome)]


@dataclass(frozen=True, slots=True)
class CallRow:
    """`entry` is the attempt that ended it, `before` are the others, and `corrections` of all of them."""

    entry: LedgerEntry
    names: Names
    before: Sequence[LedgerEntry] = ()
    corrections: Sequence[LedgerEntry] = ()

    @property
    def place(self) -> str:
        return str(place_of(self.entry))

    @property
    def id(self) -> str:
        """By which its page is found: of before request ids were kept, the call's."""
        return self.entry.request_id or self.entry.call_id.hex

    @property
    def tone(self) -> Tone:
        return tone_of(self.entry)

    @property
    def word(self) -> str:
        return word_of(self.entry)

    @property
    def explained(self) -> str:
        """The outcome in full, with what stands behind it."""
        label = LedgerEntry.Outcome(self.entry.outcome).label
        return f"{label}: {self.entry.error_code}" if self.entry.error_code else label

    @property
    def asked_for(self) -> str:
        """The name that the client used, where it is another than the model's."""
        return "" if self.entry.requested_model == self.entry.model else self.entry.requested_model

    @property
    def failed_over(self) -> Sequence[str]:
        """Of each attempt before the last: where, and what came of it."""
        return [
            f"{each.provider}: {each.status or ''} {each.error_code}".replace(":  ", ": ").strip(" :")
            for each in self.before
        ]

    @property
    def team(self) -> str:
        return self.names.team(self.entry.team_id)

    @property
    def key(self) -> str:
        return self.names.key(self.entry.key_id)

    @property
    def key_id(self) -> str:
        """Empty where the key is gone."""
        return self.names.public_id(self.entry.key_id)

    @property
    def charged(self) -> Decimal:
        """Of all attempts, with what was put right."""
        return sum((row.charged_usd for row in self._all), Decimal(0))

    @property
    def cost(self) -> str:
        return write_briefly(self.charged)

    @property
    def exact_cost(self) -> str:
        return f"{write_exactly(self.charged)} USD{', estimated' if self.entry.is_estimated else ''}"

    @property
    def own_cost(self) -> str:
        """What it would have cost here, where the team's own provider key was used; else empty."""
        return write_cost(self.entry.own_cost_usd) if self.entry.own_credential_id is not None else ""

    @property
    def tokens_in(self) -> str:
        return _count(self.entry.input_tokens)

    @property
    def tokens_out(self) -> str:
        return _count(self.entry.output_tokens)

    @property
    def first_token(self) -> str:
        """Since the first attempt began."""
        after = self.entry.first_token_ms
        return "" if after is None else duration(after + self._waited_ms)

    @property
    def latency(self) -> str:
        """Of all attempts, with the pauses between them."""
        last = self.entry.latency_ms
        return "" if last is None else duration(last + self._waited_ms)

    @property
    def _waited_ms(self) -> float:
        return (self.entry.started_at - self.began_at) / _MILLISECOND

    @property
    def began_at(self) -> datetime:
        return min((row.started_at for row in (self.entry, *self.before)), default=self.entry.started_at)

    @property
    def _all(self) -> Iterable[LedgerEntry]:
        return (self.entry, *self.before, *self.corrections)


def _count(number: int | None) -> str:
    return "" if number is None else write_number(number, current().locale)


def rows_of(entries: Sequence[LedgerEntry], team: Team | None = None) -> Sequence[CallRow]:
    """Of entries that ended calls; of that team where it is known. Two or three queries, however many there are."""
    around = _around(entries)
    names = read_names(((entry.team_id, entry.key_id) for entry in entries), team)
    return [
        CallRow(
            entry,
            names,
            [row for row in around[entry.call_id] if row.corrects_id is None],
            [row for row in around[entry.call_id] if row.corrects_id is not None],
        )
        for entry in entries
    ]


def _around(entries: Sequence[LedgerEntry]) -> dict[UUID, list[LedgerEntry]]:
    """By call what else there is of it: what corrects an attempt has its call's id, too."""
    ids = {entry.pk for entry in entries}
    found: dict[UUID, list[LedgerEntry]] = defaultdict(list)
    if ids:
        rows = LedgerEntry.objects.filter(call_id__in=[entry.call_id for entry in entries]).exclude(
            pk__in=ids
        )
        for row in rows.order_by("started_at", "number"):
            found[row.call_id].append(row)
    return found
