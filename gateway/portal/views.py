"""A team's keys: listed, created, changed and revoked."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import services
from accounts.acting import Acting, check_may_issue
from accounts.key_facts import with_owners
from accounts.models import Key, Team
from accounts.rights import Right
from accounts.shown_once import ShownSecret, keep_secret, take_secret
from catalogue.published.reading import read_now
from gateway.boot.greeting import curl_line
from gateway.core.links import base_url_of, origin_of
from gateway.core.refusals import InvalidField, Refused
from gateway.portal.acting import acting_everywhere, checked, choose, person_of
from gateway.portal.budget_forms import BudgetForm
from gateway.portal.budgets import budgets_of_key
from gateway.portal.calls import SHOWN, last_calls
from gateway.portal.forms import FIELDS, ChangeForm, KeyForm, RotationForm, TermsForm
from gateway.portal.limits import LimitForm, limits_of_key
from gateway.portal.listing import (
    PAGE_SIZE,
    feed_addresses,
    keys_of,
    recent_calls,
    row_of,
    why_stopped,
)
from gateway.portal.permitted import ANY_MODEL, Permitted, permitted_to
from gateway.public import samples

SAVED = "Saved. Calls obey within a second."


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return redirect("portal:keys" if request.user.is_authenticated else "account_login")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: HttpRequest) -> HttpResponse:
    """The keys of one team of the person; POST issues one."""
    everywhere = acting_everywhere(request)
    if not everywhere:
        return render(request, "portal/no_team.html")
    if len(everywhere) > 1 and "team" not in request.GET:
        return redirect(_address(everywhere[0].team))
    here = choose(everywhere, request.GET.get("team"))
    if request.method == "POST":
        checked(here, Right.CALL)
    form = KeyForm(request.POST or None, acting=here)
    if request.method == "POST" and form.is_valid() and _issue(request, here, form):
        return redirect(_address(here.team))
    form.focus_first_error()
    return _show_keys(request, here, teams=[each.team for each in everywhere], form=form)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def key(request: HttpRequest, public_id: str) -> HttpResponse:
    """One key: its terms, which POST changes, what it may call, and its last calls."""
    found, here = key_with(request, public_id, changes=request.method == "POST")
    form = ChangeForm(request.POST or None, key=found)
    if request.method == "POST" and form.is_valid() and _change(found, form):
        messages.success(request, f"“{found.name}” is changed. It takes effect within a second.")
        return redirect("portal:key", found.public_id)
    form.focus_first_error()
    return show_key(request, found, form, acting=here)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, public_id: str) -> HttpResponse:
    """Asks first, with what would stop; POST ends the key."""
    key, _ = key_with(request, public_id, changes=True)
    if request.method == "POST":
        services.revoke_key(key=key)
        messages.success(request, f"“{key.name}” is revoked. Calls with it are refused within a second.")
        return redirect(_address(key.team))
    at = timezone.now()
    context = {"row": row_of(key, at), "calls": recent_calls(key, at), "back": _address(key.team)}
    return render(request, "portal/revoke.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def rotate(request: HttpRequest, public_id: str) -> HttpResponse:
    """Asks for how long both shall work; POST issues a key in the other one's place."""
    key, _ = key_with(request, public_id, changes=True)
    form = RotationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        overlap = timedelta(hours=form.cleaned_data["hours"])
        try:
            new, text = services.rotate_key(key=key, overlap=overlap, created_by=person_of(request))
        except InvalidField as fault:
            form.add_error(None, fault.message)
        else:
            keep_secret(request.session, new, text)
            return redirect(_address(key.team))
    context = {
        "row": row_of(key, timezone.now()),
        "form": form,
        "back": reverse("portal:key", args=[public_id]),
    }
    return render(request, "portal/rotate.html", context)


def _show_keys(request: HttpRequest, acting: Acting, *, teams: list[Team], form: KeyForm) -> HttpResponse:
    team = acting.team
    # A HEAD request shows nobody anything, so it must not use up the one look.
    new = None
    if request.method == "GET" and not acting.is_viewing_as:
        new = take_secret(request.session, team=team)
    page = Paginator(keys_of(team), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "team": team,
        "teams": teams,
        "is_open": team.state is Team.State.ACTIVE,
        "why_stopped": why_stopped(team),
        "page": page,
        "rows": [row_of(key, timezone.now(), acting) for key in page],
        "rights": acting.rights,
        "form": form,
        "new": new,
        "feeds": feed_addresses(origin_of(request), new.text) if new and new.is_for_feeds else [],
        "samples": _samples_with(request, team, new) if new else [],
        "curl": curl_line(base_url_of(request), None, model=ANY_MODEL),
    }
    return render(request, "portal/keys.html", context)


def is_changeable(key: Key) -> bool:
    return key.state_at(timezone.now()) is not Key.State.REVOKED and key.team.state is Team.State.ACTIVE


def show_key(
    request: HttpRequest,
    key: Key,
    form: ChangeForm,
    *,
    acting: Acting,
    limit_form: LimitForm | None = None,
    budget_form: BudgetForm | None = None,
) -> HttpResponse:
    may_change = is_changeable(key) and acting.may_manage(key)
    row, reading = row_of(key, timezone.now(), acting), read_now()
    permitted = permitted_to(key, reading)
    context = {
        "row": row,
        "form": form,
        "may_change": may_change,
        "limits": limits_of_key(key, may_remove=may_change),
        "budgets": budgets_of_key(key, may_change=may_change),
        "limit_form": limit_form or LimitForm(),
        "budget_form": budget_form or BudgetForm(),
        "successor": getattr(key, "successor", None),
        "why_stopped": why_stopped(key.team),
        "permitted": permitted,
        "calls": last_calls(key),
        "most_calls": SHOWN,
        "samples": _samples(request, permitted),
        "back": _address(key.team),
    }
    return render(request, "portal/key.html", context)


def save_of_key(request: HttpRequest, public_id: str, **sent: Any) -> HttpResponse:
    """`sent` is a limit's or a budget's form, as `show_key` calls it. Raises Http404, PermissionDenied."""
    key, here = key_with(request, public_id, changes=True)
    (form,) = sent.values()
    if not is_changeable(key):
        raise PermissionDenied("This key cannot be changed now.")
    if form.is_valid() and form.save(key):
        messages.success(request, SAVED)
        return redirect("portal:key", public_id)
    return show_key(request, key, ChangeForm(None, key=key), acting=here, **sent)


def _samples_with(request: HttpRequest, team: Team, new: ShownSecret) -> Sequence[samples.Sample]:
    key = Key.objects.for_team(team).select_related("team").get(pk=new.key_id)
    return _samples(request, permitted_to(key, read_now()), new.text)


def _samples(request: HttpRequest, permitted: Permitted, key: str = samples.KEY) -> Sequence[samples.Sample]:
    base_url = base_url_of(request)
    return samples.samples(base_url, permitted.example, permitted.example_endpoints, key)


def _issue(request: HttpRequest, acting: Acting, form: KeyForm) -> bool:
    team = acting.team
    if not _is_on(team, form):
        return False
    terms = form.terms()
    try:
        check_may_issue(acting, terms)
        key, text = services.issue_key(team=team, created_by=acting.person, **terms)
    except Refused as refusal:
        form.add_error(None, refusal.message)
        return False
    except InvalidField as fault:
        return _refuse(form, fault)
    keep_secret(request.session, key, text)
    return True


def _change(key: Key, form: ChangeForm) -> bool:
    if not _is_on(key.team, form):
        return False
    try:
        services.update_key(key=key, **form.changes())
    except InvalidField as fault:
        return _refuse(form, fault)
    return True


def _is_on(team: Team, form: TermsForm) -> bool:
    is_on = team.state is Team.State.ACTIVE
    if not is_on:
        form.add_error(None, why_stopped(team))
    return is_on


def _refuse(form: TermsForm, fault: InvalidField) -> bool:
    """At the field that asks for that term; what concerns none of them, such as a key revoked meanwhile, at the top."""
    field = FIELDS.get(fault.field, fault.field)
    form.add_error(field if field in form.fields else None, fault.message)
    return False


def key_with(request: HttpRequest, public_id: str, *, changes: bool) -> tuple[Key, Acting]:
    """The key of one of the person's teams, for one who looks or changes it. Raises Http404, PermissionDenied."""
    # Nothing but letters and digits reaches SQL: PostgreSQL fails on a NUL.
    if not public_id.isalnum():
        raise Http404("There is no such key.")
    teams = {each.team.pk: each for each in acting_everywhere(request)}
    own = with_owners(Key.objects.filter(team__in=teams).with_limits())
    found = get_object_or_404(own, public_id=public_id)
    here = teams[found.team_id]
    if changes and not here.may_manage(found):
        checked(here, Right.KEYS)
    return found, here


def _address(team: Team) -> str:
    return f"{reverse('portal:keys')}?team={team.slug}"
