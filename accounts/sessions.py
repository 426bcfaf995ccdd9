"""The sessions of people: those that go on, and ending them."""

from collections.abc import Sequence
from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User

SEEN_AGAIN_AFTER = timedelta(minutes=15)
_SEEN = "seen_at"


def sessions_of(person: User) -> Sequence[UserSession]:
    """Those that still open something, the latest seen first. Rows of others are forgotten."""
    found: list[UserSession] = UserSession.objects.purge_and_list(person)
    return sorted(found, key=lambda each: each.last_seen_at, reverse=True)


def end_sessions(person: User, *, but: str | None = None) -> int:
    """Of all browsers, or all but that session key: how many ended."""
    others = list(UserSession.objects.filter(user=person).exclude(session_key=but or ""))
    for each in others:
        each.end()
    return len(others)


def forget_ended() -> int:
    """Rows of sessions that are over, and of the list of them: how many sessions went."""
    count: int = Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    return count


def note_seen(request: HttpRequest) -> None:
    """List this session, and when and from where it was seen: written once in a while."""
    now = timezone.now()
    if now.timestamp() - request.session.get(_SEEN, 0) < SEEN_AGAIN_AFTER.total_seconds():
        return
    request.session[_SEEN] = now.timestamp()
    UserSession.objects.create_from_request(request)


def note_changed(request: HttpRequest) -> None:
    """Its key is another one now: list it anew."""
    request.session.pop(_SEEN, None)
    note_seen(request)
