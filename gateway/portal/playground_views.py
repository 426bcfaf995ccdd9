"""The playground: models side by side on one prompt, as a client like any other."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from accounts import services
from accounts.memberships import teams_of
from accounts.rights import Right
from gateway.core.links import base_url_of
from gateway.core.refusals import InvalidField
from gateway.portal.acting import acting_everywhere, acting_for, checked, choose, person_of

MOST_MODELS = 4


@never_cache
@login_required
@ensure_csrf_cookie
@require_safe
def playground(request: HttpRequest) -> HttpResponse:
    """`?model=` names the first one. What is run is asked for by the page's script, with a key of its own."""
    everywhere = acting_everywhere(request)
    if not everywhere:
        return render(request, "portal/no_team.html")
    calling = [each for each in everywhere if each.may(Right.CALL)]
    slug = request.GET.get("team")
    here = choose(everywhere if slug is not None or not calling else calling, slug)
    context = {
        "teams": [each.team for each in calling],
        "team": checked(here, Right.CALL).team,
        "model": request.GET.get("model", "")[:200],
        "most_models": MOST_MODELS,
        "base_url": base_url_of(request),
    }
    return render(request, "portal/playground.html", context)


@never_cache
@require_POST
def issue_key(request: HttpRequest) -> JsonResponse:
    """A key of the person's own in `team`, for an hour. 401 where nobody is signed in any more."""
    if not request.user.is_authenticated:
        return JsonResponse({"error": "You are signed out. Sign in again, and go on."}, status=401)
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
