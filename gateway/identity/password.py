"""One's own password: changed by whoever knows the present one."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.password_validation import password_validators_help_texts
from django.contrib.auth.views import PasswordChangeView
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from accounts.guesses import WRONG_PASSWORDS, passwords_of
from accounts.models import User
from accounts.sessions import end_sessions, note_changed
from gateway.identity.guessing import address_of, count, forgive
from gateway.identity.passwords_allowed import may_use_password


class PasswordForm(PasswordChangeForm):
    """The old one can be guessed no more often than at the sign-in."""

    def __init__(self, user: User, *arguments: Any, request: HttpRequest, **named: Any) -> None:
        super().__init__(user, *arguments, **named)
        self._request = request
        self.fields["old_password"].label = "Present password"
        self.fields["new_password1"].help_text = " ".join(password_validators_help_texts())
        self.fields["new_password2"].label = "New password again"
        self.fields["new_password2"].help_text = ""

    def clean_old_password(self) -> str:
        subject = passwords_of(self.user.get_username(), address_of(self._request))
        count(self._request, subject, WRONG_PASSWORDS, "Too many wrong passwords came from your address")
        old: str = super().clean_old_password()
        forgive(subject)
        return old


@method_decorator([never_cache, login_required], name="dispatch")
class Password(PasswordChangeView):
    """It ends the sessions of that person in other browsers."""

    template_name = "identity/password.html"
    form_class = PasswordForm
    success_url = reverse_lazy("portal:keys")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"request": self.request}

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, "Your password is changed. You are signed out everywhere else.")
        answer = super().form_valid(form)
        note_changed(self.request)
        end_sessions(form.user, but=self.request.session.session_key)
        return answer

    def dispatch(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
        if isinstance(request.user, User) and not may_use_password(request.user):
            raise Http404("Passwords are off.")
        return super().dispatch(request, *arguments, **named)
