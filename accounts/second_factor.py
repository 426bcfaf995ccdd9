"""The second factor: of whom it is demanded, whether a session has shown one, and taking all of somebody's away."""

from enum import StrEnum

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from accounts.audit import record_event
from accounts.models import Membership, User
from accounts.rights import Role
from accounts.sessions import end_sessions
from gateway.core.sealing import SecretUnreadable, seal, unseal

_SHOWN = "second_factor_shown"
# Who signed in at an identity provider was asked there for what that provider demands.
_METHODS = {"mfa", "socialaccount"}
# Where each kind keeps what the database must not show; passkeys keep public keys only.
_SEALED = {Authenticator.Type.TOTP.value: "secret", Authenticator.Type.RECOVERY_CODES.value: "seed"}
_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class Demanded(StrEnum):
    """Of whom; each includes those before it."""

    NONE = "none"
    STAFF = "staff"
    OWNERS = "owners"
    ALL = "all"


def is_demanded_of(person: User) -> bool:
    demanded = Demanded(settings.SECOND_FACTOR)
    if demanded is Demanded.NONE:
        return False
    if demanded is Demanded.ALL or person.is_staff:
        return True
    return demanded is Demanded.OWNERS and owns_a_team(person)


def owns_a_team(person: User) -> bool:
    return Membership.objects.in_roles([Role.OWNER]).filter(user=person).exists()


def has_factor(person: User) -> bool:
    return bool(Authenticator.objects.filter(user=person, type__in=_FACTORS).exists())


def has_only(person: User, factor: Authenticator) -> bool:
    """Whether none would be left without that one."""
    return not Authenticator.objects.filter(user=person, type__in=_FACTORS).exclude(pk=factor.pk).exists()


def is_lacking(request: HttpRequest) -> bool:
    """Whether the person of this session has to show one first."""
    person = request.user
    if Demanded.NONE.value == settings.SECOND_FACTOR or not isinstance(person, User):
        return False
    if request.session.get(_SHOWN) or not is_demanded_of(person):
        return False
    return not any(each.get("method") in _METHODS for each in get_authentication_records(request, person))


def note_shown(request: HttpRequest) -> None:
    """A factor that is set up in a session is shown in it."""
    request.session[_SHOWN] = True


@transaction.atomic
def take_factors(person: User) -> int:
    """All of somebody who lost them, and their sessions: how many went. They sign in by password until they add one."""
    count: int = Authenticator.objects.filter(user=person).delete()[0]
    end_sessions(person)
    record_event("factor.taken", row=person, facts={"factors": count})
    return count


def seal_factors_anew() -> list[str]:
    """Encrypt all secrets of factors with the newest key. Returns what could not be read, one line each."""
    problems = []
    for factor in Authenticator.objects.filter(type__in=_SEALED).select_for_update(of=("self",)):
        name = _SEALED[factor.type]
        try:
            factor.data[name] = seal(unseal(factor.data[name]))
        except SecretUnreadable as error:
            problems.append(f"second factor of {factor.user}: {error}")
            continue
        factor.save(update_fields=["data"])
    return problems
