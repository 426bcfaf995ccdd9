"""Who belongs to a team: their roles, leaving, and the keys that those who left have left behind."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.acting import Acting
from accounts.memberships import give_role, hand_over_key, keys_left_behind, leave
from accounts.models import Key, Membership
from accounts.rights import Right
from gateway.core.refusals import InvalidField, Refused
from gateway.portal.acting import acting, acting_with, checked, person_of
from gateway.portal.ending import at_stake
from gateway.portal.listing import row_of
from gateway.portal.members.forms import FateForm, KeysForm, RoleForm
from gateway.portal.members.page import show_members
from gateway.portal.subjects import read_pk

_SHOWN = 100


@never_cache
@login_required
@require_safe
def members(request: HttpRequest) -> HttpResponse:
    """Everybody, those who left last; and the open invitations, for those who may invite."""
    return show_members(request, acting(request))


@never_cache
@login_required
@require_POST
def change_role(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002  # the name in the address
    """Also of somebody who left: that lets them back in."""
    here, found = _member(request, id)
    form = RoleForm(request.POST, acting=here)
    if not form.is_valid():
        messages.error(request, "This is no role that you may give.")
        return redirect(_page_of(found))
    wanted = form.cleaned_data["role"]
    try:
        changed = give_role(team=here.team, person=found.user, role=wanted, by=here)
    except (InvalidField, Refused) as refusal:
        messages.error(request, refusal.message)
    else:
        why = "" if changed.role == wanted else ": an identity provider or a request says more"
        messages.success(request, f"{found.user} is now {changed.role} of {here.team.name}{why}.")
    return redirect(_page_of(found))


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def suspend(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002
    """Asks what becomes of their keys; POST ends the membership."""
    here, found = _member(request, id)
    return _end(request, here, found, back=_page_of(found))


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def leave_team(request: HttpRequest) -> HttpResponse:
    """One's own. Asks what becomes of one's keys."""
    here = acting(request)
    found = get_object_or_404(here.team.memberships.active(), user=person_of(request))
    return _end(request, here, found, back=f"{reverse('portal:members')}?team={here.team.slug}")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def left_behind(request: HttpRequest) -> HttpResponse:
    """Keys whose owner left or may not have them any more; POST hands `key` over, or leads to where it is revoked."""
    here = acting_with(request, Right.KEYS)
    keys = keys_left_behind(here.team)
    form = FateForm(request.POST if request.method == "POST" else None, acting=here)
    if request.method == "POST":
        key = get_object_or_404(keys, public_id=_plain(request.POST.get("key", "")))
        if form.is_valid() and form.then.act == "revoke":
            return redirect(f"{reverse('portal:revoke', args=[key.public_id])}?from=left-behind")
        if form.is_valid() and (told := _hand_over(here, key, form)):
            messages.success(request, told)
            return redirect(f"{reverse('portal:left-behind')}?team={here.team.slug}")
        messages.error(request, " ".join(map(str, form.non_field_errors())) or "Say what becomes of the key.")
    at = timezone.now()
    context = {
        "team": here.team,
        "rows": [row_of(key, at, here) for key in keys[:_SHOWN]],
        "form": form,
    }
    return render(request, "portal/left_behind.html", context)


def _hand_over(here: Acting, key: Key, form: FateForm) -> str:
    """What was done; empty where it cannot be."""
    then = form.then
    try:
        hand_over_key(key=key, to=then.to, by=here)
    except (InvalidField, Refused) as refusal:
        form.add_error(None, refusal.message)
        return ""
    return f"“{key.name}” is {then.to or here.team.name}'s now." + (
        f" {key.known_to} may know it still: rotate it on its page." if key.known_to else ""
    )


def _end(request: HttpRequest, here: Acting, found: Membership, *, back: str) -> HttpResponse:
    is_own = found.user_id == person_of(request).pk
    form = KeysForm(request.POST if request.method == "POST" else None, membership=found)
    if request.method == "POST" and form.is_valid():
        try:
            leave(membership=found, keys=form.then, by=here)
        except (InvalidField, Refused) as refusal:
            form.add_error(None, refusal.message)
        else:
            who = "You have left" if is_own else f"{found.user} does not belong any more to"
            is_handed_on = not is_own and form.then is not None and form.then.act != "revoke"
            more = f" {found.user} may know their former keys still: rotate them." if is_handed_on else ""
            messages.success(request, f"{who} {here.team.name}.{more}")
            return redirect("portal:keys" if is_own else back)
    context = {
        "team": here.team,
        "member": found,
        "is_own": is_own,
        "form": form,
        "facts": at_stake(found),
        "comes_back": found.grants.filter(source__in=["sso", "scim"]).exists(),
        "back": back,
    }
    return render(request, "portal/leave.html", context)


def _member(request: HttpRequest, text: str) -> tuple[Acting, Membership]:
    """Raises Http404, PermissionDenied."""
    here = acting(request)
    found = get_object_or_404(here.team.memberships.select_related("user", "team"), pk=read_pk(text))
    return checked(here, Right.MEMBERS), found


def _page_of(member: Membership) -> str:
    return f"{reverse('portal:member', args=[member.pk])}?team={member.team.slug}"


def _plain(text: str) -> str:
    # Nothing but letters and digits reaches SQL: PostgreSQL fails on a NUL.
    return text if text.isalnum() else ""
