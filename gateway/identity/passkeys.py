"""Passkeys: what a device proved, at the sign-in, after it, and when one is added."""

from typing import Any

from allauth.core import context
from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from allauth.mfa.webauthn.internal import auth
from django import forms

from accounts.guesses import WRONG_LINKS, links_from
from accounts.models import User
from gateway.identity.guessing import address_of, count, forgive

REFUSED = "This passkey was not accepted. Try again, or use another way."
# What is no credential at all fails in as many ways as there are shapes of JSON.
_MALFORMED = (AttributeError, IndexError, KeyError, TypeError, ValueError)
_LONGEST_NAME = 60


class _Proved:
    """Judges what the device sent; wrong proofs are counted by the address that they came from."""

    user: User | None

    def clean_credential(self) -> Authenticator:
        subject = links_from(address_of(context.request))
        count(context.request, subject, WRONG_LINKS, "Too many wrong passkeys came from your address")
        try:
            factor: Authenticator = super().clean_credential()  # type: ignore[misc]
        except forms.ValidationError:
            self._tell_failure()
            raise forms.ValidationError(REFUSED, code="refused") from None
        except _MALFORMED:
            raise forms.ValidationError(REFUSED, code="refused") from None
        forgive(subject)
        return factor

    def _tell_failure(self) -> None:
        if self.user is not None:
            signals.authentication_failed.send(
                sender=Authenticator, request=context.request, user=self.user, authenticator=None
            )


class PasskeyForm(_Proved, AuthenticateWebAuthnForm):
    """As the second factor."""


class PasskeySignInForm(_Proved, LoginWebAuthnForm):
    """As the only one: it says who somebody is, and the device has asked them to prove it."""


class PasskeyAgainForm(_Proved, ReauthenticateWebAuthnForm):
    """Of somebody who is signed in."""


class NewPasskeyForm(AddWebAuthnForm):
    """A name, and what the device made."""

    name = forms.CharField(
        label="Name", max_length=_LONGEST_NAME, required=False, help_text="So that you know it among others."
    )
    passwordless = None

    def clean(self) -> dict[str, Any]:
        try:
            cleaned: dict[str, Any] = super().clean()
        except _MALFORMED:
            raise forms.ValidationError(REFUSED, code="refused") from None
        return cleaned


def creation_options(person: User) -> dict[str, Any]:
    """A passkey that may open the door alone where the device can keep one, and a second factor in any case."""
    options = auth.begin_registration(person, False)
    wishes = {"residentKey": "preferred", "requireResidentKey": False, "userVerification": "preferred"}
    public = dict(options["publicKey"])
    public["authenticatorSelection"] = dict(public.get("authenticatorSelection") or {}) | wishes
    return {"publicKey": public}
