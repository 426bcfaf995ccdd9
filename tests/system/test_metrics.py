"""One scrape for all processes of a machine: it agrees with the ledger, also once processes were killed."""

import os
import signal
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.metrics.families import FAMILIES
from tests.gateway.program import supervised_by
from tests.patience import HANG_S
from tests.services import free_port, wait_until
from tests.system.deployment import Deployment, deployed

pytestmark = pytest.mark.drill

BEAT = (sys.executable, "-m", "celery", "-A", "gateway", "beat")
CALLS, AT_ONCE = 160, 16
# What every third call meets: a provider that fails, or breaks off.
BEHAVIOURS = ("ok", "ok", "503", "ok", "ok", "rst-mid")


@pytest.fixture
def deployment(tmp_path, redis_server, postgres_server, tables):
    redis_server.start()
    redis_server.ask("FLUSHALL")
    database = postgres_server.new_database("metrics", like=tables)
    port = str(free_port())
    with deployed(tmp_path, redis_server, database, GATEWAY_METRICS_PORT=port) as deployment:
        yield deployment


def scrape(deployment: Deployment) -> Counter[tuple[str, ...]]:
    """Numbers by their name and labels, each as `name=value`; without those of buckets."""
    url = f"http://127.0.0.1:{deployment.environment['GATEWAY_METRICS_PORT']}/metrics"
    try:
        text = httpx.get(url, timeout=HANG_S).text
    except httpx.TransportError:
        return Counter()
    return Counter(
        {
            (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if not sample.name.endswith("_bucket")
        }
    )


def by(told: Counter[tuple[str, ...]], name: str, label: str) -> Counter[str]:
    """Added up by one label."""
    sums: Counter[str] = Counter()
    for (sample, *labels), value in told.items():
        if sample == f"gatehouse_{name}":
            sums.update({next(each for each in labels if each.startswith(f"{label}=")): value})
    return sums


def ledger(deployment: Deployment) -> tuple[Counter[str], float, float]:
    """Attempts by outcome, what they cost in all, and their output tokens."""
    rows = deployment.query("SELECT outcome, cost_usd + loss_usd, output_tokens FROM accounts_ledgerentry")
    outcomes = Counter(f"outcome={outcome}" for outcome, _, _ in rows)
    return outcomes, float(sum(cost for _, cost, _ in rows)), float(sum(tokens or 0 for _, _, tokens in rows))


def counted(deployment: Deployment) -> tuple[Counter[str], float, float]:
    """The same of a scrape."""
    told = scrape(deployment)
    money = sum(
        value
        for (name, *_), value in told.items()
        if name in {"gatehouse_cost_usd_total", "gatehouse_loss_usd_total"}
    )
    return by(told, "attempts_total", "outcome"), money, by(told, "tokens_total", "type")["type=output"]


def agree(deployment: Deployment) -> bool:
    (outcomes, cost, tokens), booked = counted(deployment), ledger(deployment)
    return (outcomes, tokens) == (booked[0], booked[2]) and cost == pytest.approx(booked[1])


def call(deployment: Deployment, number: int) -> int:
    lane = ("direct", "worker")[number % 2]
    behaviour = BEHAVIOURS[number // 2 % len(BEHAVIOURS)]
    return deployment.chat(
        lane=lane, stream=behaviour == "rst-mid" or number % 3 == 0, scripted=behaviour
    ).status_code


def call_many(deployment: Deployment) -> Counter[int]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(lambda number: call(deployment, number), range(CALLS)))


def processes(deployment: Deployment) -> Counter[str]:
    return by(scrape(deployment), "processes", "process")


def test_one_scrape_agrees_with_the_ledger_and_outlives_the_processes(deployment):
    web = deployment.start_web(processes=2)
    worker = deployment.start_worker()
    deployment.start("beat", *BEAT)
    everybody = {"process=web": 2, "process=worker": 1, "process=beat": 1}
    wait_until(lambda: processes(deployment) == everybody, "every process being counted")

    statuses = call_many(deployment)
    assert statuses.total() == CALLS
    # 503: five failures in a row, of which a breaker opens.
    assert 200 in statuses
    assert set(statuses) <= {200, 502, 503}
    attempts = len(deployment.seen_by_provider())
    wait_until(
        lambda: ledger(deployment)[0].total() == attempts and agree(deployment), "counts like the ledger's"
    )
    told = scrape(deployment)
    assert by(told, "requests_total", "outcome").total() == CALLS
    assert by(told, "requests_total", "surface") == {"surface=chat/completions": CALLS}
    assert {name for name, *_ in told} <= {
        f"{each.name}{end}" for each in FAMILIES for end in ("", "_sum", "_count")
    }
    wait_until(
        lambda: by(scrape(deployment), "tasks_total", "outcome")["outcome=success"] > 0, "a task being done"
    )
    wait_until(
        lambda: by(scrape(deployment), "tasks_sent_total", "task").total() > 0, "who sent it telling so"
    )

    # What is idle for a second has told everything.
    os.kill(supervised_by(web.pid)[0], signal.SIGKILL)
    worker.kill()
    worker.wait()
    wait_until(lambda: "process=worker" not in processes(deployment), "the worker's gauges being gone")
    assert agree(deployment)
    assert by(scrape(deployment), "requests_total", "outcome").total() == CALLS
    wait_until(lambda: processes(deployment)["process=web"] == 2, "another web process being counted")

    deployment.chat(lane="direct")
    wait_until(
        lambda: (
            by(scrape(deployment), "requests_total", "outcome").total() == CALLS + 1 and agree(deployment)
        ),
        "the next call being counted",
    )
