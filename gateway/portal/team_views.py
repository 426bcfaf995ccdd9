"""A team's page: its terms, service accounts, projects and limits, and the acts that stop it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import services
from accounts.models import Project, ServiceAccount, Team
from accounts.rights import Right
from accounts.subject_rows import Owner, may_set
from gateway.core.refusals import InvalidField
from gateway.portal.acting import acting, acting_with, checked, teams_here
from gateway.portal.allowances import AllowanceForm, allowances_of, remove_from
from gateway.portal.budget_forms import TeamBudgetForm
from gateway.portal.budgets import budgets_of_team
from gateway.portal.forms import ProjectForm, ServiceAccountForm, TeamForm
from gateway.portal.limits import TeamLimitForm, limits_of_team
from gateway.portal.listing import why_stopped
from gateway.portal.subjects import members_of

_NEEDED = {"terms": Right.TERMS, "allowance": Right.TERMS}
"""Of a form; the others take KEYS, and of limits and budgets those of the subject besides."""


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def team(request: HttpRequest) -> HttpResponse:
    """Who belongs to it looks, and changes what their rights let them. `form` says which is sent."""
    here = acting(request)
    found = here.team
    sent = request.POST if request.method == "POST" else None
    wanted = str(sent.get("form", "")) if sent is not None else ""
    if request.method == "POST":
        here = checked(here, _NEEDED.get(wanted, Right.KEYS))
    members, accounts, projects = members_of(found), found.service_accounts.all(), found.projects.all()
    is_open = [project for project in projects if project.archived_at is None]
    everybody: list[Owner] = [found, *members, *accounts, *is_open]
    subjects = [each for each in everybody if may_set(here, each)]
    shown: dict[str, Any] = {
        "terms": TeamForm(sent if wanted == "terms" else None, instance=found),
        "account": ServiceAccountForm(sent if wanted == "account" else None),
        "project": ProjectForm(sent if wanted == "project" else None),
        "limit": TeamLimitForm(sent if wanted == "limit" else None, subjects=subjects),
        "allowance": AllowanceForm(sent if wanted == "allowance" else None),
        "budget": TeamBudgetForm(sent if wanted == "budget" else None, subjects=subjects),
    }
    if wanted in shown and _save(found, shown[wanted]):
        messages.success(request, "Saved. Calls obey within a second.")
        return redirect(_address(found))
    if wanted == "terms":
        # Its form has put what was typed into it.
        found = acting(request).team
    context = {
        "team": found,
        "teams": teams_here(request),
        "rights": here.rights,
        "why_stopped": why_stopped(found),
        "members": members,
        "accounts": accounts,
        "projects": projects,
        "limits": limits_of_team(here),
        "allowances": allowances_of(found),
        "budgets": budgets_of_team(here),
        "forms": shown,
    }
    return render(request, "portal/team.html", context)


@never_cache
@login_required
@require_POST
def freeze(request: HttpRequest) -> HttpResponse:
    found = acting_with(request, Right.TERMS).team
    services.freeze_team(team=found, is_frozen=True)
    messages.success(request, f"{found.name} is frozen: all of its keys are refused within a second.")
    return redirect(_address(found))


@never_cache
@login_required
@require_POST
def unfreeze(request: HttpRequest) -> HttpResponse:
    found = acting_with(request, Right.TERMS).team
    services.freeze_team(team=found, is_frozen=False)
    messages.success(request, f"{found.name} goes on: its keys are let in within a second.")
    return redirect(_address(found))


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def archive(request: HttpRequest) -> HttpResponse:
    """Asks first; POST ends the team."""
    found = acting_with(request, Right.TERMS).team
    if request.method == "POST":
        services.archive_team(team=found, is_archived=True)
        messages.success(request, f"{found.name} is archived. An administrator can bring it back.")
        return redirect(_address(found))
    live = found.keys.usable(timezone.now()).count()
    return render(request, "portal/archive.html", {"team": found, "live": live, "back": _address(found)})


@never_cache
@login_required
@require_POST
def remove_allowance(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002  # the name in the address
    return remove_from(request, acting_with(request, Right.TERMS).team, id)


@never_cache
@login_required
@require_POST
def switch_account(request: HttpRequest, slug: str) -> HttpResponse:
    found = acting_with(request, Right.KEYS).team
    account = _row_of(ServiceAccount, found, slug)
    account.is_active = not account.is_active
    services.save_service_account(account)
    state = "on" if account.is_active else "off: its keys are refused within a second"
    messages.success(request, f"{account.name} is switched {state}.")
    return redirect(_address(found))


@never_cache
@login_required
@require_POST
def archive_project(request: HttpRequest, slug: str) -> HttpResponse:
    """Or bring it back."""
    found = acting_with(request, Right.KEYS).team
    project = _row_of(Project, found, slug)
    project.archived_at = timezone.now() if project.archived_at is None else None
    services.save_project(project)
    messages.success(request, f"{project.name} is {'archived' if project.archived_at else 'open again'}.")
    return redirect(_address(found))


def _save(team: Team, form: Any) -> bool:
    """What a form says; False where it cannot be."""
    if not form.is_valid():
        return False
    if isinstance(form, AllowanceForm):
        return form.save(team)
    if isinstance(form, TeamLimitForm | TeamBudgetForm):
        return form.save(form.chosen)
    row = form.instance
    try:
        with transaction.atomic():
            if isinstance(row, Team):
                services.save_team(team=row, fields=form.changed_data, is_owners=True)
                return True
            row.team = team
            row.validate_unique()
            row.validate_constraints()
            if isinstance(row, ServiceAccount):
                services.save_service_account(row)
            else:
                services.save_project(row)
    except InvalidField as fault:
        form.add_error(fault.field if fault.field in form.fields else None, fault.message)
        return False
    except (forms.ValidationError, IntegrityError):
        form.add_error("slug", "There is one of this name already.")
        return False
    return True


def _row_of(kind: Any, team: Team, slug: str) -> Any:
    # PostgreSQL fails on a NUL.
    if not slug.isprintable():
        raise Http404("There is no such row.")
    return get_object_or_404(kind.objects.filter(team=team), slug=slug)


def _address(team: Team) -> str:
    return f"{reverse('portal:team')}?team={team.slug}"
