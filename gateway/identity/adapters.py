"""What allauth asks this house: where clients are, what rests sealed, which providers there are, who may sign up."""

import logging
import time
from ipaddress import ip_address
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from kombu.exceptions import OperationalError

from accounts.models import IdentityProvider, User
from accounts.second_factor import has_only, is_demanded_of
from gateway.core.sealing import seal, unseal
from gateway.identity import sso
from gateway.identity.guessing import address_of
from gateway.identity.outgoing import Session
from gateway.identity.tasks import mail_notice

logger = logging.getLogger(__name__)
NO_ADDRESS = "0.0.0.0"  # noqa: S104  # nothing listens there
PROVED_FOR_S = 300
NO_MATCH = "This user name and password do not match. Check both, including capitals."


class People(DefaultAccountAdapter):
    """Of people and their sessions. Mails and messages are the house's own."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """Sessions are listed with it, also those from behind a socket of this machine, where there is none."""
        try:
            return str(ip_address(address_of(request)))
        except ValueError:
            return NO_ADDRESS

    def is_safe_url(self, url: str) -> bool:
        """This host only: other names that Django answers to are other places for a browser."""
        return url_has_allowed_host_and_scheme(
            url, allowed_hosts={self.request.get_host()}, require_https=self.request.is_secure()
        )

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:  # noqa: ARG002
        """In the words for a wrong password: nobody learns who is switched off."""
        messages.error(request, NO_MATCH)
        return redirect("account_login")

    def add_message(self, *arguments: Any, **named: Any) -> None:
        """Said by our own views."""

    def is_ajax(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Pages answer as pages, whatever is asked for."""
        return False

    def is_reauthentication_required(self, **_: Any) -> bool:
        """Not right after a sign-in, which proves as much."""
        request = self.request
        records = get_authentication_records(request, request.user)
        return not records or time.time() - records[-1]["at"] > PROVED_FOR_S

    def send_notification_mail(self, template_prefix: str, user: User, *_: Any, **__: Any) -> None:
        """By a worker, in the house's words."""
        if user.email:
            try:
                mail_notice.delay(user.pk, template_prefix, address_of(self.request))
            except OperationalError:
                logger.warning("Nobody could be told by mail that a factor changed: the broker is away.")


class Factors(DefaultMFAAdapter):
    """Of second factors: their secrets rest sealed, and passkeys belong to the address that people know."""

    def encrypt(self, text: str) -> str:
        return seal(text.encode())

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        person = authenticator.user
        return not (is_demanded_of(person) and has_only(person, authenticator))

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return entity | {"name": settings.MFA_TOTP_ISSUER}


class Providers(DefaultSocialAccountAdapter):
    """Of identity providers: rows of ours, and never of allauth's own table, where secrets would rest readable."""

    def list_apps(self, request: HttpRequest, provider: str | None = None, **_: Any) -> Any:  # noqa: ARG002
        rows = IdentityProvider.objects.filter(is_active=True)
        if provider not in {None, "openid_connect"}:
            rows = rows.filter(slug=provider)
        return sso.apps_of(rows)

    def get_requests_session(self) -> Session:
        return Session()

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:  # noqa: ARG002
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        sso.let_in(request, sociallogin)

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: Any) -> str:  # noqa: ARG002
        return reverse("mfa_index")

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: BaseException | None = None,
        extra_context: Any = None,  # noqa: ARG002
    ) -> None:
        raise ImmediateHttpResponse(sso.on_failure(request, provider.name, error, exception))
