"""A form sent after its session or its token was over: back to its page, told what became of it."""

from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from gateway.core.middleware import Middleware

TOLD = "You were signed out before this was sent, so nothing was changed. Sign in, and send it again."


class SentTooLate(Middleware):
    """The address that a form was sent to may not open by itself: its page does."""

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        match = request.resolver_match
        if request.method != "POST" or match is None or match.app_name not in {"portal", "admin"}:
            return response
        sign_in = resolve_url(settings.LOGIN_URL)
        doors = (f"{sign_in}?", f"{reverse('admin:login')}?")
        if response.status_code != 302 or not response["Location"].startswith(doors):
            return response
        if page := _page_of(request):
            response["Location"] = f"{sign_in}?{urlencode({'next': page})}"
        messages.warning(request, TOLD)
        return response


def refused(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001  # Django logs it
    """A form whose token is over or lacking: a page that leads back to where it stood."""
    return render(request, "403_csrf.html", {"page": _page_of(request)}, status=403)


def _page_of(request: HttpRequest) -> str:
    """Where the form stood, by what the browser says; empty where that is no page of ours."""
    page = request.headers.get("referer", "")
    if not url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure()):
        return ""
    parts = urlsplit(page)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
