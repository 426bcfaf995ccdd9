"""The portal as a team sees it, for support: read-only, whatever is sent."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts import viewing
from gateway.core.middleware import Middleware

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# The admin is another desk of the same person, and keys open the API, whatever a browser's session says.
_ELSEWHERE = frozenset({"admin"})
_API = ("/v1/", "/v1beta/")
_WAYS_OUT = frozenset({"portal:view-as-end", "account_logout"})


class ReadOnlyView(Middleware):
    """Says to pages which team is looked at, and refuses what would change anything meanwhile."""

    def process_view(
        self,
        request: HttpRequest,
        view: Any,  # noqa: ARG002  # Django's signature
        arguments: Any,  # noqa: ARG002
        named: Any,  # noqa: ARG002
    ) -> None:
        """Raises PermissionDenied."""
        match = request.resolver_match
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or match is None:
            return
        if match.app_name in _ELSEWHERE or request.path_info.startswith(_API):
            return
        team = viewing.viewed_team(request)
        request.viewing_as = team  # type: ignore[attr-defined]
        if team is not None and request.method not in _SAFE and match.view_name not in _WAYS_OUT:
            raise PermissionDenied(
                f"You look at {team.name} as it sees itself: nothing can be changed meanwhile."
            )


@login_required
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    team = viewing.end(request)
    if team is None or not request.user.has_perm("accounts.view_team"):
        return redirect("portal:home")
    return redirect(reverse("admin:accounts_team_change", args=[team.pk]))
