"""A forgotten password: a link by mail to whoever there is, and the same answer for everybody else."""

import logging
from collections.abc import Callable
from functools import wraps

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.password_validation import password_validators_help_texts
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from kombu.exceptions import OperationalError

from accounts.audit import record_event
from accounts.guesses import MAILS_FROM, MAILS_TO, WRONG_LINKS, links_from, mails_from, mails_to
from accounts.models import User
from accounts.sessions import end_sessions
from gateway.core.links import base_url_of
from gateway.identity.guessing import address_of, count, forgive
from gateway.identity.links import LONGEST_SECRET, person_of_secret
from gateway.identity.passwords_allowed import may_use_password
from gateway.identity.tasks import mail_forgotten, mail_notice

logger = logging.getLogger(__name__)
View = Callable[[HttpRequest], HttpResponse]
_TOO_OLD = "This link is too old, or it was used already. Ask for another one."
_NO_MAIL = "No mail can be sent at this moment. Try again in a minute."


def with_local_passwords(view: View) -> View:
    """404 where people sign in at their identity provider: but the break-glass login may need it."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        if not (settings.LOCAL_PASSWORDS or settings.BREAK_GLASS):
            raise Http404("Passwords are off.")
        return view(request)

    return answer


class MailForm(forms.Form):
    """Anybody may ask, but not without end: counted by the sender's address and by the receiver."""

    name = forms.CharField(
        label="User name or e-mail",
        max_length=254,
        widget=forms.TextInput({"autocomplete": "username", "autofocus": True, "autocapitalize": "none"}),
    )

    def __init__(self, *arguments: object, request: HttpRequest, **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]
        self._request = request

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        why = "Too many mails were asked for"
        count(self._request, mails_from(address_of(self._request)), MAILS_FROM, why)
        count(self._request, mails_to(name), MAILS_TO, why)
        return name


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@with_local_passwords
def forgotten(request: HttpRequest) -> HttpResponse:
    form = MailForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        try:
            mail_forgotten.delay(form.cleaned_data["name"], base_url_of(request))
        except OperationalError:
            form.add_error(None, _NO_MAIL)
        else:
            return render(request, "identity/mail_sent.html", {"title": "Your password"})
    return render(request, "identity/forgotten.html", {"form": form})


class LinkedPasswordForm(SetPasswordForm):  # type: ignore[type-arg]  # not so at run time
    """A new password, by a link whose secret comes in the body."""

    secret = forms.CharField(widget=forms.HiddenInput({"data-from-fragment": ""}), max_length=LONGEST_SECRET)

    def __init__(self, person: User | None, *arguments: object, **named: object) -> None:
        super().__init__(person or User(), *arguments, **named)
        self.fields["new_password1"].help_text = " ".join(password_validators_help_texts())
        self.fields["new_password2"].label = "New password again"
        self.fields["new_password2"].help_text = ""


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@with_local_passwords
def new_password(request: HttpRequest) -> HttpResponse:
    """Sets it once, and ends all sessions of that person."""
    if request.method != "POST":
        return render(request, "identity/new_password.html", {"form": LinkedPasswordForm(None)})
    person, why = _judge_link(request)
    form = LinkedPasswordForm(person, request.POST)
    if person is None:
        form.is_valid()
        form.errors.clear()
        form.add_error(None, why)
    elif form.is_valid():
        _set_password(request, person, form)
        return redirect("account_login")
    return render(request, "identity/new_password.html", {"form": form})


def _judge_link(request: HttpRequest) -> tuple[User | None, forms.ValidationError]:
    """Whose it is, or why nobody's."""
    subject = links_from(address_of(request))
    try:
        count(request, subject, WRONG_LINKS, "Too many wrong links came from your address")
    except forms.ValidationError as refusal:
        return None, refusal
    person = person_of_secret(request.POST.get("secret", "")[:LONGEST_SECRET])
    if person is None or not may_use_password(person):
        return None, forms.ValidationError(_TOO_OLD, code="link")
    forgive(subject)
    return person, forms.ValidationError("")


def _set_password(request: HttpRequest, person: User, form: LinkedPasswordForm) -> None:
    form.save()
    end_sessions(person)
    record_event("password.reset", row=person, person=person)
    try:
        mail_notice.delay(person.pk, "account/email/password_reset", address_of(request))
    except OperationalError:
        logger.warning("Nobody could be told by mail that a password was set: the broker is away.")
    messages.success(request, "Your password is set. Sign in with it.")
