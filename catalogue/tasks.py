"""Background duties of the catalogue: going on with imports of sheets, telling teams of models that they use."""

from celery import shared_task
from celery.worker import state
from django.utils import timezone
from kombu.exceptions import OperationalError

from catalogue import billed_probes
from catalogue.changes import model_alerts
from catalogue.sheets import services, work
from gateway.core.rounds import one_at_a_time

LOOK_S = 5.0


@shared_task
def go_on_with_import(pk: int) -> None:
    work.go_on(pk, is_stopping=_is_stopping)


@shared_task
@one_at_a_time
def look_for_imports() -> int:
    """Hand out what is due and nobody has in hand, and forget what is old. Returns how many were handed out."""
    at = timezone.now()
    services.forget_old(at)
    due = services.due_imports(at)
    for pk in due:
        # Stale by the next look.
        go_on_with_import.apply_async(args=(pk,), expires=LOOK_S)
    return len(due)


@shared_task
@one_at_a_time
def tell_of_models() -> int:
    """Tell teams of changes of models that they use. Returns how many alerts."""
    return model_alerts.tell_changes(at=timezone.now())


@shared_task
@one_at_a_time
def probe_quiet_offerings() -> int:
    """Ask models that nobody called lately, inside what probes may cost. Returns how many."""
    return billed_probes.probe_quiet_offerings(timezone.now())


def start(pk: int) -> None:
    """Go on with it now; where the broker is away, the next look finds it."""
    try:
        go_on_with_import.apply_async(args=(pk,), retry=False)
    except OperationalError:
        return


def _is_stopping() -> bool:
    """Celery waits for its threads: one that went on for minutes would hold up the end of its process."""
    return any(flag is not None and flag is not False for flag in (state.should_stop, state.should_terminate))
