"""Codes of an authenticator app or from the list of recovery codes: each opens once, and guesses are counted."""

from allauth.core import context
from allauth.mfa import signals
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from django import forms
from django.db import transaction
from django.utils.crypto import constant_time_compare

from accounts.guesses import WRONG_CODES, codes_of
from accounts.models import User
from gateway.core.sealing import SecretError
from gateway.identity.guessing import count, forgive

_STEP = "last_step"
_UNREADABLE = "No key of this gateway opens your factor's secret. An administrator can take the factor away."
_WRONG = "This code is not right, or it was used already. Wait for the next one."


def step_of(secret: str, code: str) -> int | None:
    """The time step that a code of an app is of, within what clocks may differ; None: of none of them."""
    digits = code.replace(" ", "")
    for step in yield_hotp_counters_from_time():
        if constant_time_compare(digits, format_hotp_value(hotp_value(secret, step))):
            return int(step)
    return None


@transaction.atomic
def opens(factor: Authenticator, code: str) -> bool:
    """Whether that code opens, which it does once: in whatever process it comes again."""
    if factor.type == Authenticator.Type.RECOVERY_CODES:
        return bool(factor.wrap().validate_code(code))
    row = Authenticator.objects.select_for_update().get(pk=factor.pk)
    step = step_of(decrypt(row.data["secret"]), code)
    if step is None or step <= row.data.get(_STEP, 0):
        return False
    mark_used(row, step)
    return True


def mark_used(factor: Authenticator, step: int) -> None:
    """Neither that code nor an earlier one opens from now on."""
    factor.data[_STEP] = step
    factor.save(update_fields=["data"])


def find_opened(person: User, code: str) -> Authenticator | None:
    """The factor that a code opens; apps before recovery codes, which are used up."""
    factors = Authenticator.objects.filter(user=person).exclude(type=Authenticator.Type.WEBAUTHN)
    try:
        return next((each for each in factors.order_by("-type") if opens(each, code)), None)
    except SecretError:
        raise forms.ValidationError(_UNREADABLE, code="unreadable") from None


class _CodeField(forms.CharField):
    def __init__(self) -> None:
        attributes = {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
        super().__init__(label="Code", max_length=32, widget=forms.TextInput(attributes))


class _Counted:
    """Counts tries by the account, which the sender has half opened already."""

    user: User
    cleaned_data: dict[str, str]

    def clean_code(self) -> str:
        subject = codes_of(self.user.pk)
        count(context.request, subject, WRONG_CODES, "Too many wrong codes came for this account")
        factor = find_opened(self.user, self.cleaned_data["code"])
        if factor is None:
            signals.authentication_failed.send(
                sender=Authenticator, request=context.request, user=self.user, authenticator=None
            )
            raise forms.ValidationError(_WRONG, code="wrong")
        forgive(subject)
        self.authenticator = factor
        return self.cleaned_data["code"]


class CodeForm(_Counted, AuthenticateForm):
    """At the sign-in."""

    code = _CodeField()


class CodeAgainForm(_Counted, ReauthenticateForm):
    """Of somebody who is signed in."""

    code = _CodeField()
