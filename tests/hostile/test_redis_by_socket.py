"""Redis behind a socket of the file system: for the store, for the task queue, and for both as deployed."""

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
from celery import Celery

from gateway.core.redis_url import broker_url
from gateway.core.store.address import parse_address
from tests.patience import HANG_S
from tests.services import PostgresServer, RedisServer, running_redis, wait_until
from tests.system.deployment import Deployment, Seeded, deployed

PASSWORD = "p@ss:w/rd"
Address = Callable[[str], str]


def test_address_of_a_server_is_left_alone() -> None:
    for url in ("", "redis://user:word@host:6379/2", "rediss://host?ssl_cert_reqs=required"):
        assert broker_url(url) == url


@pytest.mark.parametrize(
    "address",
    [
        lambda path: f"unix://:{quote(PASSWORD, '')}@{path}?db=3",
        lambda path: f"unix://{path}?db=3&password={quote(PASSWORD, '')}",
    ],
)
def test_store_and_task_queue_read_the_same_address(address: Address) -> None:
    with running_redis() as server:
        server.ask("CONFIG", "SET", "requirepass", PASSWORD)
        url = address(server.socket_url.removeprefix("unix://"))
        read = parse_address(url)
        assert (read.path, read.password, read.database) == (server.socket_url[7:], PASSWORD, 3)
        queue = Celery("test", broker=broker_url(url), set_as_current=False)
        queue.send_task("anything")
        with redis.Redis(port=server.port, password=PASSWORD, db=3) as client:
            assert client.llen("celery") == 1
        queue.close()


@pytest.mark.drill
def test_web_and_worker_call_and_work_through_a_socket(
    tmp_path: Path, redis_server: RedisServer, postgres_server: PostgresServer, seeded: Seeded
) -> None:
    redis_server.start()
    redis_server.ask("FLUSHALL")
    database = postgres_server.new_database("socket", like=seeded.database)
    with deployed(
        tmp_path, redis_server, database, key=seeded.key, REDIS_URL=redis_server.socket_url
    ) as deployment:
        deployment.start_web()
        deployment.start_worker()
        answer = deployment.chat(lane="worker")
        assert (answer.status_code, answer.headers["x-gateway-lane"]) == (200, "worker")
        # Celery waits for a second, in which a busy machine may not come to answer.
        wait_until(lambda: is_answered(deployment), "the worker's pong", timeout_s=HANG_S)


def is_answered(deployment: Deployment) -> bool:
    with suppress(AssertionError):
        return "pong" in deployment.run(sys.executable, "-m", "celery", "-A", "gateway", "inspect", "ping")
    return False
