"""Secrets of mailed links: they stand behind an address' #, which no server is told, and come back in a body."""

from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.utils.http import urlsafe_base64_decode

from accounts.models import User

_SIGN_UP = "gateway.identity.sign-up"
SIGN_UP_S = 86_400
LONGEST_SECRET = 600


def person_of_secret(secret: str) -> User | None:
    """Whose password a link sets; None where it is no link of ours, is too old, or was used."""
    number, _, token = secret.partition("-")
    try:
        person = User.objects.filter(pk=int(urlsafe_base64_decode(number)), is_active=True).first()
    except (ValueError, OverflowError):
        return None
    return person if person and default_token_generator.check_token(person, token) else None


def sign_up_secret(address: str) -> str:
    return signing.dumps(address, salt=_SIGN_UP)


def address_of_secret(secret: str) -> str | None:
    """The e-mail address that a link proves."""
    try:
        return str(signing.loads(secret, salt=_SIGN_UP, max_age=SIGN_UP_S))
    except signing.BadSignature:
        return None
