"""The Celery application: background duties, and the worker that hosts the lane."""

import logging
import os
from typing import Any

from celery import Celery, Task
from celery.signals import beat_init
from django.db import InterfaceError, InternalError, OperationalError

from gateway.boot import outlet
from gateway.core import sql

logger = logging.getLogger(__name__)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")


class _Application(Celery):
    """One whose commands `worker` and `beat` wait for no reader of their output; Celery prints before it is ready."""

    @property
    def Worker(self) -> Any:  # noqa: N802  (Celery's name)
        outlet.install()
        return super().Worker

    @property
    def Beat(self) -> Any:  # noqa: N802  (Celery's name)
        outlet.install()
        beat_init.connect(_count_beat, weak=False)
        return super().Beat


def _count_beat(**_: Any) -> None:
    """Of a beat that is a process of its own. Its modules need Django's models, which are loaded by now."""
    from gateway.metrics.counting import count_beat

    count_beat()


class Duty(Task):  # type: ignore[type-arg]
    """One that finds the database away is counted as pages are, and leaves no traceback each time its beat comes."""

    # What Celery then logs for information only; the rest is said below.
    throws = (OperationalError, InterfaceError, InternalError)

    def on_failure(self, exc: BaseException, *_: Any) -> None:
        if sql.is_away(exc):
            sql.refusals.note(exc)
        elif isinstance(exc, self.throws):
            logger.error("The task %s failed.", self.name, exc_info=exc)


app = _Application("gatehouse", task_cls=Duty)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(
    [
        "gateway",
        "gateway.identity",
        "gateway.responses",
        "gateway.status",
        "gateway.weekly",
        "catalogue",
        "providers",
        "accounts",
    ]
)
# By name: its module needs Django's models, which are loaded only once a worker is made.
app.steps["worker"].add("gateway.plane.worker:LaneStep")


@app.task(name="gateway.wake_worker")
def wake_worker() -> None:
    """Do nothing: a worker that waits for its next message looks at its stop flag only when one comes."""
