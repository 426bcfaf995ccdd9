"""Background duties of teams, keys and budgets."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from accounts import (
    access_requests,
    budget_notices,
    centre_statements,
    key_news,
    ledger_files,
    memberships,
    repeats,
    retention,
    sessions,
    spend_leaps,
    spending_proof,
    statements,
    store_proof,
    unused,
)
from accounts.alerts import delivering, spreading
from accounts.auditing.pushing import push_due
from accounts.auditing.retention import forget_acts
from accounts.recording import count_missed
from accounts.usage import closing, repair
from accounts.usage import proof as usage_proof
from gateway.core.rounds import one_at_a_time

_FORGET_S = 60.0
_EXPORT_S = 45.0
_PUSH_S = 30.0


@shared_task
@one_at_a_time
def end_unused_keys() -> int:
    """Tell of keys that nobody uses, and expire those that were told of a week ago. Returns how many expired."""
    at = timezone.now()
    unused.forgive_used(at=at)
    expired = unused.expire_unused(at=at)
    unused.tell_unused(at=at)
    return expired


@shared_task
@one_at_a_time
def end_grants() -> int:
    """Take roles, and all else that was granted, whose time is over. Returns how many grants ended."""
    at = timezone.now()
    return access_requests.end_due(at) + memberships.end_grants(at)


@shared_task
@one_at_a_time
def forget_sessions() -> int:
    """Forget sessions that are over. Returns how many."""
    return sessions.forget_ended()


@shared_task
@one_at_a_time
def tell_budgets() -> int:
    """Add up what older processes recorded, then tell of budgets that have reached a threshold. Returns how many."""
    while count_missed():
        pass
    return budget_notices.tell_thresholds(at=timezone.now())


@shared_task
@one_at_a_time
def prove_spending() -> int:
    """Compare sums with the ledger and the store with them; forget what no window needs. Returns how many differ."""
    at = timezone.now()
    differences = [*spending_proof.prove(at=at), *store_proof.prove_store(at=at)]
    spending_proof.forget_old(at=at)
    return len(differences)


@shared_task
@one_at_a_time
def prove_usage() -> int:
    """Compare usage with the ledger. Returns how many sums differ."""
    return len(usage_proof.prove(at=timezone.now()))


@shared_task
@one_at_a_time
def forget_repeats() -> int:
    """Forget what new keys are while they may be asked for again. Returns how many requests are not known any more."""
    return repeats.forget_repeats(at=timezone.now())


@shared_task
@one_at_a_time
def send_alerts() -> int:
    """Decide who is told of new alerts, and send what is due. Returns how many were tried."""
    at = timezone.now()
    spreading.spread_new(at=at)
    spreading.send_digests(at=at)
    return delivering.send_due(at=timezone.now())


@shared_task
@one_at_a_time
def tend_usage() -> int:
    """Make days of teams anew that are in another time zone now, add up some of what was before usage was added up, and
    close some days that are over.

    Returns how many teams and days were made anew or added up.
    """
    changed = repair.follow_zones() + repair.fill_back()
    closing.close_days(at=timezone.now())
    return changed


@shared_task
@one_at_a_time
def watch_keys_and_spending() -> int:
    """Tell of keys that expire soon and of spending that leaps, and forget old alerts. Returns how many are new."""
    at = timezone.now()
    spreading.forget_old(at=at)
    return key_news.tell_expiring(at=at) + spend_leaps.tell_leaps(at=at)


@shared_task
@one_at_a_time
def forget_entries() -> int:
    """Remove what is kept for so many days only: of ledger, audit and how calls were routed. Returns how many."""
    at = timezone.now()
    notes = retention.forget_notes(settings.ROUTING_DAYS, at=at, most_s=_FORGET_S)
    notes += forget_acts(settings.AUDIT_DAYS, at=at, most_s=_FORGET_S)
    return notes + retention.forget_entries(
        settings.LEDGER_DAYS, at=at, most_s=_FORGET_S, keeps_open=settings.STATEMENT_DAYS > 0
    )


@shared_task
@one_at_a_time
def export_ledger() -> int:
    """Write to files what is due of the ledger, for about so long. Returns how many files."""
    return ledger_files.export_due(at=timezone.now(), most_s=_EXPORT_S)


@shared_task
@one_at_a_time
def send_audit() -> int:
    """Send the audit on to those who want it. Returns how many entries were taken."""
    return push_due(at=timezone.now(), most_s=_PUSH_S)


@shared_task
@one_at_a_time
def close_months() -> int:
    """Make statements of months that have ended. Returns how many."""
    days, at = settings.STATEMENT_DAYS, timezone.now()
    if not days:
        return 0
    made = statements.close_due(at=at, days=days)
    if not made and statements.is_complete():
        # All that is due is closed, then.
        centre_statements.close_centres(before=at - timedelta(days=days), at=at)
    return made
