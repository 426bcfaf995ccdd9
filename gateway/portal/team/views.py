"""A team's settings: its terms and floors, and the acts that stop it; what each of its own gets, removed."""

from collections.abc import Sequence

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import services
from accounts.models import Team
from accounts.rights import Right
from gateway.core.refusals import InvalidField
from gateway.portal.acting import acting, acting_with, checked
from gateway.portal.ending import Ending, ask_first, at_stake, named_keys
from gateway.portal.limits.allowances import remove_from
from gateway.portal.listing import why_stopped
from gateway.portal.team.forms import TeamForm


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def team(request: HttpRequest) -> HttpResponse:
    """Who belongs to it looks, and its owners change its terms."""
    here = acting(request)
    found = here.team
    if request.method == "POST":
        checked(here, Right.TERMS)
    form = TeamForm(request.POST if request.method == "POST" else None, instance=found)
    if request.method == "POST" and _save(found, form):
        messages.success(request, "Saved. Calls obey within a second.")
        return redirect(_address(found))
    if request.method == "POST":
        # Its form has put what was typed into it.
        found = acting(request).team
    context = {"team": found, "rights": here.rights, "why_stopped": why_stopped(found), "form": form}
    return render(request, "portal/team.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def freeze(request: HttpRequest) -> HttpResponse:
    """Asks first; POST stops the team's keys until somebody lets them go on."""
    found = acting_with(request, Right.TERMS).team
    if request.method != "POST":
        act = f"Freeze {found.name}"
        says = [
            f"Within a second all keys of {found.name} are refused.",
            "Nothing is lost: an owner lets them go on as fast.",
        ]
        return _ask(request, found, act, says, stay="Let it go on", call="team_freeze")
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
    says = [
        f"Within a second all keys of {found.name} are refused, and nothing can be made in it any more.",
        "What it used and spent is kept. Only an administrator can bring it back.",
        "To stop its keys for a while, freeze it instead.",
    ]
    return _ask(request, found, f"Archive {found.name}", says, stay="Keep it", call="team_archive")


def _ask(
    request: HttpRequest, team: Team, act: str, says: Sequence[str], *, stay: str, call: str
) -> HttpResponse:
    keys, more = named_keys(team.keys.all())
    ending = Ending(f"{act}?", says, act, _address(team), stay, keys, more, call, facts=at_stake(team))
    return ask_first(request, team, ending)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def remove_allowance(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002  # the name in the address
    return remove_from(request, acting_with(request, Right.TERMS).team, id)


def _save(team: Team, form: TeamForm) -> bool:
    """False where it cannot be, which the form says."""
    if not form.is_valid():
        return False
    try:
        services.save_team(team=team, fields=form.changed_data, is_owners=True)
    except InvalidField as fault:
        form.add_error(fault.field if fault.field in form.fields else None, fault.message)
        return False
    return True


def _address(team: Team) -> str:
    return f"{reverse('portal:team')}?team={team.slug}"
