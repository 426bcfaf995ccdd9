"""What alerts of keys say, and those of keys that are made, rotated or about to expire."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from accounts.alerts.raising import raise_alert
from accounts.models import Key, User
from gateway.core import audit_context
from gateway.core.lines import as_one_line

EXPIRING = timedelta(days=7)
_LIVES_LONG = timedelta(days=14)
"""Whoever makes a key that lives shorter than this knows when it ends."""


def about_key(key: Key) -> dict[str, Any]:
    """Members of an alert's data, without anything that opens something."""
    return {
        "key_id": key.public_id,
        "key": as_one_line(str(key)),
        "team_name": as_one_line(key.team.name),
        "scopes": ", ".join(sorted(key.scope_set)),
    }


def people_of(key: Key) -> set[int]:
    """The ids of its owner, and of who made it."""
    return {pk for pk in (key.owner_id, key.created_by_id) if pk is not None}


def tell_created(key: Key) -> None:
    data = about_key(key) | {"by": _by(key.created_by)}
    raise_alert("key.created", cause=_cause(key), team=key.team, people=people_of(key), data=data)


def tell_rotated(key: Key, former: Key) -> None:
    until = f"{former.expires_at:%Y-%m-%d %H:%M} UTC" if former.expires_at else "further notice"
    data = about_key(key) | {
        "former_key_id": former.public_id,
        "former_key": as_one_line(str(former)),
        "former_until": until,
        "by": _by(key.created_by),
    }
    raise_alert("key.rotated", cause=_cause(key), team=key.team, people=people_of(key), data=data)


def tell_expiring(*, at: datetime) -> int:
    """Tell of keys that end within a week; those that somebody rotated or that are not used are told of elsewhere."""
    soon = Key.objects.usable(at).filter(expires_soon(at))
    return sum(_tell_expiring(key) for key in soon.select_related("team").iterator(500))


def expires_soon(at: datetime) -> Q:
    """Of keys: what `tell_expiring` looks for, but for those that never were to live long."""
    return Q(
        expires_at__gt=at, expires_at__lte=at + EXPIRING, successor__isnull=True, unused_told_at__isnull=True
    )


def is_news_that_it_ends(key: Key) -> bool:
    return key.expires_at is not None and key.expires_at - key.created_at >= _LIVES_LONG


def _tell_expiring(key: Key) -> bool:
    ends = key.expires_at
    if ends is None or not is_news_that_it_ends(key):
        return False
    data = about_key(key) | {"day": f"{ends:%Y-%m-%d}", "expires_at": f"{ends:%Y-%m-%d %H:%M} UTC"}
    window = f"{ends:%Y-%m-%d %H:%M:%S}"
    return raise_alert(
        "key.expiring", cause=_cause(key), window=window, team=key.team, people=people_of(key), data=data
    )


def _cause(key: Key) -> str:
    return f"key:{key.public_id}"


def _by(person: User | None) -> str:
    """Who acts now."""
    acting, key = audit_context.who()
    if key:
        return f"key sk-gw-{key}-…"
    who: Sequence[object] = [each for each in (acting, person) if each is not None]
    return as_one_line(str(who[0])) if who else "the gateway itself"
