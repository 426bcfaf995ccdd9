"""What stands between a session and the pages: a factor that is demanded, and that the session is listed."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.models import User
from accounts.second_factor import has_factor, is_lacking
from accounts.sessions import note_seen
from gateway.core.middleware import Middleware

_REACHABLE = frozenset(
    {
        "account_logout",
        "account_reauthenticate",
        "favicon",
        "healthz",
        "mfa_index",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
        "readyz",
    }
)
# For those only who have none yet: whoever knows a password, and not the factor, must not add one of their own.
_SETTING_UP = frozenset({"mfa_activate_totp", "mfa_add_webauthn"})
_API = ("/v1/", "/v1beta/", "/metrics", "/leaks")


class Sessions(Middleware):
    """Keeps whoever lacks a demanded factor at the page that sets one up or asks for it.

    The API judges its own sessions: a key counts there too.
    """

    def process_view(
        self, request: HttpRequest, _view: Callable[..., Any], _arguments: Any, _named: Any
    ) -> HttpResponse | None:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or request.path_info.startswith(_API):
            return None
        person = request.user
        if not isinstance(person, User):
            return None
        note_seen(request)
        name = _name_of(request)
        if name in _REACHABLE or not is_lacking(request):
            return None
        if name in _SETTING_UP and not has_factor(person):
            return None
        return _ask_for_factor(request, person)


def _name_of(request: HttpRequest) -> str:
    match = request.resolver_match
    return match.url_name or "" if match and not match.namespace else ""


def _ask_for_factor(request: HttpRequest, person: User) -> HttpResponse:
    if request.method not in {"GET", "HEAD"} or "text/html" not in request.headers.get("Accept", "text/html"):
        words = "A second factor is demanded of you: open the portal and show one."
        error = {"message": words, "type": "permission_error", "code": "second_factor_required"}
        return JsonResponse({"error": error}, status=403)
    if has_factor(person):
        place = urlencode({"next": request.get_full_path()})
        return redirect(f"{reverse('mfa_reauthenticate')}?{place}")
    messages.warning(request, "A second factor is demanded of you. Add one, and everything is open again.")
    return redirect("mfa_index")
