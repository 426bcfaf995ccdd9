"""The admin's own addresses of signing in, signing out and passwords: they lead to the one door."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, resolve_url
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from gateway.identity.sign_in import SignOut


@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """On to the page, or to the sign-in. Whoever is signed in and may not enter hears so."""
    place = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(place, allowed_hosts={request.get_host()}):
        place = reverse("admin:index")
    if not request.user.is_authenticated:
        return redirect(f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': place})}")
    if not admin.site.has_permission(request):
        raise PermissionDenied("The admin is for staff. Sign out, and in again as somebody who may enter it.")
    return HttpResponseRedirect(place)


def change_password(_request: HttpRequest) -> HttpResponse:
    return redirect("account_change_password")


urlpatterns = [
    path("login/", sign_in),
    path("logout/", SignOut.as_view()),
    path("password_change/", change_password),
    path("password_change/done/", change_password),
]
