"""The requests of all teams as they come, for staff who may see the ledger."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from accounts.calls.answers import Desk, show_log, show_news
from accounts.models import Team
from gateway.core.admin_base import AdminBase

_DESK = Desk(
    "admin/accounts/requests.html",
    "admin:accounts_ledgerentry_log",
    "admin:accounts_ledgerentry_news",
    "admin:accounts_ledgerentry_receipt",
    shows_team=True,
)


class RequestLogPages(AdminBase):
    """Beside the ledger's list, which tells attempts and corrections one by one."""

    def log_urls(self) -> list[URLPattern]:
        log, news = map(self.admin_site.admin_view, (self.log_view, self.news_view))
        return [
            path("requests/", log, name="accounts_ledgerentry_log"),
            path("requests/news/", news, name="accounts_ledgerentry_news"),
        ]

    def log_view(self, request: HttpRequest) -> HttpResponseBase:
        """Raises Http404, PermissionDenied."""
        self.check_may_view(request)
        context = self.admin_site.each_context(request) | {
            "title": "Requests of all teams",
            "opts": self.opts,
        }
        return show_log(request, _DESK, _team_asked(request), None, context)

    def news_view(self, request: HttpRequest) -> HttpResponse:
        """Raises Http404, PermissionDenied."""
        self.check_may_view(request)
        return show_news(request, _DESK, _team_asked(request))

    def check_may_view(self, request: HttpRequest) -> None:
        """Raises PermissionDenied."""
        if not self.has_view_permission(request):
            raise PermissionDenied


def _team_asked(request: HttpRequest) -> Team | None:
    """None: all of them. Raises Http404."""
    slug = request.GET.get("team", "").strip()
    if not slug:
        return None
    if (team := Team.objects.filter(slug=slug).first()) is None:
        raise Http404(f"There is no team '{slug}'.")
    return team
