"""Signing in by an identity provider: away to it and back, by allauth, with a nonce and with signatures looked at."""

import logging
import secrets
import time
from collections.abc import Mapping
from typing import Any, cast

import requests
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import identity_providers
from accounts.audit import record_event
from accounts.identity_providers import Said
from accounts.models import IdentityProvider, User
from accounts.tokens import BadToken, read_token
from gateway.core.links import origin_of
from gateway.core.sealing import unseal
from gateway.identity.outgoing import Session

logger = logging.getLogger(__name__)
_KEPT_S = 600.0
_discovered: dict[str, tuple[float, dict[str, Any]]] = {}
_WRONG = (PermissionError, OAuth2Error, requests.RequestException, LookupError, TypeError, ValueError)


class Refused(Exception):
    """In a sentence for whoever wanted to sign in."""


def apps_of(providers: Any) -> list[SocialApp]:
    """Identity providers in allauth's form; never saved as such, for there secrets would rest readable."""
    return [
        SocialApp(
            provider=OpenIDConnectProvider.id,
            provider_id=row.slug,
            name=row.name,
            client_id=row.client_id,
            secret=unseal(row.sealed_secret).decode() if row.sealed_secret else "",
            settings={"server_url": row.issuer, "oauth_pkce_enabled": True, "scope": row.scopes.split()},
        )
        for row in providers
    ]


class Adapter(OpenIDConnectOAuth2Adapter):
    """Reads what the provider says of itself now and then, and believes only tokens that it signed."""

    @property
    def openid_config(self) -> dict[str, Any]:
        issuer = self.get_provider().app.settings["server_url"]
        kept = _discovered.get(issuer)
        if kept is None or time.monotonic() - kept[0] > _KEPT_S:
            config = _fetch(issuer.rstrip("/") + "/.well-known/openid-configuration")
            if not isinstance(config, Mapping) or str(config.get("issuer")).rstrip("/") != issuer.rstrip("/"):
                raise BadToken("It says that it is another issuer.")
            kept = _discovered[issuer] = (time.monotonic(), dict(config))
        return kept[1]

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any) -> SocialLogin:
        config, text = self.openid_config, kwargs["response"].get("id_token")
        if not isinstance(text, str):
            raise BadToken("It gave no token that says who you are.")
        data = {
            "id_token": read_token(
                text,
                issuer=config["issuer"],
                client_id=app.client_id,
                keys_url=config["jwks_uri"],
                fetch=_fetch,
            )
        }
        if config.get("userinfo_endpoint"):
            data["userinfo"] = self._fetch_user_info(token.token)
            if data["userinfo"].get("sub") != data["id_token"]["sub"]:
                raise BadToken("What it says of you is of somebody else.")
        return self.get_provider().sociallogin_from_response(request, data)

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:  # noqa: ARG002
        path = reverse("openid_connect_callback", kwargs={"provider_id": self.provider_id})
        return origin_of(request) + path


@never_cache
@require_POST
def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Away to the provider; with `connect`, whoever is signed in will be known by it too."""
    provider = _provider_at(request, provider_id)
    process = (
        AuthProcess.CONNECT
        if "connect" in request.POST and request.user.is_authenticated
        else AuthProcess.LOGIN
    )
    place = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(place, {request.get_host()}, require_https=request.is_secure()):
        place = ""
    nonce = secrets.token_urlsafe(24)
    try:
        answer: HttpResponse = provider.redirect(
            request,
            process=process,
            next_url=place or None,
            auth_params=provider.get_auth_params() | {"nonce": nonce},
            nonce=nonce,
        )
    except _WRONG as error:
        return _told(request, provider.name, error)
    if not answer["Location"].startswith("http"):
        return answer
    # A form that leads to another host by way of a redirect is stopped by our own policy; a page that goes on is not.
    return render(request, "identity/away.html", {"name": provider.name, "place": answer["Location"]})


@never_cache
@require_safe
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Back from it."""
    provider = _provider_at(request, provider_id)
    try:
        answer: HttpResponse = OAuth2CallbackView.adapter_view(provider.get_oauth2_adapter(request))(request)
    except _WRONG as error:
        return _told(request, provider.name, error)
    return answer


def let_in(request: HttpRequest, login: SocialLogin) -> None:
    """Before allauth opens the session: whom the provider means, and what they are in teams.

    Raises ImmediateHttpResponse where no session is opened.
    """
    row = IdentityProvider.objects.get(slug=login.account.provider)
    try:
        _check_nonce(login)
        claims = claims_of(login.account.extra_data)
        # Of what it said nothing is kept but who that was.
        login.account.extra_data = {name: claims[name] for name in ("iss", "sub")}
        if login.state.get("process") == AuthProcess.CONNECT:
            raise ImmediateHttpResponse(_connect(request, row, login))
        _open(request, row, login, claims)
    except (Refused, BadToken) as refusal:
        raise ImmediateHttpResponse(_told(request, row.name, refusal)) from None


def _open(request: HttpRequest, row: IdentityProvider, login: SocialLogin, claims: dict[str, Any]) -> None:
    meaning, said = identity_providers.read_rules(row, claims), said_of(claims)
    if not login.is_existing:
        person = identity_providers.find_known(row, said)
        if person is None and not identity_providers.may_be_made(row, said, meaning):
            raise Refused(
                f"Nobody here is known to {row.name} as you. Ask an administrator of this gateway, or an owner of a "
                "team, for an invitation."
            )
        login.user = login.account.user = person or identity_providers.make_person(row, said)
    login.account.save()
    if isinstance(login.user, User) and login.user.is_active:
        identity_providers.apply_roles(row, login.user, meaning)
        if meaning.left_out:
            messages.warning(
                request,
                f"{row.name} did not say which groups you are in, because they are too many: what you are in teams "
                "stays as it was. An administrator can have it send only the groups of this application.",
            )


def _connect(request: HttpRequest, row: IdentityProvider, login: SocialLogin) -> HttpResponse:
    """Let whoever is signed in be known by the provider, too."""
    person = cast("User", request.user)
    if login.is_existing and login.user != person:
        raise Refused(f"{row.name} knows somebody else here as you. Sign in by it to see who that is.")
    if not login.is_existing:
        login.account.user = person
        login.account.save()
        record_event("sso.connected", row=person, facts={"provider": row.name})
    messages.success(request, f"You may sign in by {row.name} from now on.")
    return redirect("mfa_index")


def claims_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """Of the token and of the user info together: providers tell groups in either."""
    token, info = data.get("id_token") or {}, data.get("userinfo") or {}
    return {**info, **{name: value for name, value in token.items() if value not in (None, [])}}


def said_of(claims: Mapping[str, Any]) -> Said:
    names = {"username": "preferred_username", "first_name": "given_name", "last_name": "family_name"}
    texts = {field: _line(claims.get(claim)) for field, claim in names.items()}
    is_verified = claims.get("email_verified") in {True, "true"}
    return Said(email=_line(claims.get("email")), is_verified=is_verified, **texts)


def on_failure(request: HttpRequest, name: str, error: Any, exception: BaseException | None) -> HttpResponse:
    """What allauth found wrong, by its word for it and what was raised."""
    return _told(request, name, exception or OAuth2Error(str(error)))


def _check_nonce(login: SocialLogin) -> None:
    wanted, got = login.state.get("nonce"), (login.account.extra_data.get("id_token") or {}).get("nonce")
    if not wanted or got != wanted:
        raise BadToken("Its token belongs to another sign-in.")


def _provider_at(request: HttpRequest, slug: str) -> Any:
    row = IdentityProvider.objects.filter(slug=slug, is_active=True).first() if slug.isprintable() else None
    if row is None:
        raise Http404("There is no such identity provider.")
    provider = OpenIDConnectProvider(request, app=apps_of([row])[0])
    provider.oauth2_adapter_class = Adapter
    return provider


def _told(request: HttpRequest, name: str, error: BaseException) -> HttpResponse:
    """Back at the sign-in, which says what went wrong and what to do; what was sent stays out of logs."""
    logger.warning("A sign-in by %s failed: %s", name, type(error).__name__)
    match error:
        case Refused():
            said = str(error)
        case BadToken():
            said = f"{name} could not be believed. {error} Try again; if it stays so, tell an administrator."
        case requests.RequestException():
            said = f"{name} does not answer as it should. Sessions go on; try again in a minute."
        case OAuth2Error() if "cancel" in str(error):
            said = f"The sign-in by {name} was cancelled. Nothing has changed."
        case _:
            said = f"The sign-in by {name} was begun elsewhere, too long ago, or refused there. Begin again here."
    messages.error(request, said)
    return redirect("mfa_index" if request.user.is_authenticated else "account_login")


def _fetch(url: str) -> Any:
    with Session() as session:
        answer = session.get(url)
        answer.raise_for_status()
        return answer.json()


def _line(value: Any) -> str:
    return value.strip()[:254] if isinstance(value, str) and value.isprintable() else ""
