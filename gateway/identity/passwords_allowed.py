"""Whose password opens the door: everybody's, or the break-glass login's alone, which is told whenever it is used."""

from django.conf import settings
from django.utils import timezone

from accounts.alerts.raising import raise_alert
from accounts.audit import record_event
from accounts.models import User

EVENT = "session.break_glass"


def may_use_password(person: User) -> bool:
    return settings.LOCAL_PASSWORDS or is_break_glass(person)


def is_break_glass(person: User) -> bool:
    return bool(settings.BREAK_GLASS) and person.get_username() == settings.BREAK_GLASS


def tell_break_glass(person: User, address: str) -> None:
    """To the audit, and as an alert to the operator and all superusers: each time that it opens."""
    at = timezone.now()
    record_event(EVENT, row=person, person=person)
    data = {"username": person.get_username(), "address": address, "at": f"{at:%Y-%m-%d %H:%M:%S} UTC"}
    raise_alert("login.break_glass", cause=person.get_username(), window=at.isoformat(), data=data)
