"""The pages of a team's people, service accounts and projects: their limits and budgets, and keys."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.acting import Acting
from accounts.models import Membership, Project, ServiceAccount, Team
from accounts.rights import Right, Role
from accounts.subject_rows import may_set, refusal_to_set
from gateway.portal.acting import acting
from gateway.portal.budget_forms import BudgetForm
from gateway.portal.budgets import budgets_of
from gateway.portal.limits import LimitForm, limits_of
from gateway.portal.listing import keys_of, row_of
from gateway.portal.member_forms import RoleForm
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
    found = _by_slug(ServiceAccount, team, slug)
    return _page(request, here, found, "service_account", {"service_account": found})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def project(request: HttpRequest, slug: str) -> HttpResponse:
    here = acting(request)
    team = here.team
    found = _by_slug(Project, team, slug)
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
    wanted = str(request.POST.get("form", "")) if request.method == "POST" else ""
    limit_form = LimitForm(request.POST if wanted == "limit" else None)
    budget_form = BudgetForm(request.POST if wanted == "budget" else None)
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
        "limits": limits_of(row, may_remove=may_change),
        "budgets": budgets_of(row, may_change=may_change),
        "limit_form": limit_form,
        "budget_form": budget_form,
        "role_form": _role_form(here, row),
        "is_own": isinstance(row, Membership) and here.is_own(row.user_id),
        "keys": [row_of(key, at) for key in keys_of(team).filter(**its_keys)[:_KEYS_SHOWN]],
    }
    return render(request, "portal/subject.html", context)


def _role_form(here: Acting, row: Any) -> RoleForm | None:
    if not isinstance(row, Membership) or not here.may(Right.MEMBERS):
        return None
    is_owner = row.is_active and row.role == Role.OWNER
    return None if is_owner and not here.may(Right.OWNERS) else RoleForm(None, acting=here, role=row.role)


def _by_slug(kind: Any, team: Team, slug: str) -> Any:
    # PostgreSQL fails on a NUL.
    if not slug.isprintable():
        raise Http404("There is no such row.")
    return get_object_or_404(kind.objects.filter(team=team).select_related("team"), slug=slug)
