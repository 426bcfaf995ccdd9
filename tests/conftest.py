"""Fixtures that all tests share: real servers, started once a session and only when a test asks."""

from collections.abc import Iterator

import pytest

from tests.services import PostgresServer, RedisServer, running_postgres, running_redis


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One for the session, not emptied between tests. A test that kills it takes `running_redis()`."""
    with running_redis() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    """An empty database without tables; `postgres_server.new_database(name)` makes further ones."""
    return postgres_server.new_database("gatehouse")
