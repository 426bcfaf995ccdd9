"""Background duties of providers: probing those whose turn it is, and mailing alarms."""

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from providers import alarms, services
from providers.adapters.model_lists import MODEL_LISTS
from providers.models import Provider
from providers.probes import probe


@shared_task(time_limit=30, soft_time_limit=25)
def probe_due_providers() -> int:
    """Claim each provider whose turn it is and hand it to a worker. Returns how many."""
    claimed = services.claim_due_probes(at=timezone.now())
    for provider_id in claimed:
        # Stale after an interval: by then the next turn has come.
        probe_provider.apply_async(args=(provider_id,), expires=settings.PROBE_INTERVAL_S)
    return len(claimed)


@shared_task(time_limit=30, soft_time_limit=25)
def probe_provider(provider_id: int) -> None:
    """Probe one provider and keep what was found; nothing if it went or was switched off meanwhile."""
    provider = Provider.objects.with_credential().filter(pk=provider_id).first()
    facts = services.facts_of(provider) if provider else None
    if facts is None or not facts.is_callable or facts.wire_format not in MODEL_LISTS:
        return
    outcome = probe(facts, door=services.outbound_policy())
    services.record_probe(provider_id=provider_id, outcome=outcome, at=timezone.now())


@shared_task(time_limit=30, soft_time_limit=25)
def mail_alarms() -> int:
    """Tell those in charge of providers that refuse us. Returns how many mails."""
    return alarms.mail_open(at=timezone.now())
