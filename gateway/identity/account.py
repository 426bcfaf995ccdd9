"""One's own account: who one is here, the factors that open it, and the sessions that are open."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from allauth.mfa.base.views import IndexView
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.audit import record_event
from accounts.models import IdentityProvider, User
from accounts.second_factor import is_demanded_of
from accounts.sessions import end_sessions, sessions_of

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("HeadlessChrome", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_PROGRAM = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A session as people recognise it."""

    row: UserSession
    browser: str
    is_this: bool


def name_browser(user_agent: str) -> str:
    """Such as `Firefox on Windows`; else the first word of what it calls itself."""
    browser = next((name for mark, name in _BROWSERS if f"{mark}/" in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    program = _PROGRAM.match(user_agent)
    return browser or system or (program.group() if program else "unknown")


@method_decorator([never_cache, login_required], name="dispatch")
class Account(IndexView):
    template_name = "identity/account.html"

    def get_context_data(self, **named: Any) -> dict[str, Any]:
        person = person_of(self.request)
        context = dict(super().get_context_data(**named))
        found = context["authenticators"]
        return context | {
            "app": found.get(Authenticator.Type.TOTP),
            "passkeys": found.get(Authenticator.Type.WEBAUTHN, ()),
            "codes": found.get(Authenticator.Type.RECOVERY_CODES),
            "is_demanded": is_demanded_of(person),
            "may_change_password": settings.LOCAL_PASSWORDS and person.has_usable_password(),
            "providers": _providers_of(person),
            "sessions": _lines(self.request, person),
        }


@login_required
@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """One of the person's own; this one too."""
    row = get_object_or_404(UserSession, pk=pk, user=person_of(request))
    record_event(
        "session.ended", person=person_of(request), facts={"address": row.ip, "browser": row.user_agent}
    )
    is_this = row.session_key == request.session.session_key
    row.end()
    if is_this:
        logout(request)
        return redirect("account_login")
    messages.success(request, "That session is ended.")
    return redirect("mfa_index")


@login_required
@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    count = end_sessions(person_of(request), but=request.session.session_key)
    record_event("session.ended", person=person_of(request), facts={"sessions": count})
    messages.success(request, f"Ended: {count} other session{'' if count == 1 else 's'}.")
    return redirect("mfa_index")


def person_of(request: HttpRequest) -> User:
    """Of a page that takes somebody who has signed in."""
    assert isinstance(request.user, User)  # noqa: S101  # for types: pages without a sign-in do not call it
    return request.user


def _providers_of(person: User) -> Sequence[tuple[IdentityProvider, bool]]:
    """Each that opens the door, and whether it knows the person."""
    known = set(SocialAccount.objects.filter(user=person).values_list("provider", flat=True))
    return [(row, row.slug in known) for row in IdentityProvider.objects.filter(is_active=True)]


def _lines(request: HttpRequest, person: User) -> Sequence[SessionLine]:
    this = request.session.session_key
    return [
        SessionLine(row, name_browser(row.user_agent), row.session_key == this) for row in sessions_of(person)
    ]
