"""A receipt of one request: every attempt, what it cost and why, how it was routed, and what was put right since."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import zip_longest
from typing import Any
from uuid import UUID

from accounts.booking import corrections_of
from accounts.models import LedgerEntry, RoutingNote, RoutingPlan, TranslationNote
from accounts.querysets import read_uuid

_ENTRIES_MOST = 100
REASONS: Mapping[str, str] = {
    "offering_disabled": "switched off",
    "not_effective_yet": "not offered yet",
    "no_longer_effective": "not offered any more",
    "provider_disabled": "its provider is switched off",
    "credential_missing": "no credential opens its provider",
    "endpoint_not_offered": "does not serve this endpoint",
    "format_lacks_endpoint": "does not serve this endpoint",
    "unpriced": "has no price, and the call was on a budget",
    "breaker_open": "failed too often lately",
    "context_too_small": "takes no prompt that long",
    "provider_not_permitted": "not open to this key",
    "not_pinned": "another provider was named",
    "not_free": "charges, and only what is free was asked for",
}
_REASONS_ABOUT: Mapping[str, str] = {
    "floor": "outside what the calls of this key keep to: {}",
    "excluded": "left out by the request's provider.{}",
    "lacks": "does not support {}",
    "cannot_read": "reads no {}",
    "reasons_below": "is not known to reason at level {} or above",
    "cannot_generate": "cannot do what {} asks for",
    "cannot_embed": "cannot do what {} asks for",
}


@dataclass(frozen=True, slots=True)
class Place:
    """An offering, and in words why it was not the first choice; empty of the first."""

    model: str
    provider: str
    upstream_name: str
    why: str = ""
    reason: str = ""
    """The same as a word, of one that could not be chosen."""
    rank: int = 0
    """Which of the names it stands for: 0 for the first."""
    credential_id: int = 0
    """The further credential by which it is reached; 0: its provider's main one."""
    success_rate: float | None = None
    """Lately, as routing knew it; 0 to 1."""
    latency_ms: int | None = None
    held_cache: bool = False
    """It was known to hold the beginning of the prompt."""


@dataclass(frozen=True, slots=True)
class Named:
    """What the request named: `means` is the model, empty for any, or why it could not be called."""

    name: str
    means: str


@dataclass(frozen=True, slots=True)
class Routing:
    """`order` is the best first; `more` are those of either that are not told."""

    order: Sequence[Place]
    dropped: Sequence[Place]
    more_in_order: int = 0
    more_dropped: int = 0
    draw: float | None = None
    """By which near-equals were told apart; None: not kept."""
    choices: Sequence[Named] = ()
    passed_over: Sequence[Named] = ()
    waited_ms: float = 0.0
    """Before the first attempt: for room, for what budgets held, or for what another call found out."""


@dataclass(frozen=True, slots=True)
class Attempt:
    entry: LedgerEntry
    corrections: Sequence[LedgerEntry] = ()
    translated: Sequence[str] = ()

    @property
    def usage_source(self) -> str:
        """`provider`: as it reported it; `estimated`: by us; `none`: nobody knows it."""
        if not self.entry.usage:
            return "none"
        return "estimated" if self.entry.is_estimated else "provider"

    @property
    def charged_usd(self) -> Decimal:
        """With all that corrects it."""
        return _sum(self._rows, "charged_usd")

    @property
    def cost_usd(self) -> Decimal:
        return _sum(self._rows, "cost_usd")

    @property
    def loss_usd(self) -> Decimal:
        return _sum(self._rows, "loss_usd")

    @property
    def _rows(self) -> Sequence[LedgerEntry]:
        return [self.entry, *self.corrections]


@dataclass(frozen=True, slots=True)
class Receipt:
    """`routing` is None where there was no choice, or nothing of it is kept."""

    attempts: Sequence[Attempt]
    routing: Routing | None = field(default=None)

    @property
    def first(self) -> LedgerEntry:
        return self.attempts[0].entry

    @property
    def last(self) -> LedgerEntry:
        """Whose outcome is the call's."""
        return self.attempts[-1].entry

    @property
    def waited_ms(self) -> float:
        """Before the first attempt; 0.0: it did not, or nothing of that is kept."""
        return self.routing.waited_ms if self.routing else 0.0

    @property
    def ended_at(self) -> datetime | None:
        return self.last.ended_at

    @property
    def charged_usd(self) -> Decimal:
        return _sum(self.attempts, "charged_usd")

    @property
    def cost_usd(self) -> Decimal:
        return _sum(self.attempts, "cost_usd")


def read_receipt(request_id: str, teams: Iterable[int] | None) -> Receipt | None:
    """Of a request of one of those teams (None: of anybody, the operator's too); None where there is none.

    A fixed number of queries, each by an index. Calls of before request ids were kept are found by their own id.
    """
    call_id = read_uuid(request_id)
    rows = LedgerEntry.objects.attempts()
    rows = rows.filter(request_id=request_id) if call_id is None else rows.filter(call_id=call_id)
    if teams is not None:
        rows = rows.filter(team__in=list(teams))
    entries = sorted(rows.order_by()[:_ENTRIES_MOST], key=lambda row: (row.started_at, row.number))
    if not entries:
        return None
    corrections, translations = corrections_of(entries), _translations(entries)
    attempts = [
        Attempt(entry, corrections.get(entry.pk, []), translations.get(entry.pk, [])) for entry in entries
    ]
    return Receipt(attempts, _routing(entries[0].call_id))


def _translations(entries: Iterable[LedgerEntry]) -> Mapping[UUID, Sequence[str]]:
    notes = TranslationNote.objects.filter(pk__in=[entry.pk for entry in entries])
    return {note.pk: json.loads(note.content) for note in notes}


def _routing(call_id: UUID) -> Routing | None:
    note = RoutingNote.objects.filter(pk=call_id).first()
    plan = note and RoutingPlan.objects.filter(pk=note.plan_id).first()
    if not (note and plan):
        return None
    return read_routing(json.loads(plan.content), json.loads(note.scores or "{}"))


def read_routing(content: Mapping[str, Any], scores: Mapping[str, Any] | None = None) -> Routing:
    """As gateway.plane.notes keeps it; what older notes lack is unknown."""
    order, scores = content["order"], scores or {}
    known = scores.get("order") or []
    by = content.get("credentials") or {"order": (), "dropped": {}}
    places = [
        Place(
            model,
            provider,
            name,
            _why_later(order[0][3:], facts) if place else "",
            rank=facts[3] if len(facts) > 3 else 0,
            credential_id=credential_id or 0,
            success_rate=score[0] if score else None,
            latency_ms=score[1] if score else None,
            held_cache=scores.get("kept_at") == place,
        )
        for place, ((model, provider, name, *facts), score, credential_id) in enumerate(
            zip_longest(order, known[: len(order)], by["order"])
        )
    ]
    dropped = [
        Place(model, provider, name, in_words(reason), reason, credential_id=credential_id or 0)
        for reason, found in content["dropped"].items()
        for (model, provider, name), credential_id in zip_longest(found, by["dropped"].get(reason, ()))
    ]
    more_in_order, more_dropped = content.get("more", (0, 0))
    choices, passed_over = (
        [Named(name, means or "") for name, means in content.get(kind, ())]
        for kind in ("choices", "passed_over")
    )
    return Routing(
        places,
        dropped,
        more_in_order,
        more_dropped,
        scores.get("draw"),
        choices,
        passed_over,
        scores.get("waited_ms", 0.0),
    )


def in_words(reason: str) -> str:
    """Why an offering could not be chosen."""
    kind, _, about = reason.partition(":")
    if reason in REASONS:
        return REASONS[reason]
    return _REASONS_ABOUT[kind].format(about) if kind in _REASONS_ABOUT else reason.replace("_", " ")


_LOSSES = ("nothing", "hint", "tuning", "relied_on", "promise")


def _why_later(first: Sequence[Any], other: Sequence[Any]) -> str:
    """By what the order follows; of the request's own wishes nothing is kept."""
    (first_turn, first_loss, first_position, *first_rank), (turn, loss, position, *rank) = first, other
    if first_rank < rank:
        return "stands for a later name"
    if first_turn != turn:
        return "its credential comes later"
    if _LOSSES.index(first_loss) < _LOSSES.index(loss):
        return "would lose more of the request"
    if first_position < position:
        return "comes later in the catalogue's order"
    return "comes later by the request's own order, or went worse lately"


def _sum(rows: Iterable[Any], name: str) -> Decimal:
    return sum((getattr(row, name) for row in rows), Decimal(0))
