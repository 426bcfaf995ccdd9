"""What people are mailed of their own sign-in. Sent by workers, so that no answer tells whether there is somebody."""

from collections.abc import Sequence
from dataclasses import dataclass

from celery import shared_task
from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts.mail.message import Button, Facts, Message, Part
from accounts.mail.sending import send
from accounts.models import User
from accounts.people import find_person
from gateway.identity.links import sign_up_secret
from gateway.identity.passwords_allowed import may_use_password

_WHY = "You get this because it is about how you sign in at {place}, or because somebody typed this address there."
_DUTY = "It cannot be turned off."


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
    asked = f"Somebody asked for a new password of {person.get_username()} at {place}."
    text = (
        f"{asked} If it was you, set one within an hour.",
        "If not, do nothing: the old one goes on to work.",
    )
    button = Button("Set a new password", f"{place}/password/new#{secret}")
    _send("A new password for Gatehouse", text, person.email, place, button)


@shared_task
def mail_sign_up(address: str, place: str) -> None:
    """A link that makes an account, or word that there is one."""
    known = User.objects.filter(email__iexact=address).first()
    wants = f"Somebody wants an account at {place} with this address."
    if known is not None:
        text = (
            f"{wants} There is one already: {known.get_username()}.",
            "Sign in with it, or ask for a new password.",
        )
        button = Button("Ask for a new password", f"{place}/password/forgotten")
        _send("Your account at Gatehouse", text, known.email, place, button)
        return
    button = Button("Make the account", f"{place}/sign-up/new#{sign_up_secret(address)}")
    text = (f"{wants} If it was you, go on within a day.", "If not, do nothing.")
    _send("An account at Gatehouse", text, address, place, button)


@shared_task
def mail_notice(person: int, what: str, address: str) -> None:
    """What happened to somebody's sign-in, and from which address."""
    notice = NOTICES[what]
    found = User.objects.filter(pk=person).first()
    if found is not None and found.email:
        facts = Facts([("Account", found.get_username()), ("From", address)])
        _send(notice.subject, (notice.text, facts, _IF_NOT_YOU), found.email)


def _send(
    subject: str, parts: Sequence[Part], address: str, place: str = "Gatehouse", button: Button | None = None
) -> None:
    why = _WHY.format(place=place)
    send(Message(kind="account", subject=subject, parts=parts, why=why, stop=_DUTY, button=button), [address])
