"""The backend that `DATABASES` names."""

import threading
import time
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any, ClassVar

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool, TooManyRequests

from gateway.core import sql

_CHECK_S = 2.0
# The server's own watch over us: it may not hear that we went.
_WATCH = f"""
SET idle_in_transaction_session_timeout = '{sql.IDLE_IN_TRANSACTION_S}s';
SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3
"""

# To compile a sum over some months takes seconds, and to read it a fraction of one.
_PLAIN = "SET jit = off"


class Connection(psycopg.Connection[Any]):
    """One that is closed when nothing comes from the server for as long as its thread waits."""

    _pool: "Pool | None" = None
    """Where it has to go back to, as psycopg's pools note it."""

    def wait(self, gen: Generator[Any, Any, Any], *args: Any, **options: Any) -> Any:
        limit_s = sql.limit_s()
        if limit_s is None:
            return super().wait(gen, *args, **options)
        try:
            return super().wait(_while_heard(gen, limit_s), *args, **options)
        except sql.Unanswered:
            # Shut, and not asked to cancel: whoever is silent would not hear that either.
            self.pgconn.finish()
            raise


def _while_heard(gen: Generator[Any, Any, Any], limit_s: float) -> Generator[Any, Any, Any]:
    """Pass between psycopg's generator and its wait, which looks in ten times a second. Raises Unanswered."""
    heard_at = time.monotonic()
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if ready:
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > limit_s:
                raise sql.Unanswered(f"nothing came from the database for {limit_s:g} s")
            wanted = gen.send(ready)
    except StopIteration as end:
        return end.value


class Pool(ConnectionPool[Connection]):
    """Bounds how many wait. psycopg's own bound also counts those who gave up, and after an outage lets nobody in."""

    def __init__(self, *, queue: int, **options: Any) -> None:
        super().__init__(connection_class=Connection, open=False, **options)
        self._queue = threading.BoundedSemaphore(queue)

    def getconn(self, timeout: float | None = None) -> Connection:
        if not self._queue.acquire(blocking=False):
            raise TooManyRequests("too many requests wait for a connection to the database")
        try:
            return super().getconn(timeout)
        finally:
            self._queue.release()


class DatabaseWrapper(base.DatabaseWrapper):
    """A request's connection comes from the pool, that of any other thread is its own: see `sql.pooled`."""

    Database = SimpleNamespace(**(vars(psycopg) | {"connect": Connection.connect}))  # type: ignore[assignment]
    _connection_pools: ClassVar[dict[str, Pool]] = {}

    @property
    def pool(self) -> Pool | None:
        if self.connection is not None:
            return self.connection._pool  # type: ignore[no-any-return]
        if not sql.is_pooled():
            return None
        pools = self._connection_pools
        return pools[self.alias] if self.alias in pools else pools.setdefault(self.alias, self._make_pool())

    def _make_pool(self) -> Pool:
        return Pool(
            kwargs={**self.get_connection_params(), "autocommit": True},
            configure=self._configure_connection,
            check=_check,
            **self.settings_dict["OPTIONS"]["pool"],
        )

    def _configure_connection(self, connection: Connection) -> bool:
        is_serving = sql.limit_s() is not None
        with sql.answer_within(sql.QUICK_S):
            super()._configure_connection(connection)  # type: ignore[misc]
            connection.execute(f"{_PLAIN}; {_WATCH}" if is_serving else _PLAIN)
        return True


def _check(connection: Connection) -> None:
    """Raises OperationalError. Where one is dead, those that waited beside it are too."""
    try:
        with sql.answer_within(_CHECK_S):
            ConnectionPool.check_connection(connection)
    except psycopg.OperationalError:
        if connection._pool:
            connection._pool.drain()
        raise
