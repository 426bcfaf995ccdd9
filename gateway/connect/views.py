"""Where a provider is connected, and what can be called since."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.models import User
from catalogue.upstream_names import MOST_ADDED, add_names, names_to_add
from gateway.connect.forms import ListedForm, OwnForm
from gateway.connect.outcome import Outcome, tell_added, tell_check
from gateway.core.sealing import SecretError
from providers import local_servers, services
from providers.connecting import connect as save_connection
from providers.connecting import facts_with, policy_to
from providers.connection_check import ConnectionCheck, check_connection
from providers.models import Provider, UpstreamList

TO_CONNECT = (
    "providers.add_provider",
    "providers.change_provider",
    "providers.add_credential",
    "providers.change_credential",
)
TO_ADD = ("catalogue.add_organisation", "catalogue.add_model", "catalogue.add_offering")

View = Callable[..., HttpResponse]


def _for_those_who_may(view: View) -> View:
    @wraps(view)
    def answer(request: HttpRequest, **arguments: Any) -> HttpResponse:
        if not request.user.has_perms(TO_CONNECT):
            raise PermissionDenied
        return view(request, **arguments)

    return answer


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@_for_those_who_may
def connect(request: HttpRequest) -> HttpResponse:
    """Three ways in; POST tries the one that `act` names, and saves only what answered."""
    act = request.POST.get("act")
    listed = ListedForm(request.POST if act == "listed" else None)
    own = OwnForm(
        request.POST if act == "own" else None,
        may_allow=bool(request.user.is_active and request.user.is_superuser),
        may_add=request.user.has_perms(TO_ADD),
    )
    provider = None
    if listed.is_valid():
        provider = _connect_listed(request, listed)
    elif own.is_valid():
        provider = _connect_own(request, own)
    if provider is not None:
        return redirect("connect:connected", provider.pk)
    context = {"title": "Connect a provider", "listed": listed, "own": own}
    return _page(request, "admin/connect.html", {**context, **_finding(own, is_asked=act == "find")})


@require_http_methods(["GET", "HEAD", "POST"])
@_for_those_who_may
def connected(request: HttpRequest, pk: int) -> HttpResponse:
    """What can be called there now, and a call to paste; POST adds what the provider lists and the catalogue lacks."""
    provider = get_object_or_404(Provider.objects.with_credential(), pk=pk)
    known = UpstreamList.objects.filter(provider=provider).first()
    names = list(known.names) if known else []
    may_add = request.user.has_perms(TO_ADD)
    if request.method == "POST":
        if not may_add:
            raise PermissionDenied
        _add(request, provider, names)
        return redirect("connect:connected", pk)
    context = {
        "title": f"{provider.name} is connected",
        "provider": provider,
        "access": services.access_of(provider),
        "outcome": Outcome.of(request, provider, names),
        "names": names,
        "to_add": names_to_add(provider, names),
        "may_add": may_add,
        "most_added": MOST_ADDED,
    }
    return _page(request, "admin/connected.html", context)


def _connect_listed(request: HttpRequest, form: ListedForm) -> Provider | None:
    provider: Provider = form.cleaned_data["provider"]
    return provider if _try(request, form, provider, has_list=provider.is_probed) else None


def _connect_own(request: HttpRequest, form: OwnForm) -> Provider | None:
    provider = form.provider
    if provider is None or not (check := _try(request, form, provider, has_list=True)):
        return None
    if form.cleaned_data.get("adds_models") and check.outcome:
        _add(request, provider, check.outcome.names)
    return provider


def _try(
    request: HttpRequest, form: ListedForm | OwnForm, provider: Provider, *, has_list: bool
) -> ConnectionCheck | None:
    """The check where it went well and all is saved; else None, and the form says what is the matter."""
    secret, is_allowed = form.cleaned_data["secret"], bool(form.cleaned_data.get("is_allowed"))
    policy = policy_to(provider, is_allowed=is_allowed)
    check = check_connection(facts_with(provider, secret), policy=policy, has_list=has_list)
    if check.error:
        form.add_error(None, check.error)
        return None
    try:
        save_connection(provider=provider, secret=secret, outcome=check.outcome, is_allowed=is_allowed)
    except SecretError as error:
        form.add_error("secret", str(error))
        return None
    messages.success(request, tell_check(provider, check, has_key=bool(secret)))
    return check


def _add(request: HttpRequest, provider: Provider, names: Any) -> None:
    author = request.user if isinstance(request.user, User) else None
    missing = names_to_add(provider, names)
    if missing:
        added = add_names(provider, missing, author=author, on=timezone.now().date())
        tell_added(request, added)


def _finding(own: OwnForm, *, is_asked: bool) -> Mapping[str, Any]:
    """What a search of this machine shows."""
    policy = local_servers.ALL_OPEN if own.may_allow else services.outbound_policy()
    own_ports = {settings.PORT, services.demo_port() or settings.PORT}
    context: dict[str, Any] = {
        "known_servers": [
            (name, port) for port, name in local_servers.PORTS.items() if port not in own_ports
        ],
        "taken": [(name, port) for port, name in local_servers.PORTS.items() if port in own_ports],
        "allows_local": settings.LOCAL_SERVERS_ALLOWED,
        "is_asked": is_asked,
    }
    if is_asked:
        context["found"] = local_servers.find_local_servers(policy, own_ports=own_ports)
    return context


def _page(request: HttpRequest, template: str, context: Mapping[str, Any]) -> HttpResponse:
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context})
