"""A budget on web and worker processes of their own, over PostgreSQL and Redis: exact, whatever dies meanwhile."""

import shutil
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.patience import HANG_S
from tests.services import wait_until
from tests.shared import made_once
from tests.system.deployment import deployed, make_tables, seed

pytestmark = [pytest.mark.drill, pytest.mark.apart]

A_CALL = "0.001"
MOST = 10
CALLS = 200
FEWER = 50
"""Where what a dead process held is waited for until its lease ends."""
_BUDGET = """
from decimal import Decimal
from accounts.budgeting import make_budget
from accounts.models import Key
from catalogue.models import Offering, Price
from tests import make
Price.objects.all().delete()
make.make_price(Offering.objects.get(), "requests", "{a_call}", unit_size=1)
make.publish_all()
terms = dict(amount_usd=Decimal("0.01"), window="{window}", zone="{zone}", mode="strict", is_staff=True)
make_budget(subject=Key.objects.get(), **terms)
"""


@pytest.fixture
def deployment(tmp_path, redis_server, postgres_server, seeded):
    redis_server.start()
    redis_server.ask("FLUSHALL")
    url = postgres_server.new_database("budgets", like=seeded.database)
    with deployed(tmp_path, redis_server, url, key=seeded.key) as deployment:
        yield deployment


def budget(deployment, window="month", zone="Asia/Kolkata"):
    program = _BUDGET.format(a_call=A_CALL, window=window, zone=zone)
    deployment.run(sys.executable, "manage.py", "shell", "-v0", "-c", program)


class Callers:
    """Clients that ask again as SDKs do: after 429, 5xx and a broken connection, and never after a 402."""

    def __init__(self, deployment, lane: str, count: int = CALLS) -> None:
        self.statuses: list[int] = []
        self._deployment = deployment
        self._lane = lane
        self._count = count

    def run(self) -> None:
        with ThreadPoolExecutor(self._count // 5) as pool:
            self.statuses += pool.map(lambda _: self._persist(), range(self._count))

    def _persist(self) -> int:
        given = {"model": "acme/one", "messages": [{"role": "user", "content": "x"}], "max_tokens": 20}
        headers = {**self._deployment.headers, "x-gateway-lane": self._lane}
        while True:
            try:
                answer = httpx.post(
                    f"{self._deployment.url}/v1/chat/completions", json=given, headers=headers, timeout=HANG_S
                )
            except httpx.TransportError:
                time.sleep(0.2)
                continue
            if answer.status_code in {200, 402}:
                return answer.status_code
            assert answer.status_code in {429, 502, 503}, answer.text
            time.sleep(0.2)


def money(deployment) -> tuple[int, int]:
    """Of the first key, in thousandths of a USD: what the sums say, and what the ledger says."""
    of_keys = "FROM accounts_spend WHERE subject LIKE 'key:%' AND grain = 'total'"
    ((sums,),) = deployment.query(f"SELECT COALESCE(SUM(cost), 0) {of_keys}")
    ((rows,),) = deployment.query("SELECT COALESCE(SUM(cost_usd), 0) FROM accounts_ledgerentry")
    return int(sums) // 10**7, round(rows * 1000)


def held(deployment) -> int:
    names = deployment.redis.ask("KEYS", "*held:key:*")
    return sum(int(deployment.redis.ask("HGET", name, "*") or 0) for name in names if b"leases" not in name)


def told(deployment) -> dict[str, str]:
    """What `GET /v1/key` says of its budget."""
    answer = httpx.get(f"{deployment.url}/v1/key", headers=deployment.headers, timeout=HANG_S)
    (of_key,) = answer.json()["data"]["budgets"]
    return {name: of_key[name] for name in ("spent_usd", "held_usd", "left_usd")}


ALL_SPENT = {"spent_usd": "0.01", "held_usd": "0", "left_usd": "0"}


@pytest.fixture
def on_sqlite(tmp_path):
    """The URL of a seeded file, and its key."""
    made = made_once("sqlite-of-deployments", _seed_sqlite)
    shutil.copy(made / "gatehouse.sqlite3", tmp_path)
    return f"sqlite:///{tmp_path}/gatehouse.sqlite3", (made / "key").read_text()


def _seed_sqlite(folder):
    url = f"sqlite:///{folder}/gatehouse.sqlite3"
    make_tables(url, folder)
    (folder / "key").write_text(seed(url, folder))


@pytest.mark.parametrize("lane", ["direct", "worker"])
def test_two_hundred_calls_at_once_over_sqlite_and_redis(tmp_path, redis_server, on_sqlite, lane):
    redis_server.start()
    redis_server.ask("FLUSHALL")
    url, key = on_sqlite
    with deployed(tmp_path, redis_server, url, key=key) as deployment:
        budget(deployment)
        deployment.start_web()
        deployment.start_worker()
        spend_it_all(deployment, lane)


@pytest.mark.parametrize("lane", ["direct", "worker"])
def test_two_hundred_calls_at_once_over_sqlite_in_one_process(tmp_path, redis_server, on_sqlite, lane):
    url, key = on_sqlite
    with deployed(tmp_path, redis_server, url, key=key, REDIS_URL="") as deployment:
        budget(deployment)
        deployment.start_all_in_one()
        spend_it_all(deployment, lane)


def spend_it_all(deployment, lane: str) -> None:
    callers = Callers(deployment, lane)
    callers.run()
    assert Counter(callers.statuses) == {200: MOST, 402: CALLS - MOST}
    wait_until(lambda: money(deployment) == (MOST, MOST), "recording")
    wait_until(lambda: told(deployment) == ALL_SPENT, "giving back")
    assert len(deployment.seen_by_provider()) == MOST


@pytest.mark.parametrize("lane", ["direct", "worker"])
def test_two_hundred_calls_at_once_spend_what_there_is_and_no_more(deployment, lane):
    budget(deployment)
    deployment.start_web(processes=2)
    deployment.start_worker()
    callers = Callers(deployment, lane)
    callers.run()
    assert Counter(callers.statuses) == {200: MOST, 402: CALLS - MOST}
    wait_until(lambda: money(deployment) == (MOST, MOST), "recording")
    wait_until(lambda: held(deployment) == 0, "giving back")
    assert len(deployment.seen_by_provider()) == MOST


def kill_the_worker(deployment) -> None:
    deployment.processes["worker"].kill()
    deployment.processes["worker"].wait()
    deployment.start("worker", *deployment.processes["worker"].args)


def kill_the_web(deployment) -> None:
    deployment.processes["web"].kill()
    deployment.processes["web"].wait()
    deployment.start_web()


def flush_redis(deployment) -> None:
    deployment.redis.ask("FLUSHALL")


def restart_redis(deployment) -> None:
    deployment.redis.kill()
    deployment.redis.start()


@pytest.mark.parametrize(
    ("lane", "fault"),
    [
        ("worker", kill_the_worker),
        ("direct", kill_the_web),
        ("worker", flush_redis),
        ("direct", restart_redis),
        ("worker", restart_redis),
    ],
)
def test_a_budget_stays_exact_whatever_dies(deployment, lane, fault):
    budget(deployment)
    deployment.start_web()
    deployment.start_worker()
    callers = Callers(deployment, lane, FEWER)
    running = threading.Thread(target=callers.run)
    running.start()
    wait_until(lambda: len(deployment.seen_by_provider()) >= MOST // 2, "half of the calls")
    fault(deployment)
    running.join()
    assert set(callers.statuses) == {200, 402}
    seen = len(deployment.seen_by_provider())
    wait_until(lambda: len(deployment.ledger()) == seen, "recording")
    spent, of_ledger = money(deployment)
    assert spent == of_ledger
    assert spent in {MOST, MOST + 1}
