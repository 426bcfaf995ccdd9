"""A team's keys: listed, created, changed and revoked."""

from collections.abc import Collection, Sequence
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
from django.views.decorators.http import require_http_methods, require_POST

from accounts import services
from accounts.acting import Acting, check_may_issue
from accounts.key_facts import with_facts
from accounts.models import Key, Team
from accounts.rights import Right
from accounts.scopes import FEED
from accounts.shown_once import ShownSecret, keep_secret, take_secret
from catalogue.published.reading import read_now
from gateway.boot.greeting import curl_line
from gateway.core.links import base_url_of
from gateway.core.refusals import InvalidField, Refused
from gateway.portal.acting import act_as, acting_everywhere, checked, choose, person_of
from gateway.portal.ending import Ending, ask_first, bounds_of
from gateway.portal.eyes.permitted import ANY_MODEL, Permitted, permitted_to
from gateway.portal.keys.bounds import left_of, rotation_of
from gateway.portal.keys.calls import last_calls
from gateway.portal.keys.filters import KeyFilterForm
from gateway.portal.keys.forms import FIELDS, ChangeForm, KeyForm, RotationForm, TermsForm
from gateway.portal.limits.budget_forms import BudgetForm
from gateway.portal.limits.budgets import budgets_of_key
from gateway.portal.limits.lines import SAVED, LimitForm, limits_of_key, shown_limit
from gateway.portal.listing import (
    PAGE_SIZE,
    keys_of,
    recent_calls,
    row_of,
    why_stopped,
)
from gateway.portal.recent_use import DAYS, filters_of, use_of
from gateway.public import samples


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
    here = choose(request, everywhere)
    if request.method == "POST":
        checked(here, Right.CALL)
    form = KeyForm(request.POST or None, acting=here)
    if request.method == "POST" and form.is_valid() and _issue(request, here, form):
        return redirect(_after(here.team, form.cleaned_data["scopes"]))
    form.focus_first_error()
    return _show_keys(request, here, form)


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
        return redirect(_left_behind(request, key) or _after(key.team, key.scope_set))
    if key.revoked_at is not None:
        messages.info(request, f"“{key.name}” is revoked already.")
        return redirect("portal:key", public_id)
    return ask_first(request, key.team, _revocation_of(key, _left_behind(request, key)))


def _left_behind(request: HttpRequest, key: Key) -> str:
    """The page of keys left behind, where it leads here; else nothing."""
    is_from_there = request.GET.get("from") == "left-behind"
    return f"{reverse('portal:left-behind')}?team={key.team.slug}" if is_from_there else ""


def _revocation_of(key: Key, back: str) -> Ending:
    at = timezone.now()
    says = [
        "Within a second every call with this key is refused, for good: a revoked key cannot be brought back.",
        f"Other keys of {key.team.name}, and the record of what this one used, are not affected.",
    ]
    if getattr(key, "successor", None):
        says.append("The key that it was rotated to goes on, with the same limits and budgets.")
    facts = [
        ("Key", f"sk-gw-{key.public_id}-…"),
        ("Calls in the last day", str(recent_calls(key, at, days=1))),
        ("In the last 7 days", str(recent_calls(key, at, days=7))),
        *bounds_of(key),
    ]
    act = f"Revoke “{key.name}”"
    return Ending(
        f"{act}?",
        says,
        act,
        back or reverse("portal:key", args=[key.public_id]),
        keys=[row_of(key, at)],
        call="keys_destroy",
        ids=[key.public_id],
        facts=facts,
    )


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def rotate(request: HttpRequest, public_id: str) -> HttpResponse:
    """Asks for how long both shall work; POST issues a key in the other one's place."""
    key, _ = key_with(request, public_id, changes=True)
    # Whoever knows it still has no use of it for even an hour.
    form = RotationForm(request.POST or None, initial={"hours": 0} if key.known_to else None)
    if request.method == "POST" and form.is_valid():
        overlap = timedelta(hours=form.cleaned_data["hours"])
        try:
            new, text = services.rotate_key(key=key, overlap=overlap, created_by=person_of(request))
        except InvalidField as fault:
            form.add_error(None, fault.message)
        else:
            keep_secret(request.session, new, text)
            return redirect(_after(key.team, new.scope_set))
    context = {
        "row": row_of(key, timezone.now()),
        "form": form,
        "back": reverse("portal:key", args=[public_id]),
    }
    return render(request, "portal/rotate.html", context)


@never_cache
@login_required
@require_POST
def set_limit(request: HttpRequest, public_id: str) -> HttpResponse:
    return _save_of_key(request, public_id, limit_form=LimitForm(request.POST))


@never_cache
@login_required
@require_POST
def set_budget(request: HttpRequest, public_id: str) -> HttpResponse:
    return _save_of_key(request, public_id, budget_form=BudgetForm(request.POST))


def _show_keys(request: HttpRequest, acting: Acting, form: KeyForm) -> HttpResponse:
    team = acting.team
    # A HEAD request shows nobody anything, so it must not use up the one look.
    new = None
    if request.method == "GET" and not acting.is_viewing_as:
        new = take_secret(request.session, team=team)
    filters = KeyFilterForm(request.GET, acting=acting)
    filters.is_valid()
    at, shows_all = timezone.now(), filters.shows_playground
    found = filters.narrow(keys_of(team, has_past_visits=shows_all))
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    left = left_of(list(page))
    context = {
        "team": team,
        "is_open": team.state is Team.State.ACTIVE,
        "why_stopped": why_stopped(team),
        "page": page,
        "filters": filters,
        "past_visits": filters.narrow(Key.objects.for_team(team).of_past_visits(at)).count(),
        "rows": [(row_of(key, at, acting), left[key.lineage_id]) for key in page],
        "rights": acting.rights,
        "form": form,
        "new": new,
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
    limits = limits_of_key(key, acting)
    successor = getattr(key, "successor", None)
    pairs = ((key.replaces, key), (key, successor))
    rotations = [rotation_of(old, new) for old, new in pairs if old is not None and new is not None]
    shown = shown_limit(limits, request.GET.get("limit", ""))
    context = {
        "row": row,
        "form": form,
        "may_change": may_change,
        "team": key.team,
        "limits": limits,
        "changes_limit": bool(shown),
        "budgets": budgets_of_key(key, acting),
        "limit_form": limit_form or LimitForm(initial=shown),
        "budget_form": budget_form or BudgetForm(),
        "successor": successor,
        "rotations": rotations,
        "use": use_of(key.team, DAYS, filters_of("key", key.lineage_id)),
        "why_stopped": why_stopped(key.team),
        "permitted": permitted,
        "calls": last_calls(key),
        "samples": _samples(request, permitted),
        "back": _address(key.team),
    }
    return render(request, "portal/key.html", context)


def _save_of_key(request: HttpRequest, public_id: str, **sent: Any) -> HttpResponse:
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
    own = with_facts(Key.objects.filter(team__in=teams).with_limits()).prefetch_related("team__projects")
    found = get_object_or_404(own, public_id=public_id)
    here = act_as(request, teams[found.team_id])
    if changes and not here.may_manage(found):
        checked(here, Right.KEYS)
    return found, here


def _after(team: Team, scopes: Collection[str]) -> str:
    """The page that has such keys: those for feeds stand in addresses."""
    return f"{reverse('portal:feeds')}?team={team.slug}" if FEED in scopes else _address(team)


def _address(team: Team) -> str:
    return f"{reverse('portal:keys')}?team={team.slug}"
