"""Accounts that people make for themselves: where the gateway is open to them, or with an invitation."""

from typing import Any

from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from django import forms
from django.conf import settings
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.password_validation import password_validators_help_texts
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from kombu.exceptions import OperationalError

from accounts.guesses import MAILS_FROM, MAILS_TO, WRONG_LINKS, links_from, mails_from, mails_to
from accounts.models import User
from accounts.people import is_address_taken
from gateway.core.links import base_url_of
from gateway.identity.guessing import address_of, count, forgive
from gateway.identity.links import LONGEST_SECRET, address_of_secret
from gateway.identity.tasks import mail_sign_up

_TOO_OLD = "This link is too old, or there is an account with its address already."
_NO_MAIL = "No mail can be sent at this moment. Try again in a minute."


class NewPersonForm(BaseUserCreationForm):  # type: ignore[type-arg]  # not so at run time
    """A user name and a password, for an e-mail address that something else has proved."""

    class Meta:
        model = User
        fields = ["username"]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.fields["password1"].help_text = " ".join(password_validators_help_texts())
        self.fields["password2"].label = "Password again"
        self.fields["password2"].help_text = ""

    def clean_username(self) -> str:
        """None that reads as somebody else's: by a name that is their address nobody else could sign in any more."""
        name = str(self.cleaned_data["username"])
        if "@" in name:
            raise forms.ValidationError("Choose a user name without an @.", code="address")
        if User.objects.filter(username__iexact=name).exists():
            raise forms.ValidationError("A user with that username already exists.", code="unique")
        return name

    def make(self, *, email: str) -> User:
        self.instance.email = email
        person: User = self.save()
        return person


class LinkedPersonForm(NewPersonForm):
    secret = forms.CharField(widget=forms.HiddenInput({"data-from-fragment": ""}), max_length=LONGEST_SECRET)


class AskForm(forms.Form):
    email = forms.EmailField(
        label="E-mail", max_length=254, widget=forms.EmailInput({"autocomplete": "email", "autofocus": True})
    )

    def __init__(self, *arguments: Any, request: HttpRequest, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._request = request

    def clean_email(self) -> str:
        email, why = str(self.cleaned_data["email"]), "Too many mails were asked for"
        count(self._request, mails_from(address_of(self._request)), MAILS_FROM, why)
        count(self._request, mails_to(email), MAILS_TO, why)
        return email


def let_in(request: HttpRequest, person: User, redirect_url: str | None = None) -> HttpResponse:
    """Sign somebody in who has just made their account, through all that a sign-in asks for."""
    answer: HttpResponse = perform_login(request, Login(user=person, redirect_url=redirect_url, signup=True))
    return answer


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """A link by mail proves the address first. The answer is the same where there is an account already."""
    _refuse_closed()
    form = AskForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        try:
            mail_sign_up.delay(form.cleaned_data["email"], base_url_of(request))
        except OperationalError:
            form.add_error(None, _NO_MAIL)
        else:
            return render(request, "identity/mail_sent.html", {"title": "Your account"})
    return render(request, "identity/sign_up.html", {"form": form})


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def make(request: HttpRequest) -> HttpResponse:
    """The account, by the mailed link; it belongs to no team yet."""
    _refuse_closed()
    form = LinkedPersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and (person := _make(request, form)):
        return let_in(request, person)
    return render(request, "identity/new_person.html", {"form": form})


@transaction.atomic
def _make(request: HttpRequest, form: LinkedPersonForm) -> User | None:
    subject = links_from(address_of(request))
    try:
        count(request, subject, WRONG_LINKS, "Too many wrong links came from your address")
    except forms.ValidationError as refusal:
        form.add_error(None, refusal)
        return None
    address = address_of_secret(form.cleaned_data["secret"])
    if address is None or is_address_taken(address):
        form.add_error(None, _TOO_OLD)
        return None
    forgive(subject)
    return form.make(email=address)


def _refuse_closed() -> None:
    if settings.SIGN_UP != "open" or not settings.LOCAL_PASSWORDS:
        raise Http404("Accounts are made by invitation.")
