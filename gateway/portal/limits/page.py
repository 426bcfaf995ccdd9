"""Limits & budgets: all that bind a team's calls, from the whole gateway down to single keys, and setting them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Exists, F, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.acting import Acting
from accounts.models import Budget, Key, Limit, Team
from accounts.rights import Right
from accounts.subject_rows import Owner, may_set
from gateway.portal.acting import acting, checked
from gateway.portal.limits.allowances import AllowanceForm, allowances_of
from gateway.portal.limits.budget_forms import TeamBudgetForm
from gateway.portal.limits.budgets import BudgetLine, budget_lines
from gateway.portal.limits.lines import (
    SAVED,
    LimitLine,
    TeamLimitForm,
    ceilings_of_keys,
    limit_lines,
    shown_limit,
)
from gateway.portal.listing import why_stopped
from gateway.portal.sent import Sent
from gateway.portal.subjects import members_of, page_of
from providers.models import ProviderCredential

_MOST = 300
_LEVELS: Mapping[str, tuple[str, str, str]] = {
    "team": (
        "The team",
        "All calls of the team take these together.",
        "None: nothing stops the team as a whole. A budget here ends whatever runs away.",
    ),
    "project": (
        "Projects",
        "All calls for one take its own together, whoever makes them.",
        "None: one project may use up what all share. A budget of its own stops that one alone.",
    ),
    "service_account": (
        "Service accounts",
        "All keys of one take these together.",
        "None: each program is bound by what binds the team.",
    ),
    "member": (
        "Members",
        "All keys of one person take these together.",
        "None: each person is bound by what binds the team. What each gets is said for all of them below.",
    ),
    "key": (
        "Keys",
        "A key and those that it was rotated from or to take these together.",
        "None: a key's own are set on its page.",
    ),
}


@dataclass(frozen=True, slots=True)
class Level:
    """Those of one kind of subject."""

    id: str
    title: str
    text: str
    none: str
    """What it means that there are none."""
    limits: Sequence[LimitLine]
    budgets: Sequence[BudgetLine]


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def limits(request: HttpRequest) -> HttpResponse:
    """Who belongs to the team looks, and sets what their rights let them: `form` says which is sent."""
    here = acting(request)
    team = here.team
    sent = Sent(request)
    if sent:
        checked(here, Right.TERMS if sent.name == "allowance" else Right.KEYS)
    limit_rows, budget_rows = _rows(team)
    subjects = _subjects(here)
    levels = _levels(here, limit_rows, budget_rows)
    every_limit = [line for level in levels for line in level.limits]
    filled_in = shown_limit(every_limit, request.GET.get("limit", ""))
    shown: dict[str, Any] = {
        "limit": TeamLimitForm(sent.to("limit"), subjects=subjects, shown=filled_in),
        "budget": TeamBudgetForm(sent.to("budget"), subjects=subjects),
        "allowance": AllowanceForm(sent.to("allowance")),
    }
    if sent.name in shown and _save(team, shown[sent.name]):
        messages.success(request, SAVED)
        return redirect(page_of(team))
    context = {
        "team": team,
        "rights": here.rights,
        "why_stopped": why_stopped(team),
        "above": budget_lines(_operators(), here),
        "levels": levels,
        "ceilings": ceilings_of_keys(team),
        "own_at": _own_providers(team),
        "is_cut": max(len(limit_rows), len(budget_rows)) >= _MOST,
        "most": _MOST,
        "allowances": allowances_of(team),
        "changes_limit": bool(filled_in),
        "forms": shown,
    }
    return render(request, "portal/limits_page.html", context)


def _save(team: Team, form: Any) -> bool:
    if not form.is_valid():
        return False
    saved: bool = form.save(team) if isinstance(form, AllowanceForm) else form.save(form.chosen)
    return saved


def _subjects(here: Acting) -> Sequence[Owner]:
    """Whose limits and budgets are theirs to set; those of keys are on the keys' pages."""
    team = here.team
    if not here.may(Right.KEYS):
        return []
    projects = team.projects.filter(archived_at__isnull=True).select_related("team")
    accounts = team.service_accounts.select_related("team")
    everybody: list[Owner] = [team, *members_of(team), *accounts, *projects]
    return [each for each in everybody if may_set(here, each)]


def _rows(team: Team) -> tuple[Sequence[Limit], Sequence[Budget]]:
    """Those of keys last, without those of keys that are all over."""
    at = timezone.now()
    lineage = Q(pk=OuterRef("key_id")) | Q(first_id=OuterRef("key_id"))
    open_ended = Q(expires_at__isnull=True) | Q(expires_at__gt=at)
    is_live = Exists(Key.objects.filter(lineage & open_ended, revoked_at__isnull=True))

    def of(kind: Any) -> Any:
        rows = kind.objects.for_team(team).filter(Q(key__isnull=True) | is_live).with_subjects()
        return list(rows.order_by(F("key").desc(nulls_first=True), "pk")[:_MOST])

    return of(Limit), of(Budget)


def _operators() -> Iterable[Budget]:
    """Whatever team calls: they are the gateway's own."""
    operators = Budget.objects.filter(Q(is_deployment=True) | ~Q(provider=""), is_active=True)
    return operators.order_by("-is_deployment", "provider", "pk")[:_MOST]


def _own_providers(team: Team) -> Sequence[str]:
    """Where the team has credentials of its own."""
    own = ProviderCredential.objects.filter(team=team, is_enabled=True)
    return list(own.order_by("provider__name").values_list("provider__name", flat=True).distinct())


def _levels(here: Acting, limits: Sequence[Limit], budgets: Sequence[Budget]) -> Sequence[Level]:
    """The widest first, as `_LEVELS` has them; those without any of theirs, too."""
    limit_kinds, budget_kinds = [row.subject_kind for row in limits], [row.subject_kind for row in budgets]
    told_limits = list(zip(limit_kinds, limit_lines(limits, here), strict=True))
    told_budgets = list(zip(budget_kinds, budget_lines(budgets, here), strict=True))
    return [
        Level(
            f"of-{kind.replace('_', '-')}s" if kind != "team" else "of-team",
            title,
            text,
            none,
            [line for its, line in told_limits if its == kind],
            [line for its, line in told_budgets if its == kind],
        )
        for kind, (title, text, none) in _LEVELS.items()
    ]
