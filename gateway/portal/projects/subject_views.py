"""The pages of a team's people, service accounts and projects: their limits and budgets, and keys."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.acting import Acting
from accounts.models import Membership, Project, ServiceAccount
from accounts.rights import Right, Role
from accounts.services import save_project, save_service_account
from accounts.subject_rows import may_set, refusal_to_set
from gateway.portal.acting import acting
from gateway.portal.limits.budget_forms import BudgetForm
from gateway.portal.limits.budgets import budgets_of
from gateway.portal.limits.lines import LimitForm, limits_of, shown_limit
from gateway.portal.listing import keys_of, row_of
from gateway.portal.members.forms import RoleForm
from gateway.portal.projects.forms import NameForm
from gateway.portal.projects.views import row_named
from gateway.portal.recent_use import DAYS, filters_of, use_of
from gateway.portal.sent import Sent
from gateway.portal.subjects import name_owner, page_of, read_pk

_KEYS_SHOWN = 50


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def member(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002  # the name in the address
    here = acting(request)
    team = here.team
    people = team.memberships.select_related("user", "team")
    found = get_object_or_404(people, pk=read_pk(id))
    return _page(request, here, found, "member", {"owner": found.user})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def service_account(request: HttpRequest, slug: str) -> HttpResponse:
    here = acting(request)
    team = here.team
    found = row_named(ServiceAccount, team, slug)
    return _page(request, here, found, "service_account", {"service_account": found})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def project(request: HttpRequest, slug: str) -> HttpResponse:
    here = acting(request)
    team = here.team
    found = row_named(Project, team, slug)
    return _page(request, here, found, "project", {"project": found})


def _page(
    request: HttpRequest,
    here: Acting,
    row: Membership | ServiceAccount | Project,
    kind: str,
    its_keys: dict[str, Any],
) -> HttpResponse:
    """`form` says which is sent: `limit` or `budget`."""
    team, may_change = here.team, may_set(here, row)
    if request.method == "POST" and not may_change:
        raise PermissionDenied(refusal_to_set(here, row).message)
    sent = Sent(request)
    limits = limits_of(row, here)
    shown = shown_limit(limits, request.GET.get("limit", ""))
    limit_form = LimitForm(sent.to("limit"), initial=shown)
    budget_form = BudgetForm(sent.to("budget"))
    name_form = _name_form(request, row) if may_change and not isinstance(row, Membership) else None
    if name_form is not None and sent.name == "name" and name_form.is_valid():
        _rename(row, name_form.cleaned_data["name"])
        messages.success(request, "Saved.")
        return redirect(page_of(row))
    if any(form.is_valid() and form.save(row) for form in (limit_form, budget_form)):
        messages.success(request, "Saved. Calls obey within a second.")
        return redirect(page_of(row))
    at = timezone.now()
    context = {
        "team": team,
        "row": row,
        "kind": kind,
        "name": row.user if isinstance(row, Membership) else row.name,
        "title": name_owner(row),
        "may_change": may_change,
        "rights": here.rights,
        "limits": limits,
        "changes_limit": bool(shown),
        "budgets": budgets_of(row, here),
        "limit_form": limit_form,
        "budget_form": budget_form,
        "name_form": name_form,
        "use": use_of(team, DAYS, filters_of(kind, row.pk)),
        "role_form": _role_form(here, row),
        "is_own": isinstance(row, Membership) and here.is_own(row.user_id),
        "keys": [row_of(key, at) for key in keys_of(team).filter(**its_keys)[:_KEYS_SHOWN]],
    }
    return render(request, "portal/subject.html", context)


def _name_form(request: HttpRequest, row: Any) -> NameForm:
    return NameForm(Sent(request).to("name"), initial={"name": row.name})


def _rename(row: Any, name: str) -> None:
    row.name = name
    if isinstance(row, ServiceAccount):
        save_service_account(row)
    else:
        save_project(row)


def _role_form(here: Acting, row: Any) -> RoleForm | None:
    if not isinstance(row, Membership) or not here.may(Right.MEMBERS):
        return None
    is_owner = row.is_active and row.role == Role.OWNER
    return None if is_owner and not here.may(Right.OWNERS) else RoleForm(None, acting=here, role=row.role)
