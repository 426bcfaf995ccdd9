"""Forgetting stored responses whose time is over."""

from celery import shared_task
from django.utils import timezone

from accounts.models import StoredResponse


@shared_task(time_limit=60, soft_time_limit=50)
def forget_expired_responses() -> int:
    """How many went."""
    count, _ = StoredResponse.objects.filter(expires_at__lte=timezone.now()).delete()
    return count
