"""The playground's page, what its pickers offer, and the key that its script calls with."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST, require_safe

from accounts import services
from accounts.memberships import teams_of
from accounts.rights import Right
from catalogue.published.reading import read_now
from gateway.core.links import base_url_of
from gateway.core.reader import current
from gateway.core.refusals import InvalidField
from gateway.portal.acting import acting_everywhere, acting_for, acting_with, checked, choose, person_of
from gateway.portal.playground.offered import offered_to

MOST_MODELS = 4
_NAME_LENGTH = 200
_SIGNED_OUT = {"error": "You are signed out. Sign in again, and go on."}


@never_cache
@login_required
@ensure_csrf_cookie
@require_safe
def playground(request: HttpRequest) -> HttpResponse:
    """`?model=` names one, and may come up to four times. What is run is asked for by the page's script, with a key of
    its own.
    """
    everywhere = acting_everywhere(request)
    if not everywhere:
        return render(request, "portal/no_team.html")
    calling = [each for each in everywhere if each.may(Right.CALL)]
    here = choose(request, everywhere if "team" in request.GET or not calling else calling)
    named = [name.strip()[:_NAME_LENGTH] for name in request.GET.getlist("model")]
    models = list(dict.fromkeys(filter(None, named)))
    context = {
        "team": checked(here, Right.CALL).team,
        "models": models[:MOST_MODELS] or [""],
        "left_out": models[MOST_MODELS:],
        "most_models": MOST_MODELS,
        "base_url": base_url_of(request),
        "locale": current().locale.for_browsers,
    }
    return render(request, "portal/playground.html", context)


@never_cache
@require_safe
@gzip_page
def models(request: HttpRequest) -> JsonResponse:
    """What `?team=` may call, for pickers. 401 where nobody is signed in any more."""
    if not request.user.is_authenticated:
        return JsonResponse(_SIGNED_OUT, status=401)
    team = acting_with(request, Right.CALL).team
    return JsonResponse({"models": offered_to(team, read_now())})


@never_cache
@require_POST
def issue_key(request: HttpRequest) -> JsonResponse:
    """A key of the person's own in `team`, for an hour. 401 where nobody is signed in any more."""
    if not request.user.is_authenticated:
        return JsonResponse(_SIGNED_OUT, status=401)
    person = person_of(request)
    try:
        team = get_object_or_404(teams_of(person), slug=request.POST.get("team", ""))
        acting_for(request, team, Right.CALL)
        key, text = services.issue_playground_key(team=team, person=person)
    except Http404:
        return JsonResponse({"error": "You belong to no such team."}, status=404)
    except PermissionDenied as refusal:
        return JsonResponse({"error": str(refusal)}, status=403)
    except InvalidField as fault:
        return JsonResponse({"error": fault.message}, status=400)
    return JsonResponse({"key": text, "expires_at": key.expires_at})
