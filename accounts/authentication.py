"""Who is asking the control plane: a key, or a person who signed in."""

import hmac
import math
import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from accounts import guesses
from accounts.directory import touches
from accounts.key_facts import facts_of, find_key
from accounts.keys import REFUSAL, KeyFacts, credential_of, digest_secret, read_key
from accounts.models import Key, Team
from accounts.permits import judge
from accounts.scopes import FEED, MANAGEMENT
from accounts.second_factor import is_lacking
from gateway.core.client_address import client_of_meta
from gateway.core.errors import ApiError

_NO_DIGEST = digest_secret("")
_SHOWN_IN = ("HTTP_AUTHORIZATION", "HTTP_X_API_KEY", "HTTP_X_GOOG_API_KEY")


class Unauthorised(AuthenticationFailed):
    """One sentence for unknown, revoked, expired and mistyped keys alike."""

    default_detail = REFUSAL


class TooManyGuesses(ApiError):
    """In place of Unauthorised: wrong keys from one address, with the time to wait."""

    def __init__(self, wait_s: float) -> None:
        self.wait = math.ceil(wait_s)
        message = guesses.TOO_MANY_KEYS.format(wait_s=self.wait)
        super().__init__(message, status=429, code="too_many_guesses")


@dataclass(frozen=True, slots=True)
class KeyPrincipal:
    """`request.user` of a request that showed a key."""

    key: Key
    facts: KeyFacts
    is_authenticated: bool = True
    is_staff: bool = False
    is_superuser: bool = False

    @property
    def team(self) -> Team:
        return self.key.team

    @property
    def may_manage(self) -> bool:
        return MANAGEMENT in self.facts.scopes


class KeyAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer sk-gw-…`, `x-api-key: sk-gw-…` or `x-goog-api-key: sk-gw-…`."""

    def authenticate(self, request: Request) -> tuple[KeyPrincipal, KeyFacts] | None:
        text = _shown_text(request)
        return _let_in(_principal(request, text), request) if text else None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  # REST framework's signature
        return "Bearer"


class FeedTokenAuthentication(authentication.BaseAuthentication):
    """`?token=sk-gw-…`, for readers of feeds, which cannot send headers. Feed keys only: addresses are not secret.

    A view says by `takes_token` whether a request may be opened so.
    """

    def authenticate(self, request: Request) -> tuple[KeyPrincipal, KeyFacts] | None:
        text = request.query_params.get("token")
        if text is None:
            return None
        if not getattr(request.parser_context["view"], "takes_token", False):
            raise _refuse_token(
                "A token in the address opens feeds only: add format=atom, or send the key as"
            )
        principal = _principal(request, text)
        if FEED not in principal.facts.scopes:
            raise _refuse_token(
                f"This is a key of scope {principal.key.scope}, and addresses are written down in many places: only "
                "a feed key may be part of one. Make one in the portal, revoke this key if others may have seen "
                "the address, and send keys of other scopes as"
            )
        return _let_in(principal, request)

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  # REST framework's signature
        return "Bearer"


def find_principal(text: str) -> KeyPrincipal | None:
    """The key's principal, or None for a key that is mistyped, unknown, revoked or expired."""
    key = find_shown(text)
    if key is None:
        return None
    facts = facts_of(key)
    return KeyPrincipal(key, facts) if facts.is_valid(time.time()) else None


def find_shown(text: str) -> Key | None:
    """The key whose text that is, whatever has become of it."""
    shown = read_key(text)
    if shown is None:
        return None
    key = find_key(shown.public_id)
    # An unknown key costs one comparison too, so that its time tells nothing.
    is_right = hmac.compare_digest(digest_secret(shown.secret), key.digest if key else _NO_DIGEST)
    return key if is_right else None


def _principal(request: Request, text: str) -> KeyPrincipal:
    """Raises Unauthorised, or TooManyGuesses."""
    principal = find_principal(text)
    if principal is None:
        address = client_of_meta(request.META, settings.TRUSTED_PROXIES)
        if wait_s := guesses.here.counter.take(guesses.keys_from(address), guesses.WRONG_KEYS):
            raise TooManyGuesses(wait_s)
        raise Unauthorised
    return principal


def _let_in(principal: KeyPrincipal, request: Request) -> tuple[KeyPrincipal, KeyFacts]:
    """Raises ApiError where the key may not do what the view is for (its `needed_scope`; none: any key will do)."""
    scope = getattr(request.parser_context["view"], "needed_scope", "")
    address = client_of_meta(request.META, settings.TRUSTED_PROXIES)
    if denial := judge(principal.facts, scope, address=address):
        raise ApiError(denial.message, status=403, code=denial.code, param=denial.param)
    touches.note(principal.key.pk, time.time())
    return principal, principal.facts


def _refuse_token(message: str) -> ApiError:
    return ApiError(
        f"{message} 'Authorization: Bearer …'.", status=401, code="feed_key_required", param="token"
    )


class SessionAuthentication(authentication.SessionAuthentication):
    """A person signed in to the portal, with a second factor where it is demanded. To change takes the CSRF token."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        found: tuple[Any, None] | None = super().authenticate(request)
        if found is not None and is_lacking(request._request):
            message = "A second factor is demanded of you: open the portal and show one, or send a key."
            raise ApiError(message, status=403, code="second_factor_required")
        return found

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied as refusal:
            message = f"{refusal.detail} Send the token of the cookie in the header X-CSRFToken."
            raise ApiError(message, status=403, code="csrf_failed") from None


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Names the bearer key in the OpenAPI document."""

    target_class = "accounts.authentication.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:  # noqa: ARG002
        return {"type": "http", "scheme": "bearer", "bearerFormat": "sk-gw-…"}


class FeedTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Names the feed key in an address in the OpenAPI document."""

    target_class = "accounts.authentication.FeedTokenAuthentication"
    name = "feedToken"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:  # noqa: ARG002
        return {
            "type": "apiKey",
            "in": "query",
            "name": "token",
            "description": "A key of scope `feed`, where the answer is a feed or a calendar.",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Names the portal's session in the OpenAPI document."""

    target_class = "accounts.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:  # noqa: ARG002
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


def _shown_text(request: Request) -> str:
    values = (str(request.META.get(name, "")) for name in _SHOWN_IN)
    return credential_of(*values)
