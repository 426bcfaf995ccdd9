"""More calls than a process takes, of a provider that hangs: everybody is answered, and health and pages are there."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.services import RedisServer, wait_until
from tests.system.deployment import Deployment, deployed, make_tables

pytestmark = pytest.mark.drill

MOST = 8
CROWD = 60


@pytest.fixture
def deployment(tmp_path: Path, redis_server: RedisServer) -> Iterator[Deployment]:
    redis_server.start()
    url = f"sqlite:///{tmp_path / 'overload.sqlite3'}"
    make_tables(url, tmp_path)
    with deployed(tmp_path, redis_server, url, GATEWAY_MOST_CALLS=str(MOST)) as deployment:
        deployment.start_web()
        yield deployment


def get(deployment: Deployment, path: str) -> int:
    return httpx.get(f"{deployment.url}{path}", timeout=20).status_code


def test_a_process_with_too_many_calls_refuses_some_and_answers_everything_else(
    deployment: Deployment,
) -> None:
    with ThreadPoolExecutor(CROWD) as pool:
        calls = [
            pool.submit(deployment.chat, lane="direct", scripted="slow-headers?seconds=4")
            for _ in range(CROWD)
        ]
        wait_until(lambda: any(call.done() for call in calls), "refusing the first")
        paths = ("/healthz", "/readyz", "/admin/login/", "/v1/models", "/")
        pages = {path: get(deployment, path) for path in paths}
        answers = [call.result() for call in calls]
    assert {status for path, status in pages.items() if path != "/v1/models"} <= {200, 302}, pages
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses == {200: MOST, 503: CROWD - MOST}
    refused = [answer for answer in answers if answer.status_code == 503]
    assert {answer.json()["error"]["code"] for answer in refused} == {"overloaded"}
    assert all(answer.headers["retry-after"] == "1" for answer in refused)
    # Once it is over, all is as it was.
    assert deployment.chat(lane="direct").status_code == 200
