"""Telling people how much of their budgets is spent: once for each window and threshold."""

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction

from accounts.models import Budget, BudgetNotice, Key, Membership, Team
from accounts.money import usd_of
from accounts.spending import read_bases
from accounts.windows import Window
from gateway.core.lines import as_one_line

_log = logging.getLogger(__name__)
_BATCH = 500
OVERLAP = timedelta(minutes=10)
"""So long after its end a window is looked at once more: what it reached in its last minute is told, too."""


def tell_thresholds(*, at: datetime) -> int:
    """Mail of budgets that have reached a threshold since the last time. The number of mails, sent or not."""
    budgets = Budget.objects.filter(is_active=True).exclude(thresholds=[]).with_subjects().order_by("pk")
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
            if new and _note(budget, window, new):
                _mail(budget, window, max(new), of_window)
                told += 1
    return told


def _windows(budget: Budget, at: datetime) -> Sequence[Window]:
    both = [budget.window_at((at - OVERLAP).timestamp()), budget.window_at(at.timestamp())]
    return both[1:] if both[0] == both[1] else both


def _reached(budget: Budget, window: Window, spent: int, at: datetime) -> Iterable[int]:
    is_over = window.ends_at is not None and window.ends_at <= at.timestamp()
    amount = budget.amount_at(window.ends_at - 1 if is_over and window.ends_at else at.timestamp())
    return [threshold for threshold in budget.thresholds if spent * 100 >= threshold * amount]


def _note(budget: Budget, window: Window, thresholds: Iterable[int]) -> bool:
    """Before the mail: if that fails, nobody is mailed every minute. False: somebody else told it meanwhile."""
    with transaction.atomic():
        made = [
            BudgetNotice.objects.get_or_create(budget=budget, starts_at=window.starts_at, threshold=each)[1]
            for each in thresholds
        ]
    return any(made)


def _mail(budget: Budget, window: Window, threshold: int, spent: int) -> None:
    whose = name_subject(budget)
    until = (
        "never"
        if window.ends_at is None
        else f"{datetime.fromtimestamp(window.ends_at, UTC):%Y-%m-%d %H:%M} UTC"
    )
    then = "Calls are refused once all of it is spent." if budget.refuses else "Calls go on: it only tells."
    subject = f"{threshold} % of a budget is spent: {whose}, {budget.get_window_display()}"
    text = (
        f"Budget: {budget} ({budget.zone})\nOf: {whose}\nSpent: ${usd_of(spent).normalize():f}\n"
        f"Begins anew: {until}\n\n{then}\n"
    )
    addresses = _addresses(budget)
    if addresses:
        _send(subject, text, addresses)


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


def _addresses(budget: Budget) -> Sequence[str]:
    """Of the people of a key or a membership, who are still there, and of the team's owners; else of the operator."""
    if budget.is_operators:
        return sorted(settings.ALARM_EMAILS)
    row = budget.subject_row
    team = row.pk if isinstance(row, Team) else row.team_id  # type: ignore[attr-defined]
    people = {row.user_id} if isinstance(row, Membership) else set()
    if isinstance(row, Key):
        people = {pk for pk in (row.owner_id, row.created_by_id) if pk is not None}
    members = Membership.objects.filter(team=team, user__is_active=True).select_related("user")
    owner = Membership.Role.OWNER
    found = {each.user.email for each in members if each.role == owner or each.user_id in people}
    return sorted(address for address in found if address)


def _send(subject: str, text: str, addresses: Sequence[str]) -> None:
    """Where there is no mail, the portal tells it all the same."""
    try:
        send_mail(subject, text, None, addresses)
    except OSError as error:
        _log.error("%s: this could not be mailed (%s).", subject, error)
