"""Changes to budgets: made, changed, raised for a while and removed, in force in every process within a second."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.db import transaction
from django.utils import timezone

from accounts import budget_terms
from accounts.limiting import actor
from accounts.models import Budget
from accounts.money import plain, usd_of
from accounts.revision import Part, take_revision
from accounts.subject_rows import Owner, subject_columns
from gateway.core.refusals import InvalidField


@dataclass(frozen=True, slots=True)
class OfOperator:
    """The operator's own subjects: a provider by its slug, or the whole deployment where that is empty."""

    provider: str = ""


class BudgetTerms(TypedDict, total=False):
    """What may change of a budget. `most_usd` counts where staff say it."""

    zone: str
    amount_usd: Decimal
    most_usd: Decimal | None
    mode: str
    refuses: bool
    counts_own: bool
    thresholds: Sequence[int]
    is_active: bool


OF_STAFF = frozenset({"zone", "mode", "refuses", "counts_own", "is_active"})
"""What a team cannot change of a budget that staff set."""


@transaction.atomic
def make_budget(
    *, subject: Owner | OfOperator, window: str, is_staff: bool = False, **terms: Unpack[BudgetTerms]
) -> Budget:
    """Raises InvalidField, also where the subject has a budget of that window."""
    budget_terms.check_window(window)
    take_revision(Part.RULES)
    columns = columns_of(subject)
    if Budget.objects.filter(**columns, window=window).exists():
        raise InvalidField("window", f"There is already a budget with the window {window}: change that one.")
    if "amount_usd" not in terms:
        raise InvalidField("amount_usd", "amount_usd is needed.")
    budget = Budget(**columns, window=window)
    return _save(budget, terms, is_staff=is_staff)


@transaction.atomic
def change_budget(*, budget: Budget, is_staff: bool = False, **terms: Unpack[BudgetTerms]) -> Budget:
    """Raises InvalidField."""
    take_revision(Part.RULES)
    if not is_staff and budget.most_usd is not None and (fixed := terms.keys() & OF_STAFF):
        raise InvalidField(
            min(fixed), "Staff set this budget: its amount may be set lower, and thresholds changed."
        )
    return _save(budget, terms, is_staff=is_staff)


@transaction.atomic
def raise_budget(*, budget: Budget, by_usd: Decimal, until: datetime, is_staff: bool = False) -> Budget:
    """More for a while, which ends by itself. Raises InvalidField."""
    budget_terms.check_raise(by_usd, until, timezone.now())
    take_revision(Part.RULES)
    if not is_staff and budget.most_usd is not None and budget.amount_usd + by_usd > budget.most_usd:
        raise InvalidField("raise_usd", f"Staff allow this budget to be {plain(budget.most_usd)} at most.")
    budget.raise_usd, budget.raise_until, budget.set_by = by_usd, until, actor()
    budget.save()
    return budget


@transaction.atomic
def end_raise(*, budget: Budget) -> Budget:
    """Doing it again changes nothing."""
    take_revision(Part.RULES)
    budget.raise_usd = budget.raise_until = None
    budget.save()
    return budget


@transaction.atomic
def remove_budget(*, budget: Budget, is_staff: bool = False) -> None:
    """Raises InvalidField where staff want it."""
    take_revision(Part.RULES)
    if not is_staff and budget.most_usd is not None:
        raise InvalidField("most_usd", "Staff set this budget: the team cannot remove it.")
    budget.delete()


def raise_of(before: Budget, after: Budget) -> Decimal | None:
    """How much more may be spent after a change, now or by what the team may then set; None: without bound."""
    if (before.is_active and not after.is_active) or (before.refuses and not after.refuses):
        return None
    at = timezone.now().timestamp()
    had = usd_of(before.amount_at(at))
    more = usd_of(after.amount_at(at)) - had
    if before.most_usd is not None:
        if after.most_usd is None:
            return None
        more = max(more, after.most_usd - max(before.most_usd, had))
    return max(more, Decimal(0))


def columns_of(subject: Owner | OfOperator) -> dict[str, Any]:
    """As `Budget` names it."""
    if isinstance(subject, OfOperator):
        return {"provider": subject.provider} if subject.provider else {"is_deployment": True}
    return dict(subject_columns(subject))


def _save(budget: Budget, terms: Mapping[str, Any], *, is_staff: bool) -> Budget:
    given = {name: value for name, value in terms.items() if is_staff or name != "most_usd"}
    for name, value in given.items():
        setattr(budget, name, list(value) if name == "thresholds" else value)
    check_budget(budget)
    budget.set_by = actor()
    budget.save()
    return budget


@transaction.atomic
def save_budget(budget: Budget) -> Budget:
    """As staff say, who may say all of it. Raises InvalidField."""
    check_budget(budget)
    take_revision(Part.RULES)
    budget.set_by = actor()
    budget.save()
    return budget


def check_budget(budget: Budget) -> None:
    """Raises InvalidField."""
    budget_terms.check_usd("amount_usd", budget.amount_usd)
    budget_terms.check_zone(budget.zone)
    budget_terms.check_mode(budget.mode)
    budget_terms.check_thresholds(budget.thresholds)
    if budget.counts_own and budget.is_operators:
        raise InvalidField("counts_own", "Only a team pays for calls on its own credentials: leave this off.")
    if budget.most_usd is not None:
        budget_terms.check_usd("most_usd", budget.most_usd)
        if budget.amount_usd > budget.most_usd:
            raise InvalidField(
                "amount_usd", f"Staff allow this budget to be {plain(budget.most_usd)} at most."
            )
    if (budget.raise_usd is None) != (budget.raise_until is None):
        raise InvalidField("raise_until", "A raise needs an amount and an end.")
    if budget.raise_usd is not None:
        budget_terms.check_usd("raise_usd", budget.raise_usd)
