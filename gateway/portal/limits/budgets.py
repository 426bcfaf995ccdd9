"""Budgets in the portal: those that a key's calls meet, those of a team and of each of its own, with what is spent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.acting import Acting
from accounts.models import Budget, Key
from accounts.models.subject import KINDS
from accounts.money import usd_of
from accounts.rights import Right
from accounts.standings import BudgetStanding, stand_budgets
from accounts.subject_rows import Owner, may_set, subject_columns
from gateway.core.locales import write_usd, write_usd_briefly, write_usd_exactly
from gateway.core.reader import current
from gateway.portal.limits.lines import subjects_of_key
from gateway.portal.subjects import name_owner, page_of

_CENT = Decimal("0.01")


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
    row: int | None
    """Of one of which whoever looks has to ask for more."""
    left_percent: int = 0
    page: str = ""
    """Of whom it is for; empty: of nobody of the team."""
    pk: int | None = None
    """None: of nobody of the team, whose API does not tell of it."""


def budget_text(budget: Budget) -> str:
    """Such as $900 a month, as whoever reads the page writes money."""
    return f"{_usd(budget.amount_usd)} {budget.get_window_display()}"


def _usd(amount: Decimal) -> str:
    return write_usd_briefly(Decimal(amount), current().locale)


def budgets_of_key(key: Key, acting: Acting) -> Sequence[BudgetLine]:
    """All that its calls meet, its own first."""
    found = Budget.objects.for_subjects(subjects_of_key(key)).with_subjects()
    return budget_lines(sorted(found, key=lambda row: KINDS.index(row.subject_kind)), acting, key)


def budgets_of(subject: Owner, acting: Acting) -> Sequence[BudgetLine]:
    """Its own alone."""
    return budget_lines(Budget.objects.filter(**subject_columns(subject)).with_subjects(), acting)


def budget_lines(budgets: Iterable[Budget], acting: Acting, key: Key | None = None) -> Sequence[BudgetLine]:
    """As whoever acts may have them; `key` is the one on whose page they are."""
    at = timezone.now().timestamp()
    rows = list(budgets)
    standings = stand_budgets(rows, at)
    return [_line(each, standings[each.pk], at, acting, key) for each in rows]


def _line(budget: Budget, standing: BudgetStanding, at: float, acting: Acting, key: Key | None) -> BudgetLine:
    subject: Any = None if budget.is_operators else budget.subject_row
    if key is not None and budget.key_id:
        subject = key
    may_change = subject is not None and may_set(acting, subject)
    is_here = may_change and (key is None or budget.key_id is not None)
    may_raise = may_change and (budget.most_usd is None or budget.amount_usd < budget.most_usd)
    asks = acting.may(Right.ASK) and subject is not None and not may_raise
    return BudgetLine(
        "This key" if key is not None and budget.key_id else _whose(budget, subject),
        budget_text(budget),
        "" if budget.zone == "UTC" or standing.resets_at is None else budget.zone,
        money(standing.spent),
        "" if standing.held is None else money(standing.held),
        money(standing.free),
        standing.resets_at,
        list(_notes(budget, at)),
        budget.pk if is_here else None,
        budget.pk if asks else None,
        min(100, standing.free * 100 // standing.amount),
        "" if subject is None else page_of(subject),
        None if subject is None else budget.pk,
    )


def _whose(budget: Budget, subject: Any) -> str:
    if budget.is_deployment:
        return "All of this gateway"
    return f"Provider {budget.provider}" if subject is None else name_owner(subject)


def _notes(budget: Budget, at: float) -> Iterable[str]:
    if not budget.is_active:
        yield "off"
    elif not budget.refuses:
        yield "only tells"
    if budget.counts_own:
        yield "own credentials count"
    if budget.raise_usd and budget.raise_until and at < budget.raise_until.timestamp():
        yield f"{_usd(budget.raise_usd)} more until {current().write_instant(budget.raise_until)}"
    if budget.most_usd is not None:
        yield f"staff allow {_usd(budget.most_usd)}"


def money(units: int) -> str:
    """To the cent, and below one exact."""
    amount, locale = usd_of(units), current().locale
    return write_usd_exactly(amount, locale) if 0 < amount < _CENT else write_usd(amount, locale)
