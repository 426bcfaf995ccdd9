"""Who may look at pages that an operator opens to everybody, to people with an account, or to nobody."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.utils.functional import SimpleLazyObject

PUBLIC, SIGNED_IN, OFF = ("public", "signed-in", "off")
SEEN_BY = ("team", "key")
"""By which parameters somebody who is signed in chooses with whose eyes the pages are seen."""

View = Callable[..., HttpResponse]


def is_open_to(request: HttpRequest, setting: str = "PUBLIC_CATALOGUE") -> bool:
    word = getattr(settings, setting)
    return request.user.is_authenticated if word == SIGNED_IN else bool(word == PUBLIC)


def guarded_by(setting: str, told: str) -> Callable[[View], View]:
    """404 with those words where the setting says off; through the sign-in and back where it says signed-in."""

    def guard(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, **arguments: Any) -> HttpResponse:
            if is_open_to(request, setting):
                return _for_whoever_asks(view(request, **arguments), request)
            if getattr(settings, setting) == OFF:
                raise Http404(told)
            return redirect_to_login(request.get_full_path())

        return answer

    return guard


guarded = guarded_by("PUBLIC_CATALOGUE", "The catalogue's pages are switched off.")


def _for_whoever_asks(response: HttpResponse, request: HttpRequest) -> HttpResponse:
    """What somebody who is signed in sees is their team's, and for no cache that others share."""
    if request.user.is_authenticated:
        patch_cache_control(response, private=True)
    return response


def navigation(request: HttpRequest) -> dict[str, Any]:
    """For every template: whether to link there. Asked only where a template asks."""
    return {
        "shows_catalogue": SimpleLazyObject(lambda: is_open_to(request)),
        "shows_status": SimpleLazyObject(lambda: is_open_to(request, "STATUS_PAGE")),
    }
