"""Where the numbers are asked for: a process of its own, and Django; and the thread that writes them."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client

from accounts.models import Team
from gateway.metrics.counting import Counting, counting
from gateway.metrics.exporter import Exporter
from gateway.metrics.families import TASKS
from gateway.metrics.files import OwnFiles
from gateway.metrics.serving import scrape
from gateway.metrics.totals import Totals
from tests import make
from tests.gateway.metrics.test_counted_calls import an_attempt
from tests.patience import HANG_S
from tests.services import free_port, wait_for_start, wait_until

TOKEN = "a-token"


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """In which a process has counted seven tasks."""
    settings.METRICS_DIR = tmp_path / "metrics"
    settings.METRICS_PORT, settings.METRICS_TOKEN = 0, ""
    totals, files = Totals(), OwnFiles(settings.METRICS_DIR, "1-a")
    totals.add(TASKS, "a", "success", by=7)
    files.write(totals.end_round())
    yield settings.METRICS_DIR
    files.close()


COUNTED = 'gatehouse_tasks_total{outcome="success",task="a"} 7.0'


@pytest.mark.django_db
def test_without_a_setting_there_is_no_such_address(folder: Path, client: Client, settings: Any) -> None:
    answer = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, COUNTED in answer.content.decode()) == (404, False)
    assert counting("web") is None


@pytest.mark.django_db
@pytest.mark.parametrize("port", [0, 9109])
def test_staff_are_told_how_to_switch_them_on(folder: Path, client: Client, settings: Any, port: int) -> None:
    settings.METRICS_PORT = port
    client.force_login(make.make_staff())
    answer = client.get("/metrics")
    assert answer.status_code == 404
    assert "GATEWAY_METRICS_TOKEN" in answer.content.decode()
    assert ("port 9109" in answer.content.decode()) == bool(port)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("authorization", "status"), [(f"Bearer {TOKEN}", 200), ("Bearer other", 401), ("", 401), (TOKEN, 401)]
)
def test_django_answers_whoever_shows_the_token(
    folder: Path, client: Client, settings: Any, authorization: str, status: int
) -> None:
    settings.METRICS_TOKEN = TOKEN
    answer = client.get("/metrics", headers={"authorization": authorization})
    assert (answer.status_code, COUNTED in answer.content.decode()) == (status, status == 200)
    assert answer.headers["content-type"].startswith("text/plain")


def run_exporter(folder: Path, port: int, **environment: str) -> "subprocess.Popen[bytes]":
    settings = {
        **os.environ,
        "GATEWAY_DATA_DIR": str(folder.parent),
        "GATEWAY_METRICS_PORT": str(port),
        **environment,
    }
    process = subprocess.Popen([sys.executable, "-m", "gateway.cli", "metrics"], env=settings)
    wait_for_start(process, lambda: is_open(port))
    return process


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_process_of_its_own_answers_scrapes(folder: Path) -> None:
    port = free_port()
    process = run_exporter(folder, port, GATEWAY_METRICS_TOKEN=TOKEN)
    url, shown = f"http://127.0.0.1:{port}", {"authorization": f"Bearer {TOKEN}"}
    try:
        refused = httpx.get(f"{url}/metrics", timeout=HANG_S)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer realm="metrics"')
        answer = httpx.get(f"{url}/metrics", headers=shown, timeout=HANG_S)
        assert (answer.status_code, COUNTED in answer.text) == (200, True)
        head = httpx.head(f"{url}/metrics", headers=shown, timeout=HANG_S)
        assert (head.status_code, head.text) == (200, "")
        assert int(head.headers["content-length"]) == len(answer.content)
        accept = {"accept": "application/openmetrics-text; version=1.0.0"}
        assert httpx.get(url, headers=shown | accept, timeout=HANG_S).text.endswith("# EOF\n")
        assert httpx.get(f"{url}/admin", headers=shown, timeout=HANG_S).status_code == 404
        assert httpx.post(f"{url}/metrics", headers=shown, timeout=HANG_S).status_code == 501
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(HANG_S) == 0


def test_one_of_several_has_the_port_and_another_takes_over(
    folder: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.METRICS_PORT = free_port()
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(folder.parent))
    monkeypatch.setattr("gateway.metrics.exporter._AGAIN_S", 0.1)
    url = f"http://127.0.0.1:{settings.METRICS_PORT}/metrics"

    def answers() -> bool:
        try:
            return COUNTED in httpx.get(url, timeout=HANG_S).text
        except httpx.TransportError:
            return False

    first, second = Exporter(), Exporter()
    first.start()
    wait_until(answers, "the first one serving")
    second.start()
    first.stop()
    wait_until(answers, "the second one serving")
    second.stop()
    assert not is_open(settings.METRICS_PORT)


@pytest.mark.django_db(transaction=True)
def test_a_thread_writes_what_was_counted_once_a_second(tmp_path: Path) -> None:
    team = make.make_team("research")
    process = Counting("worker", tmp_path, most_teams=1)
    process.start()
    process.observer.attempt_closed(an_attempt(team_id=team.pk))
    told = f'gatehouse_cost_usd_total{{provider="acme",team="{oldest_team()}"}} 0.5'
    # What a round writes goes into several files, and a scrape may come between two.
    for each in (told, 'gatehouse_processes{process="worker"} 1.0'):
        wait_until(lambda each=each: each in scrape(tmp_path, "")[0].decode(), f"{each} in a scrape")
    process.observer.attempt_closed(an_attempt(team_id=team.pk))
    process.stop()
    text = scrape(tmp_path, "")[0].decode()
    assert told.replace("0.5", "1.0") in text
    assert "gatehouse_processes{" not in text


def oldest_team() -> str:
    return Team.objects.order_by("pk").values_list("slug", flat=True)[0]


def test_a_round_that_fails_is_told_once_and_the_next_one_comes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.metrics.counting._PACE_S", 0.01)
    rounds = threading.Semaphore(0)

    class Broken:
        def look(self, totals: Totals) -> None:
            rounds.release()
            raise ValueError("broken")

    process = Counting("web", tmp_path, most_teams=1)
    process.watch(Broken())
    process.start()
    for _ in range(3):
        assert rounds.acquire(timeout=HANG_S)
    process.stop()
    assert len([record for record in caplog.records if "metrics" in record.getMessage()]) == 1
