"""A deployment whose PostgreSQL or Redis is there and says nothing any more, and what it does once they speak again."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.hostile.silent_proxy import SilentProxy, silent_proxy
from tests.patience import HANG_S
from tests.services import PostgresServer, RedisServer, wait_until
from tests.system.deployment import ROOT, Deployment, deployed

pytestmark = [pytest.mark.drill, pytest.mark.apart]

REVOKE = """
import django; django.setup()
from accounts.models import Key
from accounts.services import revoke_key
revoke_key(key=Key.objects.get(name='{name}'))
"""
KEEP_EXPIRED = """
import django; django.setup()
from django.utils import timezone
from accounts.models import StoredResponse, Team
StoredResponse.objects.create(team=Team.objects.get(), response_id='old', sealed='', expires_at=timezone.now())
"""
SWEEP = """
import django; django.setup()
from gateway.celery import app

app.send_task('gateway.responses.tasks.forget_expired_responses')
"""


@dataclass
class World:
    deployment: Deployment
    database: SilentProxy
    redis: SilentProxy
    database_url: str
    """Past the proxy."""

    def run_beside(self, program: str) -> None:
        """As another process would, whose network is well."""
        environment = self.deployment.environment | {
            "DATABASE_URL": self.database_url,
            "DJANGO_SETTINGS_MODULE": "gateway.settings",
        }
        subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=True, timeout=HANG_S)

    def has_stored_responses(self) -> bool:
        with psycopg.connect(self.database_url) as database:
            return database.execute("SELECT 1 FROM accounts_storedresponse").fetchone() is not None

    def booked(self) -> Counter[str]:
        with psycopg.connect(self.database_url) as database:
            rows = database.execute("SELECT project FROM accounts_ledgerentry").fetchall()
        return Counter(project for (project,) in rows)

    def seen(self) -> Counter[str]:
        said = (entry["body"]["messages"][0]["content"] for entry in self.deployment.seen_by_provider())
        return Counter(said)

    def ready(self) -> dict[str, object]:
        return self.deployment.ready()

    def page(self) -> httpx.Response:
        return httpx.get(f"{self.deployment.url}/models", timeout=HANG_S)

    def call(self, name: str, *, lane: str, key: str | None = None) -> httpx.Response:
        headers = {
            "authorization": f"Bearer {key or self.deployment.key}",
            "x-gateway-lane": lane,
            "x-gateway-project-id": name,
        }
        body = {"model": "acme/one", "messages": [{"role": "user", "content": name}]}
        url = f"{self.deployment.url}/v1/chat/completions"
        return httpx.post(url, json=body, headers=headers, timeout=HANG_S)


@pytest.fixture
def world(
    tmp_path: Path, redis_server: RedisServer, postgres_server: PostgresServer, tables: str
) -> Iterator[World]:
    redis_server.start()
    redis_server.ask("FLUSHALL")
    url = postgres_server.new_database("silence", like=tables)
    with silent_proxy(postgres_server.port) as database, silent_proxy(redis_server.port) as redis:
        environment = {"REDIS_URL": redis.url(redis_server.url)}
        with deployed(tmp_path, redis_server, database.url(url), **environment) as deployment:
            deployment.start_web()
            deployment.start_worker()
            world = World(deployment, database, redis, url)
            # The key is known from now on.
            assert world.call("before", lane="direct").status_code == 200
            yield world


def wait_for(is_true, what: str) -> None:
    wait_until(is_true, what, HANG_S)


def test_calls_readiness_and_revocations_outlive_a_silent_database(world: World) -> None:
    world.database.silence()
    for lane in ("direct", "worker"):
        assert world.call(f"{lane}-meanwhile", lane=lane).status_code == 200
    wait_for(lambda: world.ready()["database"] == "down", "saying that the database is away")
    assert world.ready()["status"] == "degraded"
    unknown = world.call("unknown", lane="direct", key=make_unknown_key())
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (503, "keys_unavailable")
    page = world.page()
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")

    world.run_beside(REVOKE.format(name=key_name(world)))
    world.database.speak()
    wait_for(lambda: world.ready()["database"] == "up", "hearing the database again")
    wait_for(lambda: world.call("revoked", lane="direct").status_code == 401, "seeing the revocation")
    wait_for(lambda: world.booked() == world.seen(), "writing the ledger")
    wait_for(lambda: world.page().status_code == 200, "showing a page")


def test_what_the_database_did_and_could_not_say_is_booked_once(world: World) -> None:
    world.database.silence(answers_only=True)
    for number in range(6):
        for lane in ("direct", "worker"):
            assert world.call(f"{lane}-{number}", lane=lane).status_code == 200
    wait_for(lambda: world.ready()["database"] == "down", "saying that the database is away")
    world.database.speak()
    wait_for(lambda: sum(world.booked().values()) >= sum(world.seen().values()), "writing the ledger")
    assert world.booked() == world.seen()


def test_a_silent_store_is_told_and_calls_go_directly(world: World) -> None:
    world.redis.silence()
    wait_for(lambda: world.ready()["store"] == "down", "saying that the store is away")
    assert world.call("meanwhile", lane="auto").headers["x-gateway-lane"] == "direct"
    world.redis.speak()
    wait_for(lambda: world.ready()["store"] == "up", "hearing the store again")
    wait_for(lambda: world.ready()["workers"] == 1, "hearing the worker again")
    assert world.call("afterwards", lane="worker").status_code == 200


def test_tasks_outlive_a_silent_database(world: World) -> None:
    world.run_beside(KEEP_EXPIRED)
    world.database.silence()
    for _ in range(3):
        world.run_beside(SWEEP)
    wait_for(lambda: world.ready()["database"] == "down", "saying that the database is away")
    world.database.speak()
    wait_for(lambda: world.run_beside(SWEEP) or not world.has_stored_responses(), "doing a task again")


def make_unknown_key() -> str:
    from accounts.keys import mint_key

    return mint_key().text


def key_name(world: World) -> str:
    with psycopg.connect(world.database_url) as database:
        return database.execute("SELECT name FROM accounts_key").fetchone()[0]


def test_a_worker_takes_tasks_again_after_its_broker_was_silent(world: World) -> None:
    """Its wait for a task was swallowed, and no answer would ever have come."""
    redis = world.deployment.redis
    world.redis.silence()
    wait_for(lambda: world.ready()["store"] == "down", "saying that the store is away")
    world.redis.speak()
    send = "from gateway.celery import wake_worker; wake_worker.delay()"
    world.run_beside(f"import django; django.setup(); {send}")
    wait_for(lambda: redis.ask("LLEN", "celery") == 0, "taking the task")
    wait_for(lambda: redis.ask("HLEN", "unacked") == 0, "doing the task")
