"""Web and worker that start while PostgreSQL is away: they wait and say so, and start once it is there."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.silent_proxy import silent_proxy
from tests.patience import HANG_S
from tests.services import PostgresServer, RedisServer, running_postgres, wait_until
from tests.system.deployment import WEB, WORKER, Deployment, deployed, make_tables


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def deployment(tmp_path: Path, redis_server: RedisServer, server: PostgresServer) -> Iterator[Deployment]:
    """Nothing of ours runs, and the database is prepared and away."""
    redis_server.start()
    url = server.new_database("starting")
    make_tables(url, tmp_path)
    with deployed(tmp_path, redis_server, url) as deployment:
        server.stop()
        yield deployment


def wait_for_words(deployment: Deployment, name: str) -> None:
    process = deployment.processes[name]

    def has_said_so() -> bool:
        assert process.poll() is None, deployment.log_of(name)
        return "Waiting for the database" in deployment.log_of(name)

    wait_until(has_said_so, "saying that it waits", HANG_S)


@pytest.mark.drill
def test_web_and_worker_wait_for_the_database(deployment: Deployment, server: PostgresServer) -> None:
    deployment.start("web", *WEB)
    deployment.start("worker", *WORKER)
    for name in ("web", "worker"):
        wait_for_words(deployment, name)
    server.start()
    deployment.wait_for_web("web")
    deployment.wait_for_start("worker", deployment.has_worker)
    assert deployment.chat(lane="worker").status_code == 200


@pytest.mark.drill
def test_a_worker_that_waits_ends_when_it_is_asked_to(deployment: Deployment) -> None:
    worker = deployment.start("worker", *WORKER)
    wait_for_words(deployment, "worker")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(HANG_S) == 0


@pytest.mark.drill
def test_web_starts_beside_a_store_that_says_nothing(
    tmp_path: Path, redis_server: RedisServer, postgres_server: PostgresServer, tables: str
) -> None:
    redis_server.start()
    url = postgres_server.new_database("mute", like=tables)
    with silent_proxy(redis_server.port) as proxy:
        environment = {"REDIS_URL": proxy.url(redis_server.url)}
        with deployed(tmp_path, redis_server, url, **environment) as deployment:
            proxy.silence()
            deployment.start_web()
            assert deployment.ready()["store"] == "down"
            assert deployment.chat().headers["x-gateway-lane"] == "direct"
