"""The team's log of requests, what came to it since, and one request."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.calls.answers import Desk, show_log, show_news
from accounts.calls.timeline import draw_request
from accounts.models import Key, Team
from accounts.receipts import Receipt, read_receipt
from accounts.rights import Right
from gateway.core.links import base_url_of
from gateway.portal.acting import acted_everywhere, acting_for, acting_with, teams_here
from gateway.portal.requests.retelling import BODY_FILE, answered_headers, as_curl, body_hint, metered_of

_RECEIPT = "portal:receipt"
_DESK = Desk("portal/requests.html", "portal:requests", "portal:requests-news", _RECEIPT)


@never_cache
@login_required
@require_safe
def log(request: HttpRequest) -> HttpResponseBase:
    """Of one team; a request is sought in all of the person's."""
    team = acting_with(request, Right.READ).team
    return show_log(request, _DESK, team, [each.team.pk for each in acted_everywhere(request)])


@never_cache
@login_required
@require_safe
def news(request: HttpRequest) -> HttpResponse:
    return show_news(request, _DESK, acting_with(request, Right.READ).team)


@never_cache
@login_required
@require_safe
def one(request: HttpRequest, request_id: str) -> HttpResponse:
    """A request of any of the person's teams; else 404."""
    found, team = _find(request, request_id)
    here = acting_for(request, team, Right.READ)
    context = {
        "team": team,
        "receipt": found,
        "key": Key.objects.filter(pk=found.first.key_id).first(),
        "timeline": draw_request(found),
        "curl": as_curl(found, base_url_of(request)),
        "body_file": BODY_FILE,
        "body_hint": body_hint(found.first),
        "metered": metered_of(found),
        "headers": answered_headers(found),
        "may_call": here.may(Right.CALL),
    }
    return render(request, "portal/request.html", context)


@never_cache
@login_required
@require_safe
def old_address(request: HttpRequest, request_id: str) -> HttpResponse:
    """Where a request's page was before."""
    _find(request, request_id)
    return redirect(_RECEIPT, request_id)


def _find(request: HttpRequest, request_id: str) -> tuple[Receipt, Team]:
    """Raises Http404."""
    teams = {team.pk: team for team in teams_here(request)}
    found = read_receipt(request_id, teams) if request_id.isprintable() else None
    if found is None:
        raise Http404("None of your teams made that request.")
    return found, teams[found.first.team_id]
