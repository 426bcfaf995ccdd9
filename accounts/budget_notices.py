"""Alerts of how much of budgets is spent: once for each window and threshold."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts.alerts.raising import raise_alert
from accounts.models import Budget, BudgetNotice, Key, Membership, Team
from accounts.money import usd_of
from accounts.spending import read_bases, spent_in
from accounts.subjects import columns_named
from accounts.windows import Window
from gateway.core.lines import as_one_line

_BATCH = 500
REFUSED = 0
"""In place of a threshold: that calls are refused."""
OVERLAP = timedelta(minutes=10)
"""So long after its end a window is looked at once more: what it reached in its last minute is told, too."""


def tell_thresholds(*, at: datetime) -> int:
    """Raise alerts of budgets that reached a threshold since the last time, or refuse calls. How many reached one."""
    tells = ~Q(thresholds=[]) | Q(refuses=True)
    budgets = Budget.objects.filter(tells, is_active=True).with_subjects().order_by("pk")
    told, last = 0, 0
    while batch := list(budgets.filter(pk__gt=last)[:_BATCH]):
        last = batch[-1].pk
        told += _tell(batch, at)
    return told


def _tell(budgets: Sequence[Budget], at: datetime) -> int:
    windows = {budget.pk: _windows(budget, at) for budget in budgets}
    wanted: dict[str, list[Window]] = {}
    for budget in budgets:
        wanted.setdefault(budget.subject_text, []).extend(windows[budget.pk])
    spent = read_bases(wanted).spent
    before = set(
        BudgetNotice.objects.filter(budget__in=budgets).values_list("budget_id", "starts_at", "threshold")
    )
    told = 0
    for budget in budgets:
        for window in windows[budget.pk]:
            of_window = spent[budget.subject_text][window.field]
            reached = _reached(budget, window, of_window, at)
            new = [each for each in reached if (budget.pk, window.starts_at, each) not in before]
            if new:
                told += _raise(budget, window, new, of_window)
    return told


def tell_held(refused: Iterable[tuple[str, str]], *, at: datetime) -> int:
    """Raise alerts of budgets that refused calls only because running ones hold what is left. How many are new.

    `refused`: subjects and windows, as the store names them.
    """
    told = 0
    for subject, field in refused:
        columns = columns_named(subject)
        for budget in Budget.objects.filter(**columns, is_active=True, refuses=True).with_subjects():
            window = budget.window_at(at.timestamp())
            if (budget.subject_text, window.field) == (subject, field):
                told += _raise_held(budget, window)
    return told


def _raise_held(budget: Budget, window: Window) -> bool:
    team, people = _concerned(budget)
    data = _data(budget, window, spent_in(budget.subject_text, window))
    return raise_alert(
        "budget.held",
        cause=f"budget:{budget.pk}",
        window=str(window.starts_at),
        team=team,
        people=people,
        data=data,
    )


def _windows(budget: Budget, at: datetime) -> Sequence[Window]:
    both = [budget.window_at((at - OVERLAP).timestamp()), budget.window_at(at.timestamp())]
    return both[1:] if both[0] == both[1] else both


def _reached(budget: Budget, window: Window, spent: int, at: datetime) -> Iterable[int]:
    is_over = window.ends_at is not None and window.ends_at <= at.timestamp()
    amount = budget.amount_at(window.ends_at - 1 if is_over and window.ends_at else at.timestamp())
    reached = [threshold for threshold in budget.thresholds if spent * 100 >= threshold * amount]
    return [*reached, REFUSED] if budget.refuses and spent >= amount and not is_over else reached


@transaction.atomic
def _raise(budget: Budget, window: Window, reached: Sequence[int], spent: int) -> bool:
    """Of several thresholds the highest alone is told. False: somebody else told it meanwhile."""
    made = [
        each
        for each in reached
        if BudgetNotice.objects.get_or_create(budget=budget, starts_at=window.starts_at, threshold=each)[1]
    ]
    team, people = _concerned(budget)
    said: dict[str, Any] = {"cause": f"budget:{budget.pk}", "team": team, "people": people}
    data = _data(budget, window, spent)
    if REFUSED in made:
        raise_alert("budget.refused", window=str(window.starts_at), data=data, **said)
    if not (highest := max(made, default=REFUSED)):
        return False
    data["percent"] = highest
    return raise_alert("budget.threshold", window=f"{window.starts_at}:{highest}", data=data, **said)


def _data(budget: Budget, window: Window, spent: int) -> dict[str, Any]:
    ends = None if window.ends_at is None else datetime.fromtimestamp(window.ends_at, UTC)
    return {
        "budget_id": str(budget.pk),
        "subject": budget.subject_kind if not budget.is_operators else budget.subject_text,
        "whose": name_subject(budget),
        "window": budget.get_window_display(),
        "budget": str(budget),
        "amount_usd": f"{budget.amount_usd.normalize():f}",
        "zone": budget.zone,
        "spent_usd": f"{usd_of(spent).normalize():f}",
        "resets_at": f"{ends:%Y-%m-%d %H:%M} UTC" if ends else "never",
        "then": "Calls are refused once all of it is spent."
        if budget.refuses
        else "Calls go on: it only tells.",
    }


def name_subject(budget: Budget) -> str:
    """As people read it, in one line."""
    if budget.is_operators:
        return f"provider {budget.provider}" if budget.provider else "this deployment"
    row = budget.subject_row
    if isinstance(row, Team):
        return f"team {as_one_line(row.name)}"
    if isinstance(row, Membership):
        return f"{as_one_line(str(row.user))} in {as_one_line(row.team.name)}"
    return f"{budget.subject_kind.replace('_', ' ')} {as_one_line(str(row))}"


def _concerned(budget: Budget) -> tuple[Team | None, set[int]]:
    """The team, and the people of a key or a membership; nobody where it is the operator's."""
    if budget.is_operators:
        return None, set()
    row: Any = budget.subject_row
    people = {row.user_id} if isinstance(row, Membership) else set()
    if isinstance(row, Key):
        people = {pk for pk in (row.owner_id, row.created_by_id) if pk is not None}
    return (row if isinstance(row, Team) else row.team), people
