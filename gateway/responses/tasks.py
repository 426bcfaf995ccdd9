"""Forgetting stored responses whose time is over."""

from celery import shared_task
from django.utils import timezone

from accounts.models import StoredResponse
from providers.rounds import one_at_a_time


@shared_task
@one_at_a_time
def forget_expired_responses() -> int:
    """How many went."""
    count, _ = StoredResponse.objects.filter(expires_at__lte=timezone.now()).delete()
    return count
