"""What people are mailed of their own sign-in. Sent by workers, so that no answer tells whether there is somebody."""

from dataclasses import dataclass

from celery import shared_task
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMessage
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts.models import User
from accounts.people import find_person
from gateway.identity.links import sign_up_secret
from gateway.identity.passwords_allowed import may_use_password

_FORGOTTEN = """Somebody asked for a new password of {username} at {place}.

If it was you, set one here within an hour:
{link}

If not, do nothing: the old one goes on to work."""
_SIGN_UP = """Somebody wants an account at {place} with this address.

If it was you, go on here within a day:
{link}

If not, do nothing."""
_KNOWN = """Somebody wants an account at {place} with this address. There is one already: {username}.

Sign in with it, or ask for a new password: {place}/password/forgotten"""


@dataclass(frozen=True, slots=True)
class Notice:
    subject: str
    text: str


# By allauth's names of what happened.
NOTICES = {
    "mfa/email/totp_activated": Notice(
        "An authenticator app was added to your account", "It is asked for at each sign-in."
    ),
    "mfa/email/totp_deactivated": Notice(
        "The authenticator app was removed from your account", "It is not asked for any more."
    ),
    "mfa/email/webauthn_added": Notice(
        "A passkey was added to your account", "It opens your account from now on."
    ),
    "mfa/email/webauthn_removed": Notice(
        "A passkey was removed from your account", "It opens nothing any more."
    ),
    "mfa/email/recovery_codes_generated": Notice(
        "New recovery codes were made for your account", "The old ones open nothing any more."
    ),
    "account/email/password_reset": Notice(
        "Your password was set anew by a mailed link", "All sessions of your account are ended."
    ),
}
_IF_NOT_YOU = "If this was not you, tell an administrator of this gateway at once."


@shared_task
def mail_forgotten(name: str, place: str) -> None:
    """A link that sets a password, to whoever goes by that name and has an address."""
    person = find_person(name)
    if person is None or not (person.email and person.is_active and may_use_password(person)):
        return
    if not person.has_usable_password():
        # An identity provider lets them in, and keeps them out one day: no mail opens another way.
        return
    secret = f"{urlsafe_base64_encode(force_bytes(person.pk))}-{default_token_generator.make_token(person)}"
    text = _FORGOTTEN.format(
        username=person.get_username(), place=place, link=f"{place}/password/new#{secret}"
    )
    _send("A new password for Gatehouse", text, person.email)


@shared_task
def mail_sign_up(address: str, place: str) -> None:
    """A link that makes an account, or word that there is one."""
    known = User.objects.filter(email__iexact=address).first()
    if known is not None:
        _send(
            "Your account at Gatehouse",
            _KNOWN.format(username=known.get_username(), place=place),
            known.email,
        )
        return
    link = f"{place}/sign-up/new#{sign_up_secret(address)}"
    _send("An account at Gatehouse", _SIGN_UP.format(place=place, link=link), address)


@shared_task
def mail_notice(person: int, what: str, address: str) -> None:
    """What happened to somebody's sign-in, and from which address."""
    notice = NOTICES[what]
    found = User.objects.filter(pk=person).first()
    if found is not None and found.email:
        text = f"{notice.text}\nAccount: {found.get_username()}\nFrom: {address}\n\n{_IF_NOT_YOU}"
        _send(notice.subject, text, found.email)


def _send(subject: str, text: str, address: str) -> None:
    EmailMessage(subject, f"{text}\n", None, [address]).send(fail_silently=False)
