"""Redis is killed again and again while tasks are unacknowledged: the worker goes on, both lane and tasks."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from celery import Celery

from tests.gateway.program import Program, running
from tests.hostile.slow_provider import SlowProvider
from tests.patience import HANG_S
from tests.services import RedisServer, free_port, running_redis, wait_until
from tests.system.embedded import started
from tests.upstream import ScriptedProvider

pytestmark = pytest.mark.drill

OUTAGES_S = (1.0, 3.0, 0.0)
MORE_THAN_THREADS = 12
TASKS = "tests.hostile.lingering"
CELERY = ("celery", "-A", "gateway")


@dataclass
class Site:
    """Where calls are made, and the programs that must not end."""

    url: str
    key: str
    hosts: list[Program]
    last: str = ""

    def wait_for_call(self, what: str) -> None:
        try:
            wait_until(self.carries_calls, what, HANG_S)
        except TimeoutError as late:
            printed = "\n".join(host.text for host in self.hosts)
            raise AssertionError(f"{late}; the last answer: {self.last}; printed:\n{printed}") from late

    def carries_calls(self) -> bool:
        body = {"model": "acme/one", "messages": [{"role": "user", "content": "hello"}]}
        headers = {"authorization": f"Bearer {self.key}", "x-gateway-lane": "worker"}
        try:
            answer = httpx.post(f"{self.url}/v1/chat/completions", json=body, headers=headers, timeout=HANG_S)
        except httpx.TransportError as error:
            self.last = repr(error)
            return False
        self.last = f"{answer.status_code} {answer.text}"
        return answer.status_code == 200


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as server:
        yield server


@pytest.fixture
def slow() -> Iterator[SlowProvider]:
    with SlowProvider() as server:
        yield server


@pytest.fixture
def environment(
    tmp_path: Path, redis: RedisServer, provider: ScriptedProvider, slow: SlowProvider
) -> dict[str, str]:
    return {
        "DATABASE_URL": "",
        "REDIS_URL": redis.url,
        "GATEWAY_DATA_DIR": str(tmp_path),
        "GATEWAY_DRAIN_S": "3",
        "GATEWAY_ALLOW_PRIVATE": f"{provider.address},{slow.address}",
        "PORT": str(free_port()),
    }


@contextmanager
def separate(environment: dict[str, str], provider: ScriptedProvider) -> Iterator[Site]:
    with running("manage", "migrate", "-v0", **environment) as migration:
        assert migration.wait() == 0, migration.text
    key = seed(environment, provider)
    with (
        running("gateway.cli", "web", **environment),
        running(*CELERY, "worker", "-c", "2", "-I", TASKS, **environment) as worker,
        running(*CELERY, "beat", **environment) as beat,
    ):
        yield Site(f"http://127.0.0.1:{environment['PORT']}", key, [worker, beat])


@contextmanager
def embedded(environment: dict[str, str], provider: ScriptedProvider) -> Iterator[Site]:
    folder = Path(environment["GATEWAY_DATA_DIR"])
    with started(folder, module=TASKS, **environment) as product:
        yield Site(product.url, seed(environment, provider), [product.program])


def seed(environment: dict[str, str], provider: ScriptedProvider) -> str:
    """A model at the provider; a key for it."""
    with running("tests.system.seed", provider.base_url, **environment) as seeding:
        assert seeding.wait() == 0, seeding.text
        return seeding.text[seeding.text.index("sk-gw-") :].split()[0]


def begin_tasks(redis: RedisServer, slow: SlowProvider, count: int) -> None:
    """Send tasks that linger at the slow provider, and wait until one has come there."""
    before = slow.asked
    with Celery(broker=redis.url, set_as_current=False) as sender:
        for _ in range(count):
            sender.send_task("tests.linger", args=[slow.base_url])
    return before


@pytest.mark.parametrize("shape", [separate, embedded])
def test_worker_outlives_every_outage_of_its_broker(
    environment: dict[str, str],
    redis: RedisServer,
    provider: ScriptedProvider,
    slow: SlowProvider,
    shape: Any,
) -> None:
    with shape(environment, provider) as site:
        site.wait_for_call("taking the first call")
        for away_s in OUTAGES_S:
            begin_tasks(redis, slow, MORE_THAN_THREADS)
            redis.kill()
            time.sleep(away_s)
            redis.start()
            begin_tasks(redis, slow, 1)
            site.wait_for_call("taking calls again")
            assert [host.text for host in site.hosts if host.process.poll() is not None] == []
        for host in site.hosts:
            assert host.end(signal.SIGTERM) == 0, host.text
