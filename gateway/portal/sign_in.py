"""Passwords, at the sign-in of portal and admin and where one changes one's own: those who guess wait."""

import math
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.password_validation import password_validators_help_texts
from django.http import HttpRequest

from accounts.guesses import WRONG_PASSWORDS, here, passwords_of
from accounts.models import User
from gateway.core.admin_base import SignInForm as ThemeSignInForm
from gateway.core.client_address import client_of_meta, counted_as
from gateway.web.middleware import ask_to_wait

_BUSY_S = 3


class Busy(Exception):
    """Too many sign-ins are being looked at."""


class Turns:
    """Sign-ins that are looked at in this process: so many, and so many of one address."""

    def __init__(self, most: int = 8, of_one: int = 2) -> None:
        self._most = most
        self._of_one = of_one
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()

    @contextmanager
    def taken(self, address: str) -> Iterator[None]:
        """Raises Busy."""
        with self._lock:
            if self._open.total() >= self._most or self._open[address] >= self._of_one:
                raise Busy
            self._open[address] += 1
        try:
            yield
        finally:
            with self._lock:
                self._open[address] -= 1
                self._open += Counter()  # without those at zero


turns = Turns()


class Patient(AuthenticationForm):
    """A sign-in that is not even looked at while its sender has to wait."""

    def clean(self) -> dict[str, Any]:
        if not (self.cleaned_data.get("username") and self.cleaned_data.get("password")):
            return super().clean()
        address = client_of_meta(self.request.META if self.request else {}, settings.TRUSTED_PROXIES)
        try:
            with turns.taken(counted_as(address)):
                return self._clean_as_counted(address)
        except Busy:
            raise self._refusal("Many people are signing in at this moment", _BUSY_S) from None

    def _clean_as_counted(self, address: str) -> dict[str, Any]:
        subject = passwords_of(self.cleaned_data["username"], address)
        if wait_s := here.counter.take(subject, WRONG_PASSWORDS):
            raise self._refusal("Too many wrong passwords came for this name from your address", wait_s)
        cleaned = super().clean()
        here.counter.forgive(subject)
        return cleaned

    def _refusal(self, why: str, wait_s: float) -> forms.ValidationError:
        wait_s = math.ceil(wait_s)
        if self.request:
            ask_to_wait(self.request, wait_s)
        return forms.ValidationError(f"{why}. Try again in {wait_s} s.", code="wait")


class SignInForm(Patient):
    """Refuses a wrong name, a wrong password and a switched-off account with the same words."""

    error_messages = AuthenticationForm.error_messages | {
        "invalid_login": "This user name and password do not match. Check both, including capitals.",
        "inactive": "This user name and password do not match. Check both, including capitals.",
    }


class AdminSignInForm(Patient, ThemeSignInForm):  # type: ignore[misc]  # the theme has no types
    """The admin's, in its theme."""


class PasswordForm(PasswordChangeForm):
    """One's own password. The old one can be guessed no more often than at the sign-in."""

    def __init__(self, user: User, *arguments: Any, request: HttpRequest, **named: Any) -> None:
        super().__init__(user, *arguments, **named)
        self._request = request
        self.fields["old_password"].label = "Present password"
        self.fields["new_password1"].help_text = " ".join(password_validators_help_texts())
        self.fields["new_password2"].label = "New password again"
        self.fields["new_password2"].help_text = ""

    def clean_old_password(self) -> str:
        address = client_of_meta(self._request.META, settings.TRUSTED_PROXIES)
        subject = passwords_of(self.user.get_username(), address)
        if wait_s := here.counter.take(subject, WRONG_PASSWORDS):
            ask_to_wait(self._request, math.ceil(wait_s))
            raise forms.ValidationError(
                f"Too many wrong passwords came from your address. Try again in {math.ceil(wait_s)} s.",
                code="wait",
            )
        old: str = super().clean_old_password()
        here.counter.forgive(subject)
        return old
