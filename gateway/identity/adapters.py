"""What allauth asks this house: where clients are, what rests sealed, which providers there are, who may sign up."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import User
from gateway.core.sealing import seal, unseal
from gateway.identity.guessing import address_of

NO_MATCH = "This user name and password do not match. Check both, including capitals."


class People(DefaultAccountAdapter):
    """Of people and their sessions. Mails and messages are the house's own."""

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of(request)

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

    def send_notification_mail(self, *arguments: Any, **named: Any) -> None:
        """Told by what the house mails."""


class Factors(DefaultMFAAdapter):
    """Of second factors: their secrets rest sealed, and passkeys belong to the address that people know."""

    def encrypt(self, text: str) -> str:
        return seal(text.encode())

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text).decode()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return entity | {"name": settings.MFA_TOTP_ISSUER}


class Providers(DefaultSocialAccountAdapter):
    """Of identity providers."""

    def list_apps(self, *_request: Any, **_wanted: Any) -> list[Any]:
        """None is connected yet; never those of allauth's own table, which no page of ours shows."""
        return []

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:  # noqa: ARG002
        return False
