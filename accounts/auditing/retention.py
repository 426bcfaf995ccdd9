"""Forgetting the audit's oldest entries, where a deployment keeps them for so many days only."""

import time
from datetime import datetime, timedelta

from accounts.auditing.pushing import sent_by_all
from accounts.models import AuditEntry

_BATCH = 1_000


def forget_acts(days: int, *, at: datetime, most_s: float) -> int:
    """Remove entries in batches of a transaction each, the oldest first, for about so long. How many.

    What is still to be sent on stays.
    """
    if not days:
        return 0
    old = AuditEntry.objects.filter(timestamp__lt=at - timedelta(days=days)).order_by("id")
    sent = sent_by_all()
    if sent is not None:
        old = old.filter(id__lte=sent)
    total, until_s = 0, time.monotonic() + most_s
    while ids := list(old.values_list("pk", flat=True)[:_BATCH]):
        total += AuditEntry.objects.filter(pk__in=ids).forget()
        if time.monotonic() >= until_s:
            break
    return total
