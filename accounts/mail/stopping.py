"""Addresses that stop mail of one kind to one person. Such an address does this and nothing else, however often."""

import hashlib
from collections.abc import Sequence

from django.conf import settings
from django.core import signing

from accounts.alerts.kinds import FOR_PEOPLE, KINDS, Kind
from accounts.alerts.people import choose
from accounts.models import User

_SALT = "accounts.mail.stop"
_PEOPLE_MOST = 20
LONGEST_TOKEN = 600


def stop_address(kind: str, mail_address: str) -> str:
    """Empty where mail of that kind is a duty, or where the gateway does not know its own address."""
    told = KINDS.get(kind)
    if not settings.PUBLIC_URL or told is None or told.is_required or kind not in FOR_PEOPLE:
        return ""
    people = _people_at(mail_address)
    return f"{settings.PUBLIC_URL}/mail/stop/{stop_token(kind, mail_address, people)}" if people else ""


def stop_token(kind: str, mail_address: str, people: Sequence[int]) -> str:
    """For those who have the address now: it stops nothing for others who have it later, nor for them elsewhere."""
    return signing.dumps([kind, _mark_of(mail_address), *people], salt=_SALT)


def kind_of(token: str) -> Kind | None:
    """Of what it stops mail; None where it is no token of ours, or that kind cannot be stopped now."""
    name = _read(token)[0]
    kind = KINDS.get(name) if name in FOR_PEOPLE else None
    return None if kind is None or kind.is_required else kind


def stop(token: str) -> Kind | None:
    """Mail that person no more of that kind; None as `kind_of`. Whether there still is such a person nobody is told."""
    kind = kind_of(token)
    if kind is not None:
        _, mark, people = _read(token)
        for person in User.objects.filter(pk__in=people):
            if _mark_of(person.email) == mark:
                choose(person, {kind.name: False})
    return kind


def _read(token: str) -> tuple[str, str, list[int]]:
    """Kind, mark and people; nothing of a token that is not ours."""
    if len(token) > LONGEST_TOKEN:
        return "", "", []
    try:
        kind, mark, *people = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        return "", "", []
    return str(kind), str(mark), people


def _people_at(mail_address: str) -> list[int]:
    found = User.objects.filter(email=mail_address, is_active=True).order_by("pk")
    return list(found.values_list("pk", flat=True)[:_PEOPLE_MOST])


def _mark_of(mail_address: str) -> str:
    return hashlib.sha256(mail_address.casefold().encode("utf-8", "surrogatepass")).hexdigest()[:16]
