"""Web and worker as processes of their own: lanes, kills, and one ledger row for every attempt."""

import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.patience import HANG_S
from tests.services import wait_until
from tests.system.deployment import deployed
from tests.system.streams import run_streams

pytestmark = [pytest.mark.drill, pytest.mark.apart]
ENDLESS = "never-ending?delay=0.05"
STREAMS = 200


@pytest.fixture
def deployment(tmp_path, redis_server, postgres_server, tables):
    redis_server.start()
    redis_server.ask("FLUSHALL")
    with deployed(tmp_path, redis_server, postgres_server.new_database("system", like=tables)) as deployment:
        yield deployment


def local_ports(pid: int) -> set[int]:
    """Ports of the TCP sockets that a process holds."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(entry.readlink())
        except FileNotFoundError:
            continue
        inodes.add(target.removeprefix("socket:[").rstrip("]"))
    rows = (line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:])
    return {int(row[1].split(":")[1], 16) for row in rows if row[9] in inodes}


def test_forced_calls_are_made_by_the_worker_and_refused_without_it(deployment):
    deployment.start_web()
    worker = deployment.start_worker()
    answer = deployment.chat(lane="worker")
    assert (answer.status_code, answer.headers["x-gateway-lane"]) == (200, "worker")
    assert deployment.seen_by_provider()[-1]["peer"][1] in local_ports(worker.pid)

    worker.send_signal(signal.SIGTERM)
    assert worker.wait(HANG_S) == 0
    refused = deployment.chat(lane="worker")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "no_worker")
    assert deployment.chat().headers["x-gateway-lane"] == "direct"


def assert_one_row_for_each_attempt(deployment):
    """Every chat that the provider saw stands in the ledger exactly once."""
    seen = Counter(entry["body"]["messages"][0]["content"] for entry in deployment.seen_by_provider())

    def booked() -> dict[str, int]:
        rows = Counter(project or "hello" for project, _, _ in deployment.ledger())
        return {name: rows[name] for name in seen}

    # Rows may be there of attempts that the provider never saw, so their number says nothing.
    wait_until(lambda: all(booked()[name] >= count for name, count in seen.items()), "booking every attempt")
    assert booked() == dict(seen)


def test_killing_the_worker_ends_its_calls_explicitly(deployment):
    deployment.start_web()
    worker = deployment.start_worker()
    endings = run_streams(deployment, [ENDLESS] * STREAMS, lane="worker", midway=worker.kill, after_s=2)
    assert Counter((ending.kind, ending.code) for ending in endings) == {("error", "worker_lost"): STREAMS}
    assert deployment.chat().status_code == 200
    assert_one_row_for_each_attempt(deployment)


@pytest.mark.parametrize("lane", ["worker", "direct"])
def test_killing_the_web_process_loses_no_attempt(deployment, lane):
    web = deployment.start_web()
    deployment.start_worker()

    def kill_and_restart() -> None:
        web.kill()
        web.wait()
        deployment.start_web()

    endings = run_streams(deployment, [ENDLESS] * STREAMS, lane=lane, midway=kill_and_restart, after_s=2)
    assert {ending.kind for ending in endings} <= {"broken", "silent"}
    wait_until(lambda: deployment.ready()["workers"] == 1, "hearing the worker again")
    assert deployment.chat().status_code == 200
    assert_one_row_for_each_attempt(deployment)


@pytest.mark.parametrize("name", ["web", "worker"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_streams_end_or_says_why_they_do_not(deployment, name, number):
    deployment.start_web()
    deployment.start_worker()
    behaviours = ["slow?chunks=20&delay=0.05", "slow?chunks=200&delay=0.05"]
    process = deployment.processes[name]
    endings = run_streams(
        deployment, behaviours, lane="worker", midway=lambda: process.send_signal(number), after_s=0.5
    )
    assert sorted((ending.kind, ending.code) for ending in endings) == [
        ("error", "server_shutting_down"),
        ("whole", ""),
    ]
    assert process.wait(HANG_S) == 0
    assert_one_row_for_each_attempt(deployment)
