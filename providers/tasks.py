"""Background duties of providers: probing those whose turn it is, and telling of alarms.

Celery's time limits need processes and mean nothing to threads: here each wait has a limit of its own.
"""

from celery import shared_task
from django.utils import timezone

from gateway.core.rounds import one_at_a_time
from providers import alarms, services
from providers.models import Provider
from providers.probes import TOGETHER_MOST, probe_together


@shared_task
@one_at_a_time
def probe_due_providers() -> int:
    """Claim providers whose turn it is, probe them together and keep what was found. Returns how many."""
    claimed = services.claim_due_probes(at=timezone.now(), most=TOGETHER_MOST)
    rows = Provider.objects.with_credential().filter(pk__in=claimed)
    asked = [services.facts_of(row) for row in rows]
    for provider, outcome in probe_together(asked, policy=services.outbound_policy()):
        services.record_probe(provider_id=provider.id, outcome=outcome, at=timezone.now())
    return len(asked)


@shared_task
@one_at_a_time
def mail_alarms() -> int:
    """Tell those in charge of providers that refuse us. Returns how many alerts."""
    return alarms.tell_open(at=timezone.now())
