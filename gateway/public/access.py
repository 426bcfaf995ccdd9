"""Who may look at the catalogue's pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

PUBLIC, SIGNED_IN, OFF = ("public", "signed-in", "off")

View = Callable[..., HttpResponse]


def is_open_to(request: HttpRequest) -> bool:
    if settings.PUBLIC_CATALOGUE == SIGNED_IN:
        return request.user.is_authenticated
    return bool(settings.PUBLIC_CATALOGUE == PUBLIC)


def guarded(view: View) -> View:
    """404 where the pages are off; through the sign-in and back where they are for those who have signed in."""

    @wraps(view)
    def answer(request: HttpRequest, **arguments: Any) -> HttpResponse:
        if is_open_to(request):
            return view(request, **arguments)
        if settings.PUBLIC_CATALOGUE == OFF:
            raise Http404("The catalogue's pages are switched off.")
        return redirect_to_login(request.get_full_path())

    return answer


def navigation(request: HttpRequest) -> dict[str, Any]:
    """For every template: whether to link there. Asked only where a template asks."""
    return {"shows_catalogue": SimpleLazyObject(lambda: is_open_to(request))}
