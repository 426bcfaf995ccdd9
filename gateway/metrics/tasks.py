"""Background tasks as they are sent and as they end, by Celery's signals. A process counts those of its own."""

import time
from collections import deque
from typing import Any

from celery.signals import after_task_publish, task_postrun

from gateway.metrics import families
from gateway.metrics.totals import Totals

_MOST = 10_000
_OWN = ("gateway.", "accounts.", "catalogue.", "providers.")


class TaskNotes:
    """Heard in whichever thread a task runs; folded in another one."""

    def __init__(self) -> None:
        self._ended: deque[tuple[str, bool, float]] = deque(maxlen=_MOST)
        self._sent: deque[str] = deque(maxlen=_MOST)

    def listen(self) -> None:
        task_postrun.connect(self._hear_end, weak=False, dispatch_uid="metrics")
        after_task_publish.connect(self._hear_sent, weak=False, dispatch_uid="metrics")

    @staticmethod
    def leave() -> None:
        task_postrun.disconnect(dispatch_uid="metrics")
        after_task_publish.disconnect(dispatch_uid="metrics")

    def look(self, totals: Totals) -> None:
        for name in (self._sent.popleft() for _ in range(len(self._sent))):
            totals.add(families.TASKS_SENT, name)
        for name, is_well, at in (self._ended.popleft() for _ in range(len(self._ended))):
            totals.add(families.TASKS, name, "success" if is_well else "failure")
            if is_well:
                totals.set(families.TASK_SUCCESS, name, to=at)

    def _hear_end(self, *, task: Any, state: str | None = None, **_: Any) -> None:
        if task.name.startswith(_OWN):
            self._ended.append((task.name, state == "SUCCESS", time.time()))

    def _hear_sent(self, *, sender: str, **_: Any) -> None:
        if sender.startswith(_OWN):
            self._sent.append(sender)
