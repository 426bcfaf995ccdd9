"""One web process of a deployment whose Celery workers are processes of their own."""

import socket

from django.conf import settings
from django.db import connection

from gateway.asgi import application
from gateway.boot import first_run, greeting, outlet
from gateway.core import sql
from gateway.plane import runtime
from gateway.plane.process import await_database
from gateway.server.descriptors import within_descriptors
from gateway.server.serving import CannotStart, Events, Server


def serve(listener: socket.socket, *, parent: int | None) -> None:
    """Serve until a signal. Raises CannotStart."""
    with first_run.database_explained(), sql.answer_within(sql.STATEMENT_S):
        await_database()
        if first_run.has_pending_migrations():
            raise CannotStart("The database is not prepared for this version. Run 'gatehouse prepare' first.")
        first_run.refuse_other_tables()
        # This thread has no further use for it.
        connection.close()
    server = Server(
        application,
        drain_s=settings.DRAIN_S,
        on=Events(exit=runtime.begin_drain if parent else _begin_drain),
        limits=within_descriptors(settings.EDGE_LIMITS, settings.UPSTREAM_CONNECTIONS),
        parent=parent,
    )
    server.serve_on(listener)


def _begin_drain() -> None:
    outlet.show(greeting.stopping_text(settings.DRAIN_S))
    runtime.begin_drain()
