"""Budgets in the portal: those that a key's calls meet, and those of a team, with what is spent and left."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from accounts.models import Budget, Key, Team
from accounts.models.subject import KINDS
from accounts.money import usd_of
from accounts.standings import BudgetStanding, stand_budgets
from gateway.portal.limits import name_owner


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """A budget as people read it; money with its sign."""

    whose: str
    amount: str
    spent: str
    left: str
    resets_at: datetime | None
    """None: never."""
    note: str
    """What else is to be said of it; most have nothing."""


def budgets_of_key(key: Key) -> Sequence[BudgetLine]:
    """All that its calls meet, its own first; those of other projects, that a call may name, are their team's."""
    subjects = {
        "key": key.lineage_id,
        "member": getattr(key, "member_id", None),
        "service_account": key.service_account_id,
        "project": key.project_id,
        "team": key.team_id,
    }
    found = Budget.objects.for_subjects(subjects).with_subjects()
    rows = sorted(found, key=lambda row: KINDS.index(row.subject_kind))
    return _lines(rows)


def budgets_of_team(team: Team) -> Sequence[BudgetLine]:
    """Of the team, its people, programs and projects; those of keys are on their own pages."""
    return _lines(Budget.objects.for_team(team).filter(key__isnull=True).with_subjects())


def _lines(budgets: Iterable[Budget]) -> Sequence[BudgetLine]:
    at = timezone.now().timestamp()
    rows = list(budgets)
    standings = stand_budgets(rows, at)
    return [_line(each, standings[each.pk], at) for each in rows]


def _line(budget: Budget, standing: BudgetStanding, at: float) -> BudgetLine:
    return BudgetLine(
        "This key" if budget.key_id else name_owner(budget.subject_row),
        str(budget),
        _money(standing.spent),
        _money(standing.left),
        standing.resets_at,
        ", ".join(_notes(budget, at)),
    )


def _notes(budget: Budget, at: float) -> Iterable[str]:
    if not budget.is_active:
        yield "off"
    elif not budget.refuses:
        yield "only tells"
    if budget.raise_usd and budget.raise_until and at < budget.raise_until.timestamp():
        yield f"${budget.raise_usd.normalize():f} more until {budget.raise_until:%Y-%m-%d %H:%M} UTC"


def _money(units: int) -> str:
    """To the cent, and where that says nothing, exact."""
    amount = usd_of(units)
    return f"${amount:,.2f}" if amount >= 1 or not units else f"${amount.normalize():f}"
