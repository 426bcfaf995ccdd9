"""Signing in by name and password, and signing out."""

from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.account.views import LoginView, LogoutView
from django import forms
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm
from django.core.validators import MaxLengthValidator, ProhibitNullCharactersValidator
from django.http import HttpRequest, HttpResponse

from accounts.guesses import WRONG_PASSWORDS, passwords_of
from accounts.models import IdentityProvider, User
from accounts.people import find_person
from gateway.identity.adapters import NO_MATCH
from gateway.identity.guessing import address_of, count, forgive, turn
from gateway.identity.passwords_allowed import may_use_password
from gateway.identity.telling import tell_failure

_LONGEST_ADDRESS = 254


class SignInForm(AuthenticationForm):
    """A sign-in that is not even looked at while its sender has to wait.

    A wrong name, a wrong password and a switched-off account are refused with the same words.
    """

    request: HttpRequest

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        field = self.fields["username"]
        field.label = "User name or e-mail"
        # Django's own validator is of user names' length, which e-mail addresses exceed.
        field.validators = [ProhibitNullCharactersValidator(), MaxLengthValidator(_LONGEST_ADDRESS)]
        field.widget.attrs["maxlength"] = _LONGEST_ADDRESS

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("username") and self.cleaned_data.get("password"):
            with turn(self.request):
                self._look_at(self.cleaned_data["username"], self.cleaned_data["password"])
        return self.cleaned_data

    def _look_at(self, name: str, password: str) -> None:
        subject = passwords_of(name, address_of(self.request))
        count(
            self.request,
            subject,
            WRONG_PASSWORDS,
            "Too many wrong passwords came for this name from your address",
        )
        person = find_person(name)
        username = person.get_username() if person else name
        found = authenticate(self.request, username=username, password=password)
        if not isinstance(found, User) or not may_use_password(found):
            if person is not None:
                tell_failure(person, "password")
            raise forms.ValidationError(NO_MATCH, code="invalid_login")
        self.user_cache = found
        forgive(subject)

    def login(self, request: HttpRequest, redirect_url: str | None = None) -> HttpResponse:
        """On to what allauth asks for next, or to where the person wanted."""
        login = Login(user=self.user_cache, redirect_url=redirect_url)
        answer: HttpResponse = perform_password_login(request, {}, login)
        return answer


class SignIn(LoginView):
    template_name = "identity/sign_in.html"
    form_class = SignInForm

    def get_context_data(self, **named: Any) -> dict[str, Any]:
        return dict(super().get_context_data(**named)) | {
            "providers": IdentityProvider.objects.filter(is_active=True),
            "takes_passwords": settings.LOCAL_PASSWORDS,
            "is_open": settings.SIGN_UP == "open" and settings.LOCAL_PASSWORDS,
        }


class SignOut(LogoutView):
    """Also out of a sign-in that is half done."""

    http_method_names = ["post", "options"]
