"""Background duties of the catalogue: going on with imports of sheets."""

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from catalogue.sheet_import import services

LOOK_S = 5.0
# Far above what the largest sheet takes: it is there for one that hangs.
_HOURS = 3600


@shared_task(time_limit=2 * _HOURS, soft_time_limit=2 * _HOURS - 60)
def go_on_with_import(pk: int) -> None:
    services.go_on(pk)


@shared_task(time_limit=30, soft_time_limit=25)
def look_for_imports() -> int:
    """Hand out what is due and nobody has in hand, and forget what is old. Returns how many were handed out."""
    at = timezone.now()
    services.forget_old(at)
    due = services.due_imports(at)
    for pk in due:
        # Stale by the next look.
        go_on_with_import.apply_async(args=(pk,), expires=LOOK_S)
    return len(due)


def start(pk: int) -> None:
    """Go on with it now; where the broker is away, the next look finds it."""
    try:
        go_on_with_import.apply_async(args=(pk,), retry=False)
    except OperationalError:
        return
