"""Four web processes over one Redis: what one learns of an offering all know, and one call at a time finds out."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.patience import HANG_S
from tests.services import RedisServer, free_port, wait_until
from tests.system.deployment import WEB, Deployment, deployed

pytestmark = pytest.mark.drill

PROCESSES = 4
FINDS_OUT_S = 2.0
EVENTS = "SELECT state, cause FROM providers_healthevent ORDER BY id"


@pytest.fixture
def deployment(
    tmp_path: Path, redis_server: RedisServer, postgres_server: Any, tables: str
) -> Iterator[Deployment]:
    redis_server.start()
    redis_server.ask("FLUSHALL")
    with deployed(
        tmp_path, redis_server, postgres_server.new_database("breakers", like=tables)
    ) as deployment:
        yield deployment


@pytest.fixture
def urls(deployment: Deployment) -> list[str]:
    return [start_web(deployment, number) for number in range(PROCESSES)]


def start_web(deployment: Deployment, number: int) -> str:
    port = free_port()
    deployment.start(f"web-{number}", *WEB, PORT=str(port))
    url = f"http://127.0.0.1:{port}"
    deployment.wait_for_web(f"web-{number}", url)
    return url


def chat(deployment: Deployment, url: str, scripted: str) -> httpx.Response:
    body = {"model": "acme/one", "messages": [{"role": "user", "content": "hello"}], "scripted": scripted}
    headers = {**deployment.headers, "x-gateway-lane": "direct"}
    return httpx.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=HANG_S)


def status(deployment: Deployment, url: str) -> dict[str, Any]:
    answer = httpx.get(f"{url}/v1/routing/status", headers=deployment.headers, timeout=HANG_S)
    entry: dict[str, Any] = answer.json()["models"]["acme/one"]
    return entry


def in_all(
    deployment: Deployment, urls: list[str], holds: Callable[[dict[str, Any]], bool], what: str
) -> None:
    for url in urls:
        wait_until(lambda url=url: holds(status(deployment, url)), what)


def test_failures_of_four_processes_are_added_up_and_the_breaker_is_open_in_all(deployment, urls) -> None:
    for url in (*urls, urls[0]):
        chat(deployment, url, "500")
    in_all(deployment, urls, lambda each: each["offerings"][0]["cause"] == "failures", "opening in all")
    late = start_web(deployment, PROCESSES)
    in_all(deployment, [late], lambda each: each["offerings"][0]["cause"] == "failures", "telling a late one")
    assert status(deployment, late)["offerings"][0]["calls_5m"] >= PROCESSES
    wait_until(lambda: deployment.query(EVENTS) == [("open", "failures")], "writing the event down once")


def test_of_four_processes_one_call_finds_out(deployment, urls) -> None:
    chat(deployment, urls[2], "401")
    in_all(deployment, urls, lambda each: each["in_cooldown"], "opening in all")
    refused = [chat(deployment, url, "ok") for url in urls]
    assert {answer.status_code for answer in refused} == {503}
    assert len(deployment.seen_by_provider()) == 1

    done = threading.Event()

    def call(url: str) -> None:
        while not done.wait(0.05):
            if chat(deployment, url, f"ok?first={FINDS_OUT_S}").status_code == 200:
                done.set()

    callers = [threading.Thread(target=call, args=[url]) for url in urls for _ in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(HANG_S)
    in_all(deployment, urls, lambda each: each["healthy"], "closing in all")

    first, *others = sorted(seen["at"] for seen in deployment.seen_by_provider()[1:])
    assert all(at >= first + FINDS_OUT_S for at in others), "more than one call found out"
    expected = [("open", "credential"), ("half_open", "credential"), ("closed", "credential")]
    wait_until(lambda: deployment.query(EVENTS) == expected, "writing each event down once")
    incidents = deployment.query("SELECT cause, ended_at IS NULL FROM providers_incident")
    assert incidents == [("credential", False)]
