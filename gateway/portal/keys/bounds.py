"""What is left of the limits and budgets of keys, in few words for lists; and a rotation, drawn to scale."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import Budget, Key
from accounts.standings import stand_budgets, stand_limits
from gateway.core.locales import write_number
from gateway.core.reader import current
from gateway.portal.limits.budgets import budget_text, money
from gateway.portal.limits.lines import limit_text

_LEAST = timedelta(hours=1)
WIDTH = 480


@dataclass(frozen=True, slots=True)
class Left:
    """Of one limit or budget. `percent` is None where nobody here knows what is left."""

    text: str
    left: str
    percent: int | None


def left_of(keys: Sequence[Key]) -> Mapping[int, Sequence[Left]]:
    """By the id of their lineage; of keys read with their limits. Two statements for all of them."""
    lineages = {key.lineage_id: key.first or key for key in keys}
    limits = [row for first in lineages.values() for row in first.limits.all()]
    budgets = list(Budget.objects.filter(key__in=lineages, is_active=True))
    at = timezone.now().timestamp()
    of_limits, of_budgets = stand_limits(limits), stand_budgets(budgets, at)
    found: dict[int, list[Left]] = {pk: [] for pk in lineages}
    for limit in limits:
        standing = of_limits.get(limit.pk)
        left = None if standing is None else max(0, standing.remaining)
        told = "" if left is None else write_number(left, current().locale)
        percent = None if left is None else min(100, left * 100 // limit.amount)
        found[limit.key_id or 0].append(Left(limit_text(limit), told, percent))
    for budget in budgets:
        its = of_budgets[budget.pk]
        percent = min(100, its.free * 100 // its.amount)
        found[budget.key_id or 0].append(Left(budget_text(budget), money(its.free), percent))
    return found


@dataclass(frozen=True, slots=True)
class Rotation:
    """Two keys in a box of `width`: until when the old one works, since when the new one does, and now."""

    old: Key
    new: Key
    old_width: float
    new_at: float
    new_width: float
    now: float
    width: int = WIDTH


def rotation_of(old: Key, new: Key) -> Rotation:
    """The old one begins before what is drawn, and the new one ends behind it."""
    now = timezone.now()
    ends = [at for at in (old.revoked_at, old.expires_at) if at is not None]
    ended = min(ends, default=max(now, new.created_at) + _LEAST)
    span = max(ended - new.created_at, _LEAST)
    low, high = new.created_at - span / 2, max(ended, now) + span / 2

    def place(at: datetime) -> float:
        return round((at - low) / (high - low) * WIDTH, 1)

    return Rotation(old, new, place(ended), place(new.created_at), WIDTH - place(new.created_at), place(now))
