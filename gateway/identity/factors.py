"""Setting up second factors and taking them away: an authenticator app, passkeys, recovery codes."""

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.forms import DeactivateTOTPForm
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, RemoveWebAuthnView
from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from accounts.guesses import WRONG_CODES, codes_of
from accounts.models import User
from accounts.second_factor import note_shown
from gateway.core.sealing import SecretError, seal, unseal
from gateway.identity.codes import mark_used, step_of
from gateway.identity.guessing import count, forgive
from gateway.identity.passkeys import NewPasskeyForm, creation_options

DEMANDED = "A second factor is demanded of you: add another one before you remove this one."


class AppForm(forms.Form):
    """The first code of an app. Its secret travels sealed in the form, so that no session keeps it."""

    secret_box = forms.CharField(widget=forms.HiddenInput, max_length=500)
    code = forms.CharField(
        label="Code that the app shows",
        max_length=32,
        widget=forms.TextInput({"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
    )

    def __init__(self, *arguments: Any, user: User, request: HttpRequest, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._user, self._request, self.step = user, request, 0
        self.secret = self._read() or totp.generate_totp_secret()
        self.box = seal(f"{user.pk} {self.secret}".encode())
        self.fields["secret_box"].initial = self.box

    def _read(self) -> str:
        """Of the form that was sent; empty where it is none of this person's."""
        if not self.is_bound:
            return ""
        try:
            owner, _, secret = unseal(str(self.data.get("secret_box", ""))[:500]).decode().partition(" ")
        except (SecretError, ValueError):
            return ""
        return secret if owner == str(self._user.pk) else ""

    def clean_code(self) -> str:
        subject = codes_of(self._user.pk)
        count(self._request, subject, WRONG_CODES, "Too many wrong codes came for this account")
        step = step_of(self.secret, self.cleaned_data["code"])
        if step is None:
            raise forms.ValidationError(
                "This is not what the app should show. Check that the phone's clock is right.", code="wrong"
            )
        forgive(subject)
        self.step = step
        return str(self.cleaned_data["code"])


@method_decorator(never_cache, name="dispatch")
class AddApp(ActivateTOTPView):
    template_name = "identity/app.html"
    form_class = AppForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return dict(super().get_form_kwargs()) | {"request": self.request}

    def form_valid(self, form: AppForm) -> HttpResponse:
        try:
            with transaction.atomic():
                answer: HttpResponse = super().form_valid(form)
        except IntegrityError:
            # The form was sent twice at once.
            return redirect("mfa_index")
        mark_used(Authenticator.objects.get(user=self.request.user, type=Authenticator.Type.TOTP), form.step)
        note_shown(self.request)
        messages.success(self.request, "The app is your second factor now.")
        return answer


class RemoveAppForm(DeactivateTOTPForm):
    def clean(self) -> dict[str, Any]:
        if not get_adapter().can_delete_authenticator(self.authenticator):
            raise forms.ValidationError(DEMANDED, code="demanded")
        return dict(self.cleaned_data)


@method_decorator(never_cache, name="dispatch")
class RemoveApp(DeactivateTOTPView):
    template_name = "identity/remove_factor.html"
    form_class = RemoveAppForm

    def form_valid(self, form: forms.Form) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        messages.success(self.request, "The app is no longer a second factor of yours.")
        return answer

    def get_context_data(self, **named: Any) -> dict[str, Any]:
        return dict(super().get_context_data(**named)) | {"what": "the authenticator app"}


@method_decorator(never_cache, name="dispatch")
class AddPasskey(AddWebAuthnView):
    template_name = "identity/add_passkey.html"
    form_class = NewPasskeyForm

    def get_context_data(self, **named: Any) -> dict[str, Any]:
        context = dict(super().get_context_data(**named))
        return context | {"options": creation_options(self._person())}

    def form_valid(self, form: NewPasskeyForm) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        note_shown(self.request)
        messages.success(self.request, "The passkey is added.")
        return answer

    def _person(self) -> User:
        if not isinstance(self.request.user, User):
            raise PermissionDenied
        return self.request.user


@method_decorator(never_cache, name="dispatch")
class RemovePasskey(RemoveWebAuthnView):
    template_name = "identity/remove_factor.html"
    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: forms.Form) -> HttpResponse:
        if not get_adapter().can_delete_authenticator(self.get_object()):
            form.add_error(None, DEMANDED)
            refusal: HttpResponse = self.render_to_response(self.get_context_data(form=form))
            return refusal
        answer: HttpResponse = super().form_valid(form)
        messages.success(self.request, "The passkey is removed.")
        return answer

    def get_context_data(self, **named: Any) -> dict[str, Any]:
        name = f"the passkey “{self.object.wrap().name}”"
        return dict(super().get_context_data(**named)) | {"what": name}


class RecoveryCodes(ViewRecoveryCodesView):
    """Shown once."""

    template_name = "identity/recovery_codes.html"


@method_decorator(never_cache, name="dispatch")
class NewRecoveryCodes(GenerateRecoveryCodesView):
    template_name = "identity/new_recovery_codes.html"
