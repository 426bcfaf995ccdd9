"""One web process of a deployment whose Celery workers are processes of their own."""

import socket
from collections.abc import Callable

from django.conf import settings
from django.db import connection

from gateway.asgi import application
from gateway.boot import first_run, greeting, outlet
from gateway.core import sql
from gateway.plane import runtime
from gateway.plane.process import await_database
from gateway.server.descriptors import within_descriptors
from gateway.server.serving import CannotStart, Events, Server


def serve(listener: socket.socket, *, is_orphan: Callable[[], bool] | None) -> None:
    """Serve until a signal, or until it is an orphan; None: nobody else started it. Raises CannotStart."""
    with first_run.database_explained(), sql.answer_within(sql.STATEMENT_S):
        await_database()
        if first_run.has_pending_migrations():
            raise CannotStart(first_run.NOT_PREPARED)
        first_run.refuse_other_tables()
        # This thread has no further use for it.
        connection.close()
    server = Server(
        application,
        drain_s=settings.DRAIN_S,
        on=Events(exit=runtime.begin_drain if is_orphan else _begin_drain),
        limits=within_descriptors(settings.EDGE_LIMITS, settings.UPSTREAM_CONNECTIONS),
        is_orphan=is_orphan,
    )
    server.serve_on(listener)


def _begin_drain() -> None:
    outlet.show(greeting.stopping_text(settings.DRAIN_S))
    runtime.begin_drain()
