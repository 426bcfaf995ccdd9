"""The nightly proof that the store judges budgets by what SQL has: in memory and in Redis, wrong in either place."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings
from django.core import mail
from django.db import connections

from accounts import standings, store_proof
from accounts.budgeting import make_budget
from accounts.models import Key, Spend
from accounts.recording import Mark, record_attempts
from accounts.spending import read_bases
from accounts.store_proof import prove_store
from accounts.tasks import prove_spending, send_alerts
from gateway.core.store.interface import Charge, Store
from gateway.core.store.memory import MemoryStore
from gateway.core.store.packing import keys_of
from gateway.core.store.redis import RedisStore
from gateway.plane.shared_standings import SharedStandings
from tests.gateway.spooling import attempt
from tests.make import make_key, make_team
from tests.patience import HANG_S
from tests.services import RedisServer

pytestmark = pytest.mark.django_db(transaction=True)
CENT = 10**8
NOW = datetime.now(UTC).replace(microsecond=0)
QUARTER = int(NOW.timestamp()) // 900 * 900


class Plane:
    """A store on a loop of its own, as web processes and workers have it."""

    def __init__(self, store: Store, loop: asyncio.AbstractEventLoop) -> None:
        self.store = store
        self._loop = loop

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(HANG_S)

    def do(self, act: Callable[[], None]) -> None:
        """In order with what is asked after it."""

        async def run() -> None:
            act()

        self.run(run())

    def settle(self, subject: str, units: int, seq: int) -> None:
        charge = Charge(subject, QUARTER, units)
        self.do(lambda: self.store.settle(f"call-{seq}", [charge], "web", seq))

    def install(self, subject: str, window: Any) -> None:
        bases = read_bases({subject: [window]})
        self.run(self.store.install(subject, bases.version, bases.spent[subject], bases.marks))

    def mistake(self, subject: str, units: int) -> None:
        """As if it had counted so much more."""
        told = self.run(self.store.balance(subject))
        base = {window: spent + units for window, spent in told.base.items()}
        self.run(self.store.install(subject, told.version, base, {}))


@pytest.fixture(params=["memory", "redis"])
def plane(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plane]:
    url = request.getfixturevalue("redis_server").url if request.param == "redis" else ""
    if url:
        request.getfixturevalue("redis_server").ask("FLUSHALL")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    store: Store = RedisStore(url, "web") if url else MemoryStore()
    made = Plane(store, loop)
    made.run(store.open())
    monkeypatch.setattr(standings.here, "reader", SharedStandings(store, loop))
    monkeypatch.setattr(store_proof, "_BETWEEN_S", 0.01)
    monkeypatch.setattr(store_proof, "CATCH_UP_S", 0.05)
    yield made
    made.run(store.close())
    loop.call_soon_threadsafe(loop.stop)
    thread.join(HANG_S)
    loop.close()


@pytest.fixture
def key() -> Key:
    return make_key(make_team())[0]


@pytest.fixture
def subject(key: Key, plane: Plane) -> str:
    """Of a key with a budget, which spent a cent that SQL has, as the store knows."""
    budget = make_budget(subject=key, window="lifetime", amount_usd=Decimal(1))
    record(key, "0.01", 1)
    plane.install(budget.subject_text, budget.window_at(NOW.timestamp()))
    return budget.subject_text


def record(key: Key, cost_usd: str, seq: int) -> None:
    terms: Any = {"key_id": key.pk, "lineage_id": key.pk, "team_id": key.team_id}
    end = {"cost_usd": cost_usd, "loss_usd": "0"}
    record_attempts([attempt(end=end, started_at=NOW.timestamp(), **terms)], Mark("web", seq))


def record_elsewhere(key: Key, cost_usd: str, seq: int) -> None:
    try:
        record(key, cost_usd, seq)
    finally:
        connections.close_all()


def proof() -> list[str]:
    return [str(each) for each in prove_store(at=NOW)]


def test_store_that_has_what_sql_has_is_right(plane: Plane, key: Key, subject: str) -> None:
    assert proof() == []
    plane.settle(subject, 2 * CENT, 2)
    record(key, "0.02", 2)
    assert proof() == []


def test_what_is_settled_may_be_recorded_a_moment_later(
    plane: Plane, key: Key, subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_proof, "CATCH_UP_S", HANG_S)
    plane.settle(subject, 2 * CENT, 2)
    later = threading.Timer(0.2, record_elsewhere, (key, "0.02", 2))
    later.start()
    assert proof() == []
    later.join()


def test_window_that_nobody_called_in_is_no_difference(plane: Plane, key: Key) -> None:
    make_budget(subject=key, window="lifetime", amount_usd=Decimal(1))
    record(key, "0.01", 1)
    assert proof() == []


def test_what_no_disk_has_brought_yet_is_told_as_a_gap(plane: Plane, subject: str) -> None:
    plane.settle(subject, 2 * CENT, 2)
    assert proof() == [f"{subject}, lifetime in the store: 0.03 USD, where 0.01 USD are right"]


def test_difference_in_the_store_is_mailed_with_its_size_and_put_right(
    plane: Plane, subject: str, settings: LazySettings
) -> None:
    settings.ALARM_EMAILS = ["ops@example.org"]
    plane.mistake(subject, 5 * CENT)
    assert prove_spending() == 1
    send_alerts()
    told = f"{subject}, lifetime in the store: 0.06 USD, where 0.01 USD are right"
    assert told in mail.outbox[0].body
    assert proof() == []
    plane.mistake(subject, -CENT)
    assert proof() == [f"{subject}, lifetime in the store: 0 USD, where 0.01 USD are right"]
    assert proof() == []


def test_difference_in_sql_is_told_by_the_ledger_and_by_the_store(plane: Plane, subject: str) -> None:
    Spend.objects.filter(subject=subject).update(cost=4 * CENT)
    assert prove_spending() >= 2
    assert [entry.partition(" in the store")[1] for entry in proof()] == []
    Spend.objects.filter(subject=subject).update(cost=CENT)
    assert proof() == [f"{subject}, lifetime in the store: 0.04 USD, where 0.01 USD are right"]


def test_more_held_than_nothing_is_no_fault_and_less_is_one(
    plane: Plane, subject: str, redis_server: RedisServer
) -> None:
    def hold(units: int) -> None:
        if isinstance(plane.store, MemoryStore):
            plane.store._budgets._accounts[subject].held += units
        else:
            redis_server.ask("HINCRBY", keys_of(subject).held, "*", units)

    hold(3)
    assert proof() == []
    hold(-5)
    assert proof() == [f"{subject}, held by running calls: -0.0000000002 USD, where 0 or more USD are right"]


def test_nothing_is_said_where_no_store_can_be_asked(
    plane: Plane, subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plane.settle(subject, 2 * CENT, 2)
    monkeypatch.setattr(standings.here, "reader", standings.Nobody())
    assert proof() == []


@pytest.mark.parametrize("plane", ["redis"], indirect=True)
def test_what_is_held_for_calls_of_a_dead_process_is_told_and_given_back(
    plane: Plane, key: Key, subject: str, redis_server: RedisServer
) -> None:
    held, now_ms = keys_of(subject).held, int(time.time() * 1000)
    for call_id, ends_ms in (
        ("dead", now_ms - 3_600_000),
        ("alive", now_ms + 3_600_000),
        ("late", now_ms - 1),
    ):
        redis_server.ask("HSET", held, f"a:{call_id}", CENT, f"x:{call_id}", ends_ms)
        redis_server.ask("HINCRBY", held, "*", CENT)
    assert proof() == [f"{subject}, held for calls that are over: 0.01 USD, where 0 USD are right"]
    assert proof() == []
    assert plane.run(plane.store.balance(subject)).held == 2 * CENT
