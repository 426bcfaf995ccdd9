"""New secrets between the request that makes them and the page that shows them: sealed, in the session, once."""

from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import Model

from accounts.models import Key, Team

_SLOT = "new_key"
KEPT_S = 600


@dataclass(frozen=True, slots=True)
class ShownSecret:
    """What is shown once. None of it is kept."""

    key_id: int
    name: str
    text: str = field(repr=False)
    is_for_feeds: bool = False


def keep_secret(session: SessionBase, key: Key, text: str) -> None:
    """Sealed, because sessions are rows: only a digest of a key may rest there readable."""
    sealed = sealing().encrypt(text.encode()).decode()
    is_for_feeds = key.scope == Key.Scope.FEED
    session[_SLOT] = {
        "team": key.team_id,
        "key": key.pk,
        "name": key.name,
        "sealed": sealed,
        "feeds": is_for_feeds,
    }


def take_secret(
    session: SessionBase, *, team: Team | None = None, key: Key | None = None, is_for_feeds: bool = False
) -> ShownSecret | None:
    """The text of the key just issued, if it is the team's or that very one: once, and within ten minutes.

    `is_for_feeds` leaves others alone, whose page is another one.
    """
    slot = session.get(_SLOT)
    if slot is None or (team and slot["team"] != team.pk) or (key and slot["key"] != key.pk):
        return None
    if is_for_feeds and not slot["feeds"]:
        return None
    del session[_SLOT]
    try:
        text = sealing().decrypt(slot["sealed"], ttl=KEPT_S).decode()
    except InvalidToken:
        return None
    return ShownSecret(slot["key"], slot["name"], text, slot["feeds"])


def keep_text(session: SessionBase, row: Model, text: str) -> None:
    """Sealed likewise, for the page of that row; nothing where there is none."""
    if not text:
        return
    session[_slot_of(row)] = {"row": row.pk, "sealed": sealing().encrypt(text.encode()).decode()}


def take_text(session: SessionBase, row: Model) -> str:
    """Empty where that row has nothing new to show."""
    slot = session.get(_slot_of(row))
    if slot is None or slot.get("row") != row.pk:
        return ""
    del session[_slot_of(row)]
    try:
        return sealing().decrypt(slot["sealed"], ttl=KEPT_S).decode()
    except InvalidToken:
        return ""


def _slot_of(row: Model) -> str:
    return f"new_text_of_{row._meta.model_name}"


def sealing() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])
