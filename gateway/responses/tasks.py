"""Forgetting stored responses whose time is over."""

from celery import shared_task
from django.utils import timezone

from accounts.models import StoredResponse
from gateway.core.rounds import one_at_a_time

_BATCH = 500


@shared_task
@one_at_a_time
def forget_expired_responses() -> int:
    """How many went. Some at a time, for no statement may take as long as SQL is waited for."""
    expired = StoredResponse.objects.filter(expires_at__lte=timezone.now()).order_by("expires_at")
    count = 0
    while ids := list(expired.values_list("pk", flat=True)[:_BATCH]):
        count += StoredResponse.objects.filter(pk__in=ids).delete()[0]
    return count
