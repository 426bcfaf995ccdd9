"""The backend that `DATABASES` names."""

import time
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any, ClassVar

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool

from accounts import sql

_CHECK_S = 2.0
# The server's own watch over us: it may not hear that we went.
_WATCH = f"""
SET idle_in_transaction_session_timeout = '{sql.IDLE_IN_TRANSACTION_S}s';
SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3
"""


class Connection(psycopg.Connection[Any]):
    """One that is closed when nothing comes from the server for as long as its thread waits."""

    _pool: "ConnectionPool[Connection] | None" = None
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


class DatabaseWrapper(base.DatabaseWrapper):
    """A request's connection comes from the pool, that of any other thread is its own: see `sql.pooled`."""

    Database = SimpleNamespace(**(vars(psycopg) | {"connect": Connection.connect}))  # type: ignore[assignment]
    _connection_pools: ClassVar[dict[str, ConnectionPool[Connection]]] = {}

    @property
    def pool(self) -> ConnectionPool[Connection] | None:
        if self.connection is not None:
            return self.connection._pool  # type: ignore[no-any-return]
        if not sql.is_pooled():
            return None
        pools = self._connection_pools
        return pools.get(self.alias) or pools.setdefault(self.alias, self._make_pool())

    def _make_pool(self) -> ConnectionPool[Connection]:
        return ConnectionPool(
            kwargs={**self.get_connection_params(), "autocommit": True},
            connection_class=Connection,
            open=False,
            configure=self._configure_connection,  # type: ignore[arg-type]
            check=_check,
            **self.settings_dict["OPTIONS"]["pool"],
        )

    def _configure_connection(self, connection: Connection) -> bool:
        is_serving = sql.limit_s() is not None
        with sql.answer_within(sql.QUICK_S):
            is_changed: bool = super()._configure_connection(connection)  # type: ignore[misc]
            if is_serving:
                connection.execute(_WATCH)
        return is_changed or is_serving


def _check(connection: Connection) -> None:
    """Raises OperationalError. Where one is dead, those that waited beside it are too."""
    try:
        with sql.answer_within(_CHECK_S):
            ConnectionPool.check_connection(connection)
    except psycopg.OperationalError:
        if connection._pool:
            connection._pool.drain()
        raise
