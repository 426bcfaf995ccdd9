"""Budgets in the portal: those that a key's calls meet, those of a team and of each of its own, with what is spent."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from accounts.acting import Acting
from accounts.models import Budget, Key
from accounts.models.subject import KINDS
from accounts.money import plain, usd_of
from accounts.standings import BudgetStanding, stand_budgets
from accounts.subject_rows import Owner, may_set, subject_columns
from gateway.portal.limits import subjects_of_key
from gateway.portal.subjects import name_owner


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """A budget as people read it; money with its sign."""

    whose: str
    amount: str
    zone: str
    """Empty: UTC, or no matter."""
    spent: str
    held: str
    """By calls that run now; empty: unknown."""
    free: str
    resets_at: datetime | None
    """None: never."""
    notes: Sequence[str]
    """What else is to be said of it; most have nothing."""
    id: int | None
    """Of one that whoever looks may change."""
    row: int


def budgets_of_key(key: Key, *, may_change: bool) -> Sequence[BudgetLine]:
    """All that its calls meet, its own first."""
    found = Budget.objects.for_subjects(subjects_of_key(key)).with_subjects()
    rows = sorted(found, key=lambda row: KINDS.index(row.subject_kind))
    return _lines(rows, lambda row: may_change and row.key_id is not None)


def budgets_of_team(acting: Acting) -> Sequence[BudgetLine]:
    """Of the team, its people, programs and projects; those of keys are on their own pages."""
    rows = Budget.objects.for_team(acting.team).filter(key__isnull=True).with_subjects()
    return _lines(rows, lambda row: may_set(acting, row.subject_row))


def budgets_of(subject: Owner, *, may_change: bool) -> Sequence[BudgetLine]:
    """Its own alone."""
    return _lines(Budget.objects.filter(**subject_columns(subject)).with_subjects(), lambda _: may_change)


def budget_line(budget: Budget) -> BudgetLine:
    return _lines([budget], lambda _: True)[0]


def _lines(budgets: Iterable[Budget], may_change: Callable[[Budget], bool]) -> Sequence[BudgetLine]:
    at = timezone.now().timestamp()
    rows = list(budgets)
    standings = stand_budgets(rows, at)
    return [_line(each, standings[each.pk], at, may_change=may_change(each)) for each in rows]


def _line(budget: Budget, standing: BudgetStanding, at: float, *, may_change: bool) -> BudgetLine:
    return BudgetLine(
        "This key" if budget.key_id else name_owner(budget.subject_row),
        str(budget),
        "" if budget.zone == "UTC" or standing.resets_at is None else budget.zone,
        money(standing.spent),
        "" if standing.held is None else money(standing.held),
        money(standing.free),
        standing.resets_at,
        list(_notes(budget, at)),
        budget.pk if may_change else None,
        budget.pk,
    )


def _notes(budget: Budget, at: float) -> Iterable[str]:
    if not budget.is_active:
        yield "off"
    elif not budget.refuses:
        yield "only tells"
    if budget.counts_own:
        yield "own credentials count"
    if budget.raise_usd and budget.raise_until and at < budget.raise_until.timestamp():
        yield f"${plain(budget.raise_usd)} more until {budget.raise_until:%Y-%m-%d %H:%M} UTC"
    if budget.most_usd is not None:
        yield f"staff allow ${plain(budget.most_usd)}"


def money(units: int) -> str:
    """To the cent, and where that says nothing, exact."""
    amount = usd_of(units)
    return f"${amount:,.2f}" if amount >= 1 or not units else f"${plain(amount)}"
