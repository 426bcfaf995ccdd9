"""A Redis user with no more rights than docs/operating.md names: store, task queue and doctor do with them."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from django.conf import LazySettings

from gateway.celery import app as celery
from gateway.core.store.interface import Ask, Limit, Tokens
from gateway.core.store.redis import RedisStore
from gateway.core.store.tries import Patience
from gateway.ops import doctor
from tests.gateway.core.store.money import ask, charge, install, spent, window
from tests.gateway.core.store.worlds import hand_over, play_redis
from tests.patience import HANG_S
from tests.services import LOOPBACK, RedisServer, running_redis, wait_until

OPERATING = Path(__file__).resolve().parents[2] / "docs/operating.md"


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture(scope="module")
def url(server: RedisServer) -> str:
    """Of the user that the document makes."""
    documented = re.search(r"ACL SETUSER ([^`]+)`", OPERATING.read_text())
    assert documented
    server.ask("ACL", "SETUSER", *documented[1].replace("PASSWORD", "word").split())
    server.ask("ACL", "LOG", "RESET")
    return f"redis://gatehouse:word@{LOOPBACK}:{server.port}/0"


@pytest.fixture(autouse=True)
def _nothing_else_is_refused(server: RedisServer) -> Iterator[None]:
    yield
    refused = [entry[b"object"] for entry in server.ask("ACL", "LOG")]
    assert [name for name in refused if name != b"info"] == []


def test_the_store_does_with_the_documented_rights(url: str) -> None:
    async def story(store: RedisStore) -> None:
        heard: list[bytes] = []
        inbox = await store.subscribe(["in:web"], lambda _channel, message: heard.append(message))
        limits = [Limit("key:1", "tokens", 5, 60), Limit("key:1", "concurrency", 5)]
        assert (await store.admit(Ask("a", limits, input_tokens=3))).is_admitted
        store.correct(limits, Tokens(3), Tokens(2), time.time())
        store.release("a")
        await install(store, window(9))
        assert (await store.admit(ask("a", 5, window(9)))).is_admitted
        store.raise_hold("a", ["key:1"], 6)
        await store._budgets.join()
        store._budgets.renew()
        store.settle("a", charge(2), "web", 1)
        assert ((await store.balance("key:1")).held, await spent(store, window(9))) == (4, 2)
        store.release_holds("a", ["key:1"])
        assert await store.take_try("keys:x", Patience(1, 1)) == 0
        await store.forgive("keys:x")
        entry = await hand_over(store, store, "call")
        assert await store.start_job(entry, "worker", b"started")
        await store._jobs.sweep()
        await store.take_back("call", store.epoch)
        assert await store.claim("it", 1)
        store.keep("shelf", "a", b"1", 1)
        assert await store.read_shelf("shelf") == {"a": b"1"}
        await inbox.close()

    play_redis(story, url)


def test_the_task_queue_does_with_the_documented_rights(url: str) -> None:
    app = Celery("rights", broker=url, set_as_current=False)
    app.conf.update(worker_pool="solo", task_ignore_result=True)
    done: list[int] = []

    @app.task(name="note")
    def note(number: int) -> None:
        done.append(number)

    try:
        with start_worker(app, perform_ping_check=False, loglevel="ERROR"):
            note.delay(7)
            wait_until(lambda: done == [7], "running a task")
            assert app.control.ping(timeout=HANG_S, limit=1)
    finally:
        # A worker of Celery's tests makes its application everybody's.
        celery.set_current()
        celery.set_default()


def test_doctor_does_with_the_documented_rights(url: str, settings: LazySettings) -> None:
    settings.REDIS_URL = url
    assert doctor._ask("redis", doctor._redis).says == "answers; its version is not for this user to ask"


def test_a_wrong_password_is_told(server: RedisServer, settings: LazySettings, url: str) -> None:
    settings.REDIS_URL = url.replace(":word@", ":wrong@")
    found = doctor._ask("redis", doctor._redis)
    assert not found.is_well
    assert "WRONGPASS" in found.says or "invalid username-password" in found.says
    server.ask("ACL", "LOG", "RESET")
