"""A team's projects and service accounts: listed, made, renamed and ended."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import services
from accounts.models import Project, ServiceAccount, Team
from accounts.rights import Right
from gateway.core.refusals import InvalidField
from gateway.portal.acting import acting, acting_with, checked
from gateway.portal.ending import Ending, ask_first, at_stake, named_keys
from gateway.portal.projects.forms import ProjectForm, ServiceAccountForm
from gateway.portal.sent import Sent
from gateway.portal.subjects import page_of


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def projects(request: HttpRequest) -> HttpResponse:
    """All of both kinds; POST makes one: `form` says of which."""
    here = acting(request)
    team = here.team
    sent = Sent(request)
    if sent:
        checked(here, Right.KEYS)
    shown: dict[str, Any] = {
        "account": ServiceAccountForm(sent.to("account")),
        "project": ProjectForm(sent.to("project")),
    }
    if sent.name in shown and save_row(team, shown[sent.name]):
        messages.success(
            request, f"“{shown[sent.name].instance.name}” is made. Calls may name it in a second."
        )
        return redirect(_address(team))
    context = {
        "team": team,
        "rights": here.rights,
        "accounts": _with_keys(team.service_accounts.all()),
        "projects": _with_keys(team.projects.all()),
        "forms": shown,
    }
    return render(request, "portal/projects.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def switch_account(request: HttpRequest, slug: str) -> HttpResponse:
    """Asks first; POST switches it off, or on again."""
    team = acting_with(request, Right.KEYS).team
    account = row_named(ServiceAccount, team, slug)
    if request.method != "POST":
        return _ask_of_account(request, account)
    account.is_active = not account.is_active
    services.save_service_account(account)
    state = "on" if account.is_active else "off: its keys are refused within a second"
    messages.success(request, f"{account.name} is switched {state}.")
    return redirect(_address(team))


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def archive_project(request: HttpRequest, slug: str) -> HttpResponse:
    """Asks first; POST archives it, or brings it back."""
    team = acting_with(request, Right.KEYS).team
    project = row_named(Project, team, slug)
    if request.method != "POST":
        return _ask_of_project(request, project)
    project.archived_at = timezone.now() if project.archived_at is None else None
    services.save_project(project)
    messages.success(request, f"{project.name} is {'archived' if project.archived_at else 'open again'}.")
    return redirect(_address(team))


def _ask_of_account(request: HttpRequest, account: ServiceAccount) -> HttpResponse:
    name = account.name
    if not account.is_active:
        says = [f"Within a second the keys of {name} are let in again, with the terms that they had."]
        return _ask(request, account, f"Switch “{name}” on", says, "service_account_partial_update")
    says = [
        f"Within a second every key of {name} is refused.",
        "Other keys go on, what it used stays counted, and it can be switched on again at any time.",
    ]
    return _ask(request, account, f"Switch “{name}” off", says, "service_account_partial_update", ends=True)


def _ask_of_project(request: HttpRequest, project: Project) -> HttpResponse:
    name = project.name
    if project.archived_at:
        says = [f"Calls may name {name} again, and the keys that are bound to it are let in again."]
        return _ask(request, project, f"Bring “{name}” back", says, "project_partial_update")
    says = [
        f"Within a second no call may name {name} any more, and keys that are bound to it are refused.",
        "What was spent for it stays counted, and it can be brought back at any time.",
    ]
    return _ask(request, project, f"Archive “{name}”", says, "project_partial_update", ends=True)


def _ask(
    request: HttpRequest,
    row: ServiceAccount | Project,
    act: str,
    says: Sequence[str],
    call: str,
    *,
    ends: bool = False,
) -> HttpResponse:
    """With what is at stake where something ends."""
    keys, more = named_keys(row.keys.all()) if ends else ((), 0)
    facts = at_stake(row) if ends else ()
    stay = "Keep it" if ends else "Leave it"
    sent = {"is_active": not ends} if isinstance(row, ServiceAccount) else {"is_archived": ends}
    ending = Ending(
        f"{act}?", says, act, page_of(row), stay, keys, more, call, [row.slug], facts=facts, sent=sent
    )
    return ask_first(request, row.team, ending)


def save_row(team: Team, form: Any) -> bool:
    """A new one, or what is said of one that there is; False where it cannot be, which its form says."""
    if not form.is_valid():
        return False
    row = form.instance
    try:
        with transaction.atomic():
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


def row_named(kind: Any, team: Team, slug: str) -> Any:
    # PostgreSQL fails on a NUL.
    if not slug.isprintable():
        raise Http404("There is no such row.")
    return get_object_or_404(kind.objects.filter(team=team).select_related("team"), slug=slug)


def _with_keys(rows: QuerySet[Any]) -> QuerySet[Any]:
    """With how many of their keys work, and when one was used last."""
    at = timezone.now()
    live = Q(keys__revoked_at__isnull=True) & (Q(keys__expires_at__isnull=True) | Q(keys__expires_at__gt=at))
    counted: QuerySet[Any] = rows.annotate(
        live_keys=Count("keys", filter=live, distinct=True), last_used_at=Max("keys__last_used_at")
    )
    return counted


def _address(team: Team) -> str:
    return f"{reverse('portal:projects')}?team={team.slug}"
