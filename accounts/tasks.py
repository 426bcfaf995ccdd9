"""Background duties of teams and keys."""

from celery import shared_task
from django.utils import timezone

from accounts import unused
from gateway.core.rounds import one_at_a_time


@shared_task
@one_at_a_time
def end_unused_keys() -> int:
    """Tell of keys that nobody uses, and expire those that were told of a week ago. Returns how many expired."""
    at = timezone.now()
    unused.forgive_used(at=at)
    expired = unused.expire_unused(at=at)
    unused.tell_unused(at=at)
    return expired
