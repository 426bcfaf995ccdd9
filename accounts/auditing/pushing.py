"""The audit sent on to those whom settings name: each entry at least once, in order, from where it stopped."""

import socket
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import F, Q
from django.utils import timezone

from accounts.alerts.raising import raise_alert
from accounts.auditing.posting import NotTaken, post_batch
from accounts.auditing.receivers import Receiver
from accounts.auditing.telling import tell_all
from accounts.models import AuditEntry, AuditReceiver

BATCH = 100
CLAIM = timedelta(seconds=90)
"""Longer than a batch may take."""
TOLD_AFTER = timedelta(minutes=15)
_WAITS_S = (5, 15, 60, 300, 600)
_CLOCKS_APART = timedelta(seconds=10)


def push_due(*, at: datetime, most_s: float) -> int:
    """Send what is not sent yet, for about so long. How many entries were taken."""
    until_s = time.monotonic() + most_s
    return sum(_push(receiver, at, until_s) for receiver in settings.AUDIT_PUSH)


def sent_by_all() -> int | None:
    """Up to which entry all have the audit; None where nobody wants it."""
    marks = [each.mark for each in settings.AUDIT_PUSH]
    if not marks:
        return None
    sent = dict(AuditReceiver.objects.filter(name__in=marks).values_list("name", "sent_id"))
    return min(sent.get(mark, 0) for mark in marks)


def _push(receiver: Receiver, at: datetime, until_s: float) -> int:
    row, _ = AuditReceiver.objects.get_or_create(name=receiver.mark)
    total = 0
    while time.monotonic() < until_s and _claim(row, at):
        batch = _next(row.sent_id, at)
        try:
            if batch:
                post_batch(
                    receiver,
                    tell_all(batch),
                    secrets=settings.AUDIT_PUSH_SECRETS,
                    host=_host(),
                    at=timezone.now(),
                )
        except NotTaken as failure:
            _note_failure(row, str(failure), at)
            break
        _note(row, batch, at)
        total += len(batch)
        if len(batch) < BATCH:
            break
    return total


def _claim(row: AuditReceiver, at: datetime) -> bool:
    """Whether it is this round's alone; then the row says where it stands."""
    free = Q(claimed_until=None) | Q(claimed_until__lte=at)
    due = Q(due_at=None) | Q(due_at__lte=at)
    if not AuditReceiver.objects.filter(free, due, pk=row.pk).update(claimed_until=at + CLAIM):
        return False
    row.refresh_from_db()
    return True


def _next(sent_id: int, at: datetime) -> Sequence[AuditEntry]:
    """What follows, up to a gap that somebody's open transaction may still fill."""
    rows = AuditEntry.objects.after(sent_id).select_related("content_type", "team").order_by("id")
    page = list(rows[:BATCH])
    numbers = [sent_id, *(entry.pk for entry in page)]
    gaps = [place for place in range(len(page)) if numbers[place + 1] != numbers[place] + 1]
    # Numbers are given in order, and rows are seen once their transactions end. Where there is one writer at a time,
    # as in SQLite, what has a higher number came later.
    if not gaps or connection.vendor != "postgresql":
        return page
    since = min(_oldest_open() or at, at) - _CLOCKS_APART
    return page[: next((place for place in gaps if page[place].timestamp > since), len(page))]


def _oldest_open() -> datetime | None:
    """When the transaction began that is open the longest, of others than this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(xact_start) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        oldest: datetime | None = cursor.fetchone()[0]
    return oldest


def _note(row: AuditReceiver, batch: Sequence[AuditEntry], at: datetime) -> None:
    mine = AuditReceiver.objects.filter(pk=row.pk)
    mine.update(claimed_until=None, due_at=None, tries=0, failing_since=None, problem="")
    if batch:
        mine.update(sent_id=batch[-1].pk, sent=F("sent") + len(batch), delivered_at=at)


def _note_failure(row: AuditReceiver, problem: str, at: datetime) -> None:
    wait_s = _WAITS_S[min(row.tries, len(_WAITS_S) - 1)]
    since = row.failing_since or at
    AuditReceiver.objects.filter(pk=row.pk).update(
        claimed_until=None,
        problem=problem[:200],
        tries=row.tries + 1,
        failing_since=since,
        due_at=at + timedelta(seconds=wait_s),
    )
    if at - since >= TOLD_AFTER:
        _tell(row, since, problem, at)


def _tell(row: AuditReceiver, since: datetime, problem: str, at: datetime) -> None:
    """Once a day for as long as it lasts."""
    data = {
        "receiver": row.name,
        "since": f"{since:%Y-%m-%d %H:%M} UTC",
        "waiting": f"{AuditEntry.objects.after(row.sent_id).count():,}",
        "problem": problem[:200],
    }
    window = f"{since.isoformat()} {(at - since).days}"
    raise_alert("audit.not_taken", cause=f"audit_receiver:{row.pk}", window=window, data=data)


def _host() -> str:
    """As syslog names who speaks: the address that people know, or the machine."""
    return str(settings.PUBLIC_URL.host if settings.PUBLIC_URL else "") or socket.gethostname()
