"""Forgetting the ledger's oldest rows, where a deployment keeps them for so many days only. Sums stay as they are."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.ledger_files import exported_until
from accounts.models import (
    LedgerEntry,
    RoutingNote,
    RoutingPlan,
    Statement,
    Team,
    TranslationNote,
    UsageBackfill,
)

_BATCH = 1_000
_ZONES_APART = timedelta(days=1)
"""A month begins and ends so much earlier or later elsewhere."""

_CLOSED = Statement.objects.filter(
    team_id=OuterRef("team_id"), starts_at__lte=OuterRef("started_at"), ends_at__gt=OuterRef("started_at")
)


def kept_since(days: int, at: datetime) -> datetime | None:
    """What began at that instant or later is kept; None: all is.

    The running month and the one before are kept in any case, in the zone of whoever closes them.
    """
    if not days:
        return None
    first = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    month_before = (first - timedelta(days=1)).replace(day=1)
    return min(at - timedelta(days=days), month_before - _ZONES_APART)


def forget_entries(days: int, *, at: datetime, most_s: float, keeps_open: bool = False) -> int:
    """Remove rows in batches of a transaction each, the oldest first, for about so long. The number of them.

    `keeps_open`: what is on no statement yet stays, too, but for what teams left that are gone.
    What is in no sums yet stays, and so do corrections that were booked later and what they correct, and what is to be
    exported and is not. All stays while usage of before it was added up is still to be added up.
    """
    since, until_s = kept_since(days, at), time.monotonic() + most_s
    if since is None or UsageBackfill.objects.filter(before__gt=0).exists():
        return 0
    since = min(since, exported_until(at))
    late = LedgerEntry.objects.filter(corrects_id=OuterRef("pk"), ended_at__gte=since)
    old = LedgerEntry.objects.filter(started_at__lt=since, lineage_id__isnull=False)
    old = old.exclude(~Q(kind=LedgerEntry.Kind.ATTEMPT) & Q(ended_at__gte=since)).exclude(Exists(late))
    if keeps_open:
        old = old.filter(Exists(_CLOSED) | ~Exists(Team.objects.filter(pk=OuterRef("team_id"))))
    total = 0
    while ids := list(old.order_by("started_at").values_list("pk", flat=True)[:_BATCH]):
        rows = LedgerEntry.objects.filter(pk__in=ids)
        # Nothing refers to them and nobody is told: Django would read them all first.
        total += rows._raw_delete(rows.db)
        if time.monotonic() >= until_s:
            break
    return total


def forget_notes(days: int, *, at: datetime, most_s: float) -> int:
    """Likewise what is kept of how calls were routed and translated."""
    since, until_s, total = at - timedelta(days=days), time.monotonic() + most_s, 0
    old: list[QuerySet[Any]] = [
        RoutingNote.objects.filter(noted_at__lt=since).order_by("noted_at"),
        TranslationNote.objects.filter(noted_at__lt=since).order_by("noted_at"),
        # Its last day may have gone on after it was written.
        RoutingPlan.objects.filter(used_at__lt=since - timedelta(days=2)).order_by("used_at"),
    ]
    for rows in old:
        while time.monotonic() < until_s and (ids := list(rows.values_list("pk", flat=True)[:_BATCH])):
            found = rows.model._default_manager.filter(pk__in=ids)
            total += found._raw_delete(found.db)
    return total
