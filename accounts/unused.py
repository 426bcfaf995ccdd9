"""Keys that nobody uses: their people are told, and a week later they expire."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from accounts import audit
from accounts.alerts.raising import raise_alert
from accounts.key_news import about_key, people_of
from accounts.models import Key, Team
from accounts.revision import Part, take_revision

WARNED = timedelta(days=7)
_BATCH = 200


def tell_unused(*, at: datetime) -> int:
    """Tell the people of keys that were not used for as long as their team allows. The number of keys."""
    told = 0
    for keys in _batches(_unused(at).filter(unused_told_at__isnull=True)):
        pks = [key.pk for key in keys]
        with transaction.atomic():
            told += Key.objects.filter(pk__in=pks).update(unused_told_at=at)
            for key in keys:
                _raise(key, at)
    return told


def forgive_used(*, at: datetime) -> int:
    """Forget that keys were unused which have been used since their people were told."""
    used = Key.objects.usable(at).filter(unused_told_at__isnull=False, last_used_at__gt=F("unused_told_at"))
    return used.update(unused_told_at=None)


def expire_unused(*, at: datetime) -> int:
    """End the keys whose people were told a week ago, and that were not used since. The number of keys."""
    expired = 0
    for keys in _batches(_unused(at).filter(unused_told_at__lte=at - WARNED)):
        with transaction.atomic():
            revision = take_revision(Part.KEYS)
            for key in keys:
                audit.record_changes([key], {"expires_at": (str(key.expires_at), str(at))})
            pks = [key.pk for key in keys]
            expired += Key.objects.filter(pk__in=pks).update(expires_at=at, revision=revision)
    return expired


def _unused(at: datetime) -> "QuerySet[Key]":
    """Usable keys that were not used for as long as their team, or else the gateway, allows."""
    overdue = Q(pk__in=[])
    for days in {settings.UNUSED_KEY_DAYS, *_days_of_teams()} - {0}:
        of_teams = Q(team__unused_key_days=days)
        if days == settings.UNUSED_KEY_DAYS:
            of_teams |= Q(team__unused_key_days__isnull=True)
        overdue |= of_teams & Q(used_at__lte=at - timedelta(days=days))
    keys = Key.objects.usable(at).annotate(used_at=Coalesce("last_used_at", "created_at"))
    return keys.filter(overdue).select_related("team", "owner", "created_by").order_by("pk")


def _days_of_teams() -> Iterable[int]:
    days = Team.objects.filter(unused_key_days__isnull=False).order_by()
    return [each for each in days.values_list("unused_key_days", flat=True).distinct() if each is not None]


def _batches(keys: "QuerySet[Key]") -> Iterable[Sequence[Key]]:
    """Some at a time, each asked anew: what was done drops out of the query."""
    while batch := list(keys[:_BATCH]):
        yield batch


def _raise(key: Key, at: datetime) -> None:
    """For its owner and who made it, where they are still in the team; else for the team's owners."""
    last = str(key.last_used_at.date()) if key.last_used_at else "never"
    raise_alert(
        "key.unused",
        cause=f"key:{key.public_id}",
        window=f"{at:%Y-%m-%d %H:%M:%S}",
        team=key.team,
        people=people_of(key),
        data=about_key(key) | {"last_used": last, "day": str((at + WARNED).date())},
    )
