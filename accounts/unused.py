"""Keys that nobody uses: their people are told, and a week later they expire."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from accounts import audit
from accounts.models import Key, Membership, Team
from accounts.revision import Part, take_revision
from gateway.core.lines import as_one_line

_log = logging.getLogger(__name__)
WARNED = timedelta(days=7)
_BATCH = 200


def tell_unused(*, at: datetime) -> int:
    """Tell the people of keys that were not used for as long as their team allows. The number of keys."""
    told = 0
    for keys in _batches(_unused(at).filter(unused_told_at__isnull=True)):
        pks = [key.pk for key in keys]
        # Before the mails: if those fail, nobody is mailed about the same keys every hour.
        told += Key.objects.filter(pk__in=pks).update(unused_told_at=at)
        for key in keys:
            _mail(key, at)
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


def _mail(key: Key, at: datetime) -> None:
    """Its owner, or who made it, where they are still in the team; else the team's owners. Nobody: nothing."""
    people = [person for person in (key.owner, key.created_by) if person is not None]
    members = Membership.objects.filter(team=key.team_id, user__is_active=True).select_related("user")
    mine = [each.user.email for each in members.filter(user__in=people)]
    owners = [each.user.email for each in members.filter(role=Membership.Role.OWNER)]
    addresses = sorted({address for address in (mine or owners) if address})
    if addresses:
        team = as_one_line(key.team.name)
        last = key.last_used_at.date() if key.last_used_at else "never"
        day = (at + WARNED).date()
        _send(
            f"A key of {team} is not used and expires on {day}",
            f"Key: {as_one_line(str(key))}\nTeam: {team}\nLast used: {last}\n\n"
            f"It expires on {day} unless it is used before.\n",
            addresses,
        )


def _send(subject: str, text: str, addresses: Sequence[str]) -> None:
    """Where there is no mail, the portal tells it all the same."""
    try:
        send_mail(subject, text, None, addresses)
    except OSError as error:
        _log.error("%s: this could not be mailed (%s).", subject, error)
