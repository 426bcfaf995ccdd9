"""Pricing attempts anew by what the catalogue says now, where a price was wrong: differences, and entries of them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.booking import Kind, book, correction_of, corrections_of, lock
from accounts.measures import write_exactly
from accounts.models import LedgerEntry, Team
from accounts.money import charge_of, units_of, usd_of
from accounts.querysets import LedgerQuerySet
from accounts.recording import Amounts
from catalogue.facts import OfferingFacts
from catalogue.pricing.rate_card import RateCards
from catalogue.published.reading import read_now
from gateway.proxy.settle import Payer, find_payer
from providers.wire.usage import Usage, counted

_PAGE = 500
NO_OFFERING = "their offering is not in the catalogue any more"
BY_HAND = "a person has put them right already"
OWN = "their team pays the provider itself"
LATE = "they are not in the sums yet; they will be in a minute"
_NOTHING = Amounts(0, 0, 0)
_Place = tuple[str, str, str]
"""Model, provider and the name there: an offering, as the ledger has it."""


@dataclass(frozen=True, slots=True)
class Range:
    """Of which attempts: those that began at `since` or later and before `until`. Empty: whatever it is."""

    since: datetime
    until: datetime
    model: str = ""
    provider: str = ""
    upstream_name: str = ""

    def __str__(self) -> str:
        places = (self.model, self.provider, self.upstream_name)
        named = " at ".join(place for place in places if place) or "all models"
        return f"{named}, {self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M} UTC"


@dataclass(slots=True)
class Difference:
    """Of one team: how many of its attempts, and what they came to before and after, in 10^-10 USD."""

    attempts: int = 0
    before: Amounts = _NOTHING
    after: Amounts = _NOTHING

    def add(self, before: Amounts, after: Amounts) -> None:
        self.attempts += 1
        self.before = _plus(self.before, before)
        self.after = _plus(self.after, after)


@dataclass(slots=True)
class Repricing:
    """By team's id what differs, and how many attempts were left alone for which reason. `seen`: all in the range."""

    seen: int = 0
    teams: dict[int, Difference] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)


def reprice(asked: Range, *, applies: bool, note: str = "") -> Repricing:
    """Compare; where `applies`, book what differs. What was booked by then is no difference any more.

    An attempt keeps its usage, its payer and its team's charge factor; only prices are looked up again, for the
    instant at which it began.
    """
    found, pricing = Repricing(), _Pricing()
    for ids in _pages(asked):
        with transaction.atomic():
            # Looked at under the lock, so that who does the same at the same time books nothing twice.
            entries = lock(ids) if applies else list(LedgerEntry.objects.filter(pk__in=ids))
            booked = list(_compare(entries, pricing, found, note))
            if applies and booked:
                book(booked)
    if applies:
        _tell(asked, found, note)
    return found


class _Pricing:
    """What the catalogue says of offerings now."""

    def __init__(self) -> None:
        snapshot = read_now().snapshot
        self._cards = RateCards()
        self._offerings: Mapping[_Place, OfferingFacts] = {
            (model.id, provider.slug, offering.upstream_name): offering
            for model in snapshot.models.values()
            for offering in model.offerings
            if (provider := snapshot.providers.get(offering.provider_id))
        }

    def price(self, entry: LedgerEntry) -> tuple[Amounts, Sequence[Mapping[str, object]]] | None:
        """What it comes to, and by which prices. None: there is no such offering."""
        offering = self._offerings.get((entry.model, entry.provider, entry.upstream_name))
        if offering is None:
            return None
        # The tier in which it was answered is told by whose prices applied.
        tier = next((price["plan"] for price in entry.prices if price["plan"] != "standard"), "")
        usage = Usage(counted(**entry.usage), service_tier=tier)
        plan = self._cards.find(offering, entry.started_at.timestamp()).plan_for(usage)
        payer = find_payer(entry.outcome, entry.error_code)
        cost = 0 if payer is Payer.NOBODY or not entry.usage else units_of(plan.cost_usd(usage))
        if payer is not Payer.TEAM:
            return Amounts(0, 0, cost), plan.fields
        return Amounts(cost, charge_of(cost, write_exactly(entry.charge_factor)), 0), plan.fields


def count_attempts(asked: Range, most: int) -> int:
    """How many are in the range; of more, `most`."""
    return _rows(asked).order_by()[:most].count()


def _rows(asked: Range) -> LedgerQuerySet:
    rows: LedgerQuerySet = LedgerEntry.objects.attempts()
    named = {
        name: value for name in ("model", "provider", "upstream_name") if (value := getattr(asked, name))
    }
    return rows.filter(started_at__gte=asked.since, started_at__lt=asked.until, **named)


def _pages(asked: Range) -> Iterator[Sequence[UUID]]:
    """Ids of attempts in the range, in the order of time, a page at a time."""
    rows = _rows(asked).order_by("started_at", "attempt_id")
    page = list(rows.values_list("started_at", "attempt_id")[:_PAGE])
    while page:
        yield [id_ for _, id_ in page]
        at, last = page[-1]
        rest = rows.filter(started_at__gte=at).exclude(started_at=at, attempt_id__lte=last)
        page = list(rest.values_list("started_at", "attempt_id")[:_PAGE])


def _compare(
    entries: Sequence[LedgerEntry], pricing: _Pricing, found: Repricing, note: str
) -> Iterator[LedgerEntry]:
    """Those to be booked."""
    corrections, at = corrections_of(entries), timezone.now()
    for entry in entries:
        found.seen += 1
        before_it = corrections.get(entry.pk, [])
        priced = pricing.price(entry)
        if reason := _reason_to_leave(entry, before_it, is_offered=priced is not None):
            found.left[reason] += 1
        elif priced is not None:
            before, after = _sum(entry, before_it), priced[0]
            if before != after:
                found.teams.setdefault(entry.team_id, Difference()).add(before, after)
                made = correction_of(entry, Kind.REPRICE, _minus(after, before), note=note, at=at)
                made.prices = list(priced[1])
                yield made


def _reason_to_leave(entry: LedgerEntry, corrections: Sequence[LedgerEntry], *, is_offered: bool) -> str:
    if entry.lineage_id is None:
        return LATE
    if entry.own_credential_id:
        return OWN
    if any(row.kind != Kind.REPRICE for row in corrections):
        return BY_HAND
    return "" if is_offered else NO_OFFERING


def _sum(entry: LedgerEntry, corrections: Sequence[LedgerEntry]) -> Amounts:
    total = _NOTHING
    for row in (entry, *corrections):
        total = _plus(total, Amounts(*map(units_of, (row.cost_usd, row.charged_usd, row.loss_usd))))
    return total


def _plus(one: Amounts, other: Amounts) -> Amounts:
    return Amounts(one.cost + other.cost, one.charge + other.charge, one.loss + other.loss)


def _minus(one: Amounts, other: Amounts) -> Amounts:
    return Amounts(one.cost - other.cost, one.charge - other.charge, one.loss - other.loss)


def _tell(asked: Range, found: Repricing, note: str) -> None:
    """On the history of each team that it touched."""
    for team in Team.objects.filter(pk__in=found.teams):
        difference = found.teams[team.pk]
        charged = usd_of(difference.after.charge - difference.before.charge)
        audit.record_run(
            team,
            {
                "priced_anew": str(asked),
                "attempts": difference.attempts,
                "charge_usd": write_exactly(charged),
                "note": note,
            },
            event="team.repriced",
        )
