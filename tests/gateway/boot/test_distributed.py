"""The product as separate processes on real servers: two web processes, Celery worker, beat and the demo."""

import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest

from tests.gateway.program import Program, accepts, running
from tests.patience import HANG_S
from tests.services import PostgresServer, RedisServer, free_port, wait_until

CLI = "gateway.cli"
CELERY = ("celery", "-A", "gateway")

pytestmark = pytest.mark.slow


@dataclass
class Deployment:
    url: str
    key: str
    parts: dict[str, Program]

    def chat(self, lane: str) -> httpx.Response:
        body = {"model": "demo/chat", "messages": [{"role": "user", "content": "Hello!"}]}
        headers = {"authorization": f"Bearer {self.key}", "x-gateway-lane": lane}
        return httpx.post(f"{self.url}/v1/chat/completions", json=body, headers=headers, timeout=HANG_S)

    def has_worker(self) -> bool:
        try:
            return bool(httpx.get(f"{self.url}/readyz", timeout=HANG_S).json().get("workers"))
        except httpx.TransportError:
            return False


@pytest.fixture(scope="module")
def deployment(
    redis_server: RedisServer,
    postgres_server: PostgresServer,
    tables: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("distributed")
    redis_server.start()
    redis_server.ask("FLUSHALL")
    port, demo_port = str(free_port()), free_port()
    environment = {
        "DATABASE_URL": postgres_server.new_database("distributed", like=tables),
        "REDIS_URL": redis_server.url,
        "GATEWAY_DATA_DIR": str(folder),
        "GATEWAY_DEMO_ADDRESSES": f"127.0.0.1:{demo_port}",
    }
    with ExitStack() as held:

        def start(*arguments: str) -> Program:
            return held.enter_context(running(*arguments, **environment))

        prepared = start(CLI, "prepare")
        assert prepared.wait() == 0, prepared.text
        key = re.search(r"sk-gw-\S+", prepared.text)
        assert key
        parts = {
            "demo": start(CLI, "demo", "--port", str(demo_port)),
            "worker": start(*CELERY, "worker", "-P", "threads", "-c", "2"),
            "beat": start(*CELERY, "beat", "--schedule", str(folder / "beat")),
            "web": start(CLI, "web", "--workers", "2", "--port", port),
        }
        deployment = Deployment(f"http://127.0.0.1:{port}", key.group(), parts)
        wait_until(lambda: accepts(demo_port) and deployment.has_worker(), "starting all parts")
        yield deployment


@pytest.mark.parametrize("lane", ["worker", "direct"])
def test_call_is_answered_in_both_lanes(deployment: Deployment, lane: str) -> None:
    answer = deployment.chat(lane)
    assert (answer.status_code, answer.headers.get("x-gateway-lane")) == (200, lane), answer.text


def test_doctor_finds_everything_well(deployment: Deployment) -> None:
    with running("manage", "doctor", **deployment.parts["web"].environment) as doctor:
        assert doctor.wait() == 0, doctor.text
    assert "celery@" in doctor.text


@pytest.mark.parametrize("part", ["web", "worker", "beat", "demo"])
def test_sigterm_ends_each_part_with_code_0(deployment: Deployment, part: str) -> None:
    assert deployment.parts[part].end(signal.SIGTERM) == 0, deployment.parts[part].text
    assert "Traceback" not in deployment.parts[part].text
