"""Writing down what breakers did by this process' word: in the recorder's thread, and each change once over all."""

from gateway.proxy.health import HealthEvents
from providers.breakers import record_transition


class HealthWriter:
    def __init__(self, events: HealthEvents, told_by: str) -> None:
        self._events = events
        self._told_by = told_by

    def write(self) -> int:
        """All that waits; the number of it. What SQL does not take now is tried again. Raises django.db.Error."""
        waiting = self._events.give()
        for number, change in enumerate(waiting):
            try:
                record_transition(change, self._told_by)
            except BaseException:
                self._events.give_back(waiting[number:])
                raise
        return len(waiting)
