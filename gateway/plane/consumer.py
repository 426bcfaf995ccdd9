"""The part of a Celery worker that takes tasks from its broker: no outage of the broker ends it."""

import logging
import time
from collections.abc import Callable
from typing import Any

from celery import bootsteps
from celery.worker import consumer
from celery.worker.state import maybe_shutdown

logger = logging.getLogger(__name__)

_RETRY_S = 1.0
_STOPPED = {bootsteps.CLOSE, bootsteps.TERMINATE}  # type: ignore[attr-defined]


class Consumer(consumer.Consumer):
    """Celery's own, which only a wish to stop ends.

    Celery mends a lost connection by itself, but for messages that were not acknowledged: giving those back over the
    connection that is gone raises what Celery does not expect (celery/kombu#582), and its worker would end.
    """

    def start(self) -> None:
        while self.blueprint.state not in _STOPPED:
            try:
                super().start()
            except Exception as error:  # noqa: BLE001  # a task loop
                # Without a traceback: all of it would be the library's.
                logger.warning("Taking tasks broke off and is begun anew: %r", error)
                self._begin_anew()

    def ensure_connected(self, conn: Any) -> Any:
        """Connect, for as long as it takes: Celery would wait longer each time, and give up in the end."""
        is_told = False

        def tell(error: Exception, _wait_s: float) -> None:
            nonlocal is_told
            if not is_told:
                logger.error("The broker %s is away; trying on: %s", conn.as_uri(), error)
            is_told = True

        conn.ensure_connection(
            tell, interval_start=_RETRY_S, interval_step=0, interval_max=_RETRY_S, callback=maybe_shutdown
        )
        self.first_connection_attempt = False
        if is_told:
            logger.warning("The broker %s is back.", conn.as_uri())
        return conn

    def call_soon_ack(self, acknowledge: Callable[..., object], *args: Any, **kwargs: Any) -> Any:
        """A message of a connection that is gone cannot be acknowledged any more, which is no reason to begin anew."""

        def attempt() -> None:
            try:
                acknowledge(*args, **kwargs)
            except Exception as error:  # noqa: BLE001  # whatever a closed connection makes of it
                logger.info("A task's message could not be acknowledged: %r", error)

        return super().call_soon_ack(attempt)  # type: ignore[misc]

    def _begin_anew(self) -> None:
        """What Celery does after a connection that was lost, without a word over it."""
        time.sleep(_RETRY_S)
        self.connection = None
        self.on_close()
        self._cancel_connection_timer_entries()  # type: ignore[attr-defined]
        self.blueprint.restart(self)
