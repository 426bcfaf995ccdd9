"""Putting entries of the ledger right: by further entries, which are in the sums as soon as they are in the ledger."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import F, Sum
from django.utils import timezone

from accounts import audit
from accounts.attempts import OPERATOR
from accounts.measures import write_exactly
from accounts.models import LedgerEntry
from accounts.money import charge_of, units_of, usd_of
from accounts.recording import Amounts, count_entries
from gateway.core.refusals import InvalidField

Kind = LedgerEntry.Kind
CORRECT = "accounts.correct_ledgerentry"
BOOKED = "ledger_entry.corrected"
"""The permission to put entries right."""
MOST_USD = Decimal(10) ** 9
_HALF_DAY = timedelta(hours=12)
_SMALLEST = Decimal("1e-10")
_COPIED = (
    "call_id",
    "request_id",
    "number",
    "lane",
    "endpoint",
    "team_id",
    "key_id",
    "project",
    "requested_model",
    "redirected_from",
    "model",
    "provider",
    "upstream_name",
    "is_streamed",
    "started_at",
    "outcome",
    "status",
    "end_user",
    "lineage_id",
    "member_id",
    "service_account_id",
    "project_id",
    "charge_factor",
    "surface",
)


def correction_of(
    entry: LedgerEntry, kind: Kind, amounts: Amounts, *, note: str, at: datetime
) -> LedgerEntry:
    """What is to be booked, not saved. The amounts are differences.

    It stands where its entry does, and is told from it by `kind`, `corrects_id` and `ended_at`: when it was booked.
    """
    return LedgerEntry(
        attempt_id=uuid4(),
        kind=kind,
        corrects_id=entry.pk,
        ended_at=at,
        cost_usd=usd_of(amounts.cost),
        charge_usd=usd_of(amounts.charge),
        loss_usd=usd_of(amounts.loss),
        note=note,
        **{name: getattr(entry, name) for name in _COPIED},
    )


def book(corrections: Sequence[LedgerEntry]) -> None:
    """All of them, in the ledger and in the sums. To be called where the entries that they correct are locked."""
    with transaction.atomic():
        count_entries(corrections)
        LedgerEntry.objects.bulk_create(corrections)


def lock(ids: Iterable[UUID]) -> list[LedgerEntry]:
    """Those attempts, of which nobody else books anything until the transaction ends."""
    rows = LedgerEntry.objects.attempts().filter(pk__in=list(ids)).order_by("pk")
    return list(rows.select_for_update() if connection.features.has_select_for_update else rows)


def corrections_of(entries: Iterable[LedgerEntry]) -> dict[UUID, list[LedgerEntry]]:
    """By what they correct, in the order in which they were booked."""
    ids = [entry.pk for entry in entries]
    # Said twice for the index of those that correct something.
    rows = LedgerEntry.objects.filter(corrects_id__in=ids, corrects_id__isnull=False)
    found: dict[UUID, list[LedgerEntry]] = {}
    for row in rows.order_by(F("ended_at").asc(nulls_first=True), "pk"):
        if row.corrects_id is not None:
            found.setdefault(row.corrects_id, []).append(row)
    return found


@transaction.atomic
def correct(*, entry: LedgerEntry, amount_usd: Decimal, note: str, is_operators: bool = False) -> LedgerEntry:
    """The entry cost so much more (or less, below 0): its team, or the operator where `is_operators`.

    The team is charged by the entry's factor. Raises InvalidField.
    """
    units, entry = _checked(entry, amount_usd, note), _locked(entry)
    if is_operators:
        amounts = Amounts(0, 0, units)
    else:
        cost, factor = net_of(entry).cost, write_exactly(entry.charge_factor)
        amounts = Amounts(units, charge_of(cost + units, factor) - charge_of(cost, factor), 0)
    return _book_one(entry, Kind.CORRECTION, amounts, note)


@transaction.atomic
def refund(*, entry: LedgerEntry, amount_usd: Decimal, note: str) -> LedgerEntry:
    """The team is given back so much of what it was charged, which the operator bears. Raises InvalidField."""
    if amount_usd <= 0:
        raise InvalidField("amount_usd", "amount_usd is what is given back: more than 0.")
    charge, entry = _checked(entry, amount_usd, note), _locked(entry)
    factor = entry.charge_factor
    cost = int((charge / factor).to_integral_value(ROUND_HALF_UP)) if factor else 0
    # The last digit of a division may be one too many.
    cost = min(cost, net_of(entry).cost)
    return _book_one(entry, Kind.REFUND, Amounts(-cost, -charge, cost), note)


@transaction.atomic
def adjust(*, provider: str, upstream_name: str, day: date, amount_usd: Decimal, note: str) -> LedgerEntry:
    """The provider bills so much more for a day of UTC than its attempts were booked with, or less below 0.

    The operator bears it. It corrects no attempt, but the sum of that provider, model and day, which stays at 0 or
    more. Raises InvalidField.
    """
    units = _checked_terms(amount_usd, note)
    noon = datetime.combine(day, time(12), UTC)
    there = LedgerEntry.objects.filter(
        provider=provider,
        upstream_name=upstream_name,
        started_at__gte=noon - _HALF_DAY,
        started_at__lt=noon + _HALF_DAY,
    )
    if amount_usd < 0:
        sums = there.aggregate(cost=Sum("cost_usd"), loss=Sum("loss_usd"))
        booked: Decimal = (sums["cost"] or Decimal(0)) + (sums["loss"] or Decimal(0))
        if booked + amount_usd < 0:
            message = f"Only {write_exactly(booked)} USD are booked there: no more can be taken off."
            raise InvalidField("amount_usd", message)
    model = there.order_by("started_at").values_list("model", flat=True).first() or upstream_name
    made = LedgerEntry(
        attempt_id=uuid4(),
        call_id=uuid4(),
        number=1,
        lane=LedgerEntry.Lane.DIRECT,
        team_id=OPERATOR,
        key_id=OPERATOR,
        requested_model=model,
        model=model,
        provider=provider,
        upstream_name=upstream_name,
        is_streamed=False,
        started_at=noon,
        ended_at=timezone.now(),
        outcome=LedgerEntry.Outcome.FINISHED,
        kind=Kind.CORRECTION,
        cost_usd=usd_of(0),
        charge_usd=usd_of(0),
        loss_usd=usd_of(units),
        note=note.strip(),
    )
    book([made])
    told = {"kind": made.kind, "loss_usd": write_exactly(made.loss_usd), "note": made.note}
    audit.record_run(made, told, event=BOOKED)
    return made


def net_of(entry: LedgerEntry) -> Amounts:
    """What it comes to with all that corrects it."""
    rows = [entry, *corrections_of([entry]).get(entry.pk, [])]
    return Amounts(
        sum(units_of(row.cost_usd) for row in rows),
        sum(units_of(row.charged_usd) for row in rows),
        sum(units_of(row.loss_usd) for row in rows),
    )


def _checked(entry: LedgerEntry, amount_usd: Decimal, note: str) -> int:
    if entry.kind != Kind.ATTEMPT:
        raise InvalidField("entry", "This entry corrects another one: put that one right.")
    return _checked_terms(amount_usd, note)


def _checked_terms(amount_usd: Decimal, note: str) -> int:
    if not amount_usd or abs(amount_usd) > MOST_USD or amount_usd % _SMALLEST:
        message = f"amount_usd is {amount_usd}; use ten decimals at most, not 0, up to {MOST_USD:,}."
        raise InvalidField("amount_usd", message)
    if not note.strip():
        raise InvalidField("note", "Say why: whoever reads the ledger later will ask.")
    return units_of(amount_usd)


def _locked(entry: LedgerEntry) -> LedgerEntry:
    found = lock([entry.pk])
    if not found:
        raise InvalidField("entry", "This entry is not in the ledger any more.")
    return found[0]


def _check_whole(entry: LedgerEntry, amounts: Amounts) -> None:
    """Nobody is owed anything by an attempt, whatever it is corrected by."""
    for name, now, more in zip(
        ("cost", "charged", "borne by the operator"), net_of(entry), amounts, strict=True
    ):
        if now + more < min(now, 0):
            message = (
                f"Only {write_exactly(usd_of(now))} USD are {name} of this entry: no more can be taken off."
            )
            raise InvalidField("amount_usd", message)


def _book_one(entry: LedgerEntry, kind: Kind, amounts: Amounts, note: str) -> LedgerEntry:
    _check_whole(entry, amounts)
    made = correction_of(entry, kind, amounts, note=note.strip(), at=timezone.now())
    book([made])
    audit.record_run(
        entry,
        {
            "kind": kind.value,
            "charge_usd": write_exactly(made.charged_usd),
            "cost_usd": write_exactly(made.cost_usd),
            "loss_usd": write_exactly(made.loss_usd),
            "note": made.note,
            "booked_as": str(made.pk),
        },
        event=BOOKED,
    )
    return made
