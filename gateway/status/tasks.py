"""The duty of the status page: counting days."""

from celery import shared_task
from django.utils import timezone

from gateway.core.rounds import one_at_a_time
from gateway.status.counting import count_days


@shared_task
@one_at_a_time
def count_status_days() -> int:
    """How models and providers did, today and before. Returns how many days were written."""
    return count_days(timezone.now())
