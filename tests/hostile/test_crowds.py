"""More requests for pages at once than there are connections to PostgreSQL, and PostgreSQL away."""

import socket
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.patience import HANG_S
from tests.services import PostgresServer, RedisServer, running_postgres, wait_until
from tests.system.deployment import Deployment, Seeded, deployed, make_tables

pytestmark = pytest.mark.drill

CROWD = 130
PROCESSES = 2
SHARED = 3
"""By a process."""
# Besides those that pages share: control, recorder, looking up keys and stored responses.
RESERVED = 1 + 1 + 4 + 4


@pytest.fixture
def deployment(
    tmp_path: Path, redis_server: RedisServer, postgres_server: PostgresServer, seeded: Seeded
) -> Iterator[Deployment]:
    redis_server.start()
    url = postgres_server.new_database("crowds", like=seeded.database)
    with deployed(
        tmp_path, redis_server, url, key=seeded.key, GATEWAY_DATABASE_CONNECTIONS=str(SHARED)
    ) as deployment:
        deployment.start_web(processes=PROCESSES)
        yield deployment


def get(deployment: Deployment, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    return httpx.get(f"{deployment.url}{path}", headers=headers, timeout=HANG_S)


def crowd(
    deployment: Deployment, path: str, size: int = CROWD, headers: Mapping[str, str] | None = None
) -> list[httpx.Response]:

    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(lambda _: get(deployment, path, headers), range(size)))


def count_connections(deployment: Deployment) -> int:
    with psycopg.connect(deployment.environment["DATABASE_URL"]) as database:
        asked = "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()"
        return database.execute(asked).fetchone()[0]


class Watch:
    """The most connections that there were while it looked."""

    def __init__(self, deployment: Deployment) -> None:
        self.most = 0
        self._deployment = deployment
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(0.02):
            self.most = max(self.most, count_connections(self._deployment))


def test_a_crowd_gets_pages_or_honest_refusals_over_few_connections(deployment: Deployment) -> None:
    with Watch(deployment) as watch:
        pages = crowd(deployment, "/models?q=one")
    answers = Counter(page.status_code for page in pages)
    assert answers.keys() <= {200, 503}
    assert answers[200] > 0
    assert all(page.headers["retry-after"] == "5" for page in pages if page.status_code == 503)
    assert watch.most <= PROCESSES * (SHARED + RESERVED)
    # None was lost on the way.
    with ThreadPoolExecutor(SHARED) as pool:
        later = list(pool.map(lambda _: get(deployment, "/models?q=one"), range(5 * SHARED)))
    assert {page.status_code for page in later} == {200}


def test_a_crowd_of_the_api_is_refused_in_its_own_form(deployment: Deployment) -> None:
    answers = crowd(deployment, "/v1/gateway/models?q=one", headers=deployment.headers)
    assert {answer.status_code for answer in answers} <= {200, 503}
    refused = [answer.json() for answer in answers if answer.status_code == 503]
    assert all(body["code"] == "database_unavailable" for body in refused)


def test_visitors_who_leave_at_once_take_no_connection_along(deployment: Deployment) -> None:
    host, port = "127.0.0.1", int(deployment.environment["PORT"])
    for _ in range(10 * SHARED):
        with socket.create_connection((host, port)) as visitor:
            visitor.sendall(b"GET /models?q=one HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
    wait_until(lambda: get(deployment, "/models?q=one").status_code == 200, "a page", HANG_S)
    with ThreadPoolExecutor(SHARED) as pool:
        later = list(pool.map(lambda _: get(deployment, "/models?q=one"), range(5 * SHARED)))
    assert {page.status_code for page in later} == {200}


def test_pages_say_that_the_database_is_away_and_come_back_with_it(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    with running_postgres() as server:
        redis_server.start()
        url = server.new_database("away")
        make_tables(url, tmp_path)
        with deployed(tmp_path, redis_server, url) as deployment:
            deployment.start_web()
            assert {page.status_code for page in crowd(deployment, "/models?q=one", 20)} == {200}
            server.stop()
            pages = crowd(deployment, "/models?q=one", 20)
            assert {page.status_code for page in pages} == {503}
            assert all("The database does not answer" in page.text for page in pages)
            assert deployment.log_of("web").count("Traceback") == 0
            assert len(deployment.log_of("web").splitlines()) < 20
            server.start()
            wait_until(lambda: get(deployment, "/models?q=one").status_code == 200, "a page", HANG_S)
            wait_until(lambda: "read again" in deployment.log_of("web"), "saying that it is back", HANG_S)
