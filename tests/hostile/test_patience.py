"""Connections to PostgreSQL that are given up where nothing comes."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import OperationalError
from django.db.utils import ConnectionHandler

from gateway.core import sql
from tests.hostile.silent_proxy import SilentProxy, silent_proxy
from tests.services import PostgresServer


@pytest.fixture
def proxy(postgres_server: PostgresServer) -> Iterator[SilentProxy]:
    with silent_proxy(postgres_server.port) as proxy:
        yield proxy


@pytest.fixture
def connection(proxy: SilentProxy, django_db_blocker, monkeypatch: pytest.MonkeyPatch):
    """Django's, by way of the proxy, in a process that serves nobody."""
    monkeypatch.setattr(sql, "_limit_everywhere_s", None)
    settings = {
        "ENGINE": "gateway.core.postgresql",
        "NAME": "postgres",
        "USER": "gatehouse",
        "HOST": "127.0.0.1",
        "PORT": str(proxy.port),
        "OPTIONS": {"connect_timeout": 2, "pool": {"min_size": 0, "max_size": 2, "timeout": 5, "queue": 4}},
    }
    connection = ConnectionHandler({"default": settings})["default"]
    with django_db_blocker.unblock():
        yield connection
        connection.close()
    connection._connection_pools.clear()


def ask(connection, words: str = "SELECT 1") -> object:
    with connection.cursor() as cursor:
        cursor.execute(words)
        return cursor.fetchone()[0]


def test_a_silent_database_is_given_up_and_the_next_connection_works(proxy, connection) -> None:
    assert ask(connection) == 1
    proxy.silence()
    with sql.answer_within(0.3), pytest.raises(OperationalError, match="nothing came from the database for"):
        ask(connection)
    connection.close()
    proxy.speak()
    assert ask(connection) == 1


def test_silence_at_connecting_ends_too(proxy, connection) -> None:
    proxy.silence()
    with pytest.raises(OperationalError, match="timeout"):
        ask(connection)


def test_silence_within_a_transaction_is_the_same_error(proxy, connection) -> None:
    connection.set_autocommit(False)
    ask(connection)
    proxy.silence()
    with sql.answer_within(0.3), pytest.raises(OperationalError, match="nothing came"):
        ask(connection)


def test_an_answer_that_keeps_coming_is_no_silence(connection) -> None:
    rows = "SELECT repeat('x', 100000), pg_sleep(0.1) FROM generate_series(1, 10)"
    with sql.answer_within(0.5), connection.cursor() as cursor:
        cursor.execute(rows)
        assert len(cursor.fetchall()) == 10


def test_the_server_gives_up_the_transaction_of_one_who_cannot_say_that_it_left(connection) -> None:
    with sql.answer_within(sql.QUICK_S):
        assert ask(connection, "SHOW idle_in_transaction_session_timeout") == "15s"


def test_nobody_hurries_a_migration(connection) -> None:
    assert ask(connection, "SHOW idle_in_transaction_session_timeout") == "0"
    assert sql.limit_s() is None
    assert ask(connection, "SELECT 1 FROM pg_sleep(1)") == 1


def test_the_shut_connection_is_closed_and_not_only_forgotten(proxy, connection) -> None:
    ask(connection)
    held: psycopg.Connection = connection.connection
    proxy.silence()
    with sql.answer_within(0.3), pytest.raises(OperationalError):
        ask(connection)
    assert held.closed
