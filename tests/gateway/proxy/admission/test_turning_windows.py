"""A strict budget while its window turns at midnight, or its zone changes, with two hundred callers and a real SQL."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from django.db import connections

from accounts.attempts import AttemptRecord
from accounts.budgets import Terms
from accounts.models import Spend
from accounts.recording import Mark, record_attempts
from accounts.spending import read_bases
from accounts.windows import window_at
from gateway.core.store.redis import RedisStore
from gateway.plane.bases import BudgetBases
from tests.gateway.proxy.admission.test_budgets import CENT, an_edge, held, persist
from tests.gateway.proxy.edge import RunningEdge
from tests.gateway.spooling import attempt
from tests.patience import HANG_S
from tests.services import RedisServer, wait_until
from tests.upstream import ScriptedProvider

pytestmark = pytest.mark.django_db(transaction=True)
CALLERS = 200
SUBJECT = "key:1"


class Clock:
    """Of this process: it goes on from the instant that it was set to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._real = time.time
        self._ahead = 0.0
        monkeypatch.setattr(time, "time", lambda: self._real() + self._ahead)

    def set(self, day: int, hour: int, minute: int = 0, second: float = 0) -> None:
        """Of March 2031, in UTC."""
        at = datetime(2031, 3, day, hour, minute, tzinfo=UTC).timestamp() + second
        self._ahead = at - self._real()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture(params=["memory", "redis"])
def edge(
    request: pytest.FixtureRequest, provider: ScriptedProvider, redis_server: RedisServer
) -> Iterator[RunningEdge]:
    options = {}
    if request.param == "redis":
        redis_server.ask("FLUSHALL")
        options["store"] = lambda: RedisStore(redis_server.url, "web")
    with an_edge(provider, **options) as edge, recorded(edge):
        yield edge


def now() -> float:
    """By the clock that is set, too late for who asks for `time.time` first."""
    return time.time()


@contextmanager
def recorded(edge: RunningEdge) -> Iterator[None]:
    """Attempts are carried into SQL, and what SQL has to the store, as the recorder's thread does."""
    bases = BudgetBases(edge.process.store, edge.process.limited, now)

    async def opening() -> None:
        bases.open()

    edge.on_loop(opening)
    edge.process.spent.learn = bases.learn  # type: ignore[method-assign]
    is_over = threading.Event()

    def carry() -> None:
        done = 0
        while not is_over.wait(0.05):
            closes = edge.records.closes[done:]
            opens = {opened.attempt_id: opened for opened in edge.records.opens}
            batch = [
                AttemptRecord(opens[closed.attempt_id], closed, seq=done + place)
                for place, closed in enumerate(closes, start=1)
            ]
            if batch:
                done += len(batch)
                record_attempts(batch, Mark("web", done))
                bases.recorded(batch, "web", done)
                bases.renew()
        connections.close_all()

    thread = threading.Thread(target=carry)
    thread.start()
    yield
    is_over.set()
    thread.join(HANG_S)
    bases.close()


def call_all(edge: RunningEdge) -> Counter[int]:
    with ThreadPoolExecutor(40) as pool:
        return Counter(pool.map(lambda _: persist(edge, "direct").status_code, range(CALLERS)))


def spent_in(kind: str, zone: str, at: float) -> int:
    """As SQL adds it up, in calls of a tenth of a cent."""
    window = window_at(kind, zone, at)
    return read_bases({SUBJECT: [window]}).spent[SUBJECT][window.field] * 10 // CENT


def settle_down(edge: RunningEdge, calls: int) -> None:
    total = Spend.objects.filter(subject=SUBJECT, grain="total").values_list("cost", flat=True)
    wait_until(lambda: sum(total) * 10 == calls * CENT, "recording all calls")
    wait_until(lambda: held(edge) == 0, "giving back what was held")


def test_window_that_turns_at_midnight_lets_each_day_spend_its_own_and_no_more(
    edge: RunningEdge, provider: ScriptedProvider, clock: Clock
) -> None:
    clock.set(9, 23, 50)
    before = time.time()
    edge.process.limited.hold_to(SUBJECT, Terms("day", "UTC", CENT, is_strict=True))
    provider.default = "slow-headers?seconds=0.1"
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(call_all, edge)
        provider.wait_for(5)
        clock.set(10, 0, 0, 1)
        statuses = running.result(HANG_S)
    calls = len(provider.calls)
    settle_down(edge, calls)
    of_days = [spent_in("day", "UTC", at) for at in (before, time.time())]
    assert statuses == {200: calls, 402: CALLERS - calls}
    assert of_days[0] in range(5, 11)
    assert of_days[1] == 10
    assert sum(of_days) == calls


def test_zone_that_changes_while_calls_run_counts_its_own_window_and_nothing_of_before(
    edge: RunningEdge, provider: ScriptedProvider, clock: Clock
) -> None:
    # The day of Kolkata begins at 18:30 UTC: what was spent at 17:00 is of its day before.
    clock.set(10, 17)
    earlier = {"key_id": 1, "lineage_id": 1, "team_id": 1, "started_at": time.time()}
    record_attempts([attempt(end={"cost_usd": "0.004", "loss_usd": "0"}, **earlier)])
    clock.set(10, 20)
    edge.process.limited.hold_to(SUBJECT, Terms("day", "UTC", CENT, is_strict=True))
    provider.default = "slow-headers?seconds=0.1"
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(call_all, edge)
        provider.wait_for(3)
        edge.process.limited.hold_to(SUBJECT, Terms("day", "Asia/Kolkata", CENT, is_strict=True))
        statuses = running.result(HANG_S)
    assert statuses == {200: 10, 402: CALLERS - 10}
    settle_down(edge, 14)
    assert (spent_in("day", "Asia/Kolkata", time.time()), spent_in("day", "UTC", time.time())) == (10, 14)


def test_raise_that_begins_and_ends_while_calls_run_is_spent_and_no_more(
    edge: RunningEdge, provider: ScriptedProvider, clock: Clock
) -> None:
    clock.set(10, 12)
    raised = Terms("day", "UTC", CENT, True, True, CENT // 2, time.time() + 3600)
    edge.process.limited.hold_to(SUBJECT, raised)
    assert call_all(edge) == {200: 15, 402: CALLERS - 15}
    clock.set(10, 14)
    assert persist(edge, "direct").status_code == 402
    settle_down(edge, 15)
    assert spent_in("day", "UTC", time.time()) == 15
