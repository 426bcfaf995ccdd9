"""The second step of a sign-in, a passkey as the only one, and the proof that a signed-in person is still there."""

import math
from typing import Any

from allauth.account.views import ReauthenticateView
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.base.views import ReauthenticateView as CodeAgainView
from allauth.mfa.webauthn.internal import auth
from allauth.mfa.webauthn.views import LoginWebAuthnView, ReauthenticateWebAuthnView
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from accounts.guesses import WRONG_PASSWORDS, passwords_of
from accounts.models import User
from accounts.second_factor import note_shown
from gateway.identity.codes import CodeAgainForm, CodeForm
from gateway.identity.guessing import address_of, count, count_beginning, forgive, turn
from gateway.identity.passkeys import PasskeyAgainForm, PasskeyForm, PasskeySignInForm
from gateway.web.middleware import ask_to_wait


class SecondStep(AuthenticateView):
    """A code, or a passkey, of somebody whose password was right."""

    template_name = "identity/second_step.html"
    form_class = CodeForm
    webauthn_form_class = PasskeyForm


class PasskeySignIn(LoginWebAuthnView):
    """GET hands out what the device signs, POST takes what it signed. Closed with local passwords."""

    form_class = PasskeySignInForm

    def dispatch(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        if not settings.LOCAL_PASSWORDS:
            raise Http404("People sign in at their identity provider.")
        answer: HttpResponse = super().dispatch(request, *arguments, **named)
        return answer

    @method_decorator(never_cache)
    def get(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:  # noqa: ARG002
        if wait_s := math.ceil(count_beginning(self.request)):
            ask_to_wait(self.request, wait_s)
            return JsonResponse(
                {"detail": f"Too many sign-ins were begun. Try again in {wait_s} s."}, status=429
            )
        return JsonResponse(auth.begin_authentication(user=None))

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        return _told(self.request, form, "account_login")


class PasswordAgainForm(forms.Form):
    password = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password", "autofocus": True}),
    )

    def __init__(self, *arguments: Any, user: User, request: HttpRequest, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._user, self._request = user, request

    def clean_password(self) -> str:
        """Guessed no more often than at the sign-in."""
        with turn(self._request):
            subject = passwords_of(self._user.get_username(), address_of(self._request))
            why = "Too many wrong passwords came from your address"
            count(self._request, subject, WRONG_PASSWORDS, why)
            password: str = self.cleaned_data["password"]
            if not self._user.check_password(password):
                raise forms.ValidationError("This is not your password.", code="wrong")
            forgive(subject)
        return password


class PasswordAgain(ReauthenticateView):
    template_name = "identity/again.html"
    form_class = PasswordAgainForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return dict(super().get_form_kwargs()) | {"request": self.request}


class CodeAgain(CodeAgainView):
    template_name = "identity/again.html"
    form_class = CodeAgainForm

    def form_valid(self, form: CodeAgainForm) -> HttpResponse:
        note_shown(self.request)
        answer: HttpResponse = super().form_valid(form)
        return answer


class PasskeyAgain(ReauthenticateWebAuthnView):
    template_name = "identity/again.html"
    form_class = PasskeyAgainForm

    def form_valid(self, form: PasskeyAgainForm) -> HttpResponse:
        note_shown(self.request)
        answer: HttpResponse = super().form_valid(form)
        return answer

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        return _told(self.request, form, "mfa_index")


def _told(request: HttpRequest, form: forms.Form, place: str) -> HttpResponse:
    """Back, with what was wrong. A device's answer cannot be corrected in a form."""
    for faults in form.errors.values():
        for fault in faults:
            messages.error(request, str(fault))
    return redirect(place)
