"""The duty that sends weekly digests."""

from celery import shared_task
from django.utils import timezone

from gateway.core.rounds import one_at_a_time
from gateway.weekly import sending


@shared_task
@one_at_a_time
def send_weekly_digests() -> int:
    """To everybody for whom it is Monday, 8 o'clock, or was while nothing ran. Returns how many."""
    return sending.send_due(at=timezone.now())
