"""What the audit is told of sign-ins: those that opened, those that failed, and what became of factors."""

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.signals import user_logged_in
from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.audit import record_event
from accounts.guesses import here
from accounts.models import User
from gateway.core.store.tries import Patience
from gateway.identity.guessing import address_of, end_beginning
from gateway.identity.passwords_allowed import is_break_glass, tell_break_glass

# Failures beyond these are not told one by one: whoever guesses must not fill the audit.
FAILURES_TOLD = Patience(free=20, longest_s=3600)


def tell_failure(person: User, how: str) -> None:
    if not here.counter.take(f"told-failures:{person.pk}", FAILURES_TOLD):
        record_event("session.failed", row=person, facts={"by": how})


@receiver(user_logged_in)
def tell_opened(request: HttpRequest, user: User, **_: Any) -> None:
    end_beginning(request)
    methods = [
        str(each.get("type") or each.get("provider") or each.get("method"))
        for each in get_authentication_records(request, user)
    ]
    record_event("session.opened", row=user, person=user, facts={"by": ", ".join(dict.fromkeys(methods))})
    if "password" in methods and is_break_glass(user):
        tell_break_glass(user, address_of(request))


@receiver(user_logged_out)
def tell_closed(user: User | None, **_: Any) -> None:
    if user is not None:
        record_event("session.closed", row=user, person=user)


@receiver(signals.authentication_failed)
def tell_wrong_factor(user: User, **_: Any) -> None:
    tell_failure(user, "second factor")


@receiver(signals.authenticator_added)
def tell_added(user: User, authenticator: Authenticator, **_: Any) -> None:
    record_event("factor.added", row=user, person=user, facts={"factor": authenticator.type})


@receiver(signals.authenticator_removed)
def tell_removed(user: User, authenticator: Authenticator, **_: Any) -> None:
    record_event("factor.removed", row=user, person=user, facts={"factor": authenticator.type})


@receiver(signals.authenticator_reset)
def tell_reset(user: User, authenticator: Authenticator, **_: Any) -> None:
    record_event("factor.renewed", row=user, person=user, facts={"factor": authenticator.type})
