"""A PostgreSQL that can only be read, as a standby is, or one whose disk is full: what reads goes on."""

import httpx
import psycopg
import pytest

from tests.patience import HANG_S
from tests.services import wait_until
from tests.system.deployment import Deployment, deployed, wait_for_ledger

pytestmark = pytest.mark.drill


@pytest.fixture
def deployment(tmp_path, redis_server, postgres_server, seeded):
    redis_server.start()
    database = postgres_server.new_database("readonly", like=seeded.database)
    with deployed(tmp_path, redis_server, database, key=seeded.key) as deployment:
        deployment.start_web()
        yield deployment


def set_read_only(deployment: Deployment, *, is_on: bool) -> None:
    """For every session: those that are open are ended, and come back."""
    url = deployment.environment["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True, options="-c default_transaction_read_only=off") as database:
        name = database.info.dbname
        database.execute(
            f"ALTER DATABASE {name} SET default_transaction_read_only = {'on' if is_on else 'off'}"
        )
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s",
            [name, database.info.backend_pid],
        )


def test_calls_and_lists_go_on_while_the_database_can_only_be_read(deployment):
    assert deployment.chat(lane="direct").status_code == 200
    wait_for_ledger(deployment, 1)
    set_read_only(deployment, is_on=True)

    with httpx.Client(base_url=deployment.url, headers=deployment.headers, timeout=HANG_S) as client:
        wait_until(lambda: client.get("/v1/models").status_code == 200, "lists being read")
        for _ in range(3):
            assert deployment.chat(lane="direct").status_code == 200
        asked = {"model": "acme/one", "input": "hello", "store": True}
        stored = client.post("/v1/responses", json=asked, headers={"x-gateway-lane": "direct"})
        assert (stored.status_code, stored.json()["store"]) == (200, False)
        written = client.post("/leaks", json=[{"token": deployment.key, "url": "https://example.com/x"}])
        assert (written.status_code, written.headers.get("retry-after")) == (503, "5"), written.text
        assert "can only be read" in written.json()["error"]["message"]
    assert deployment.ready()["status"] in {"ready", "degraded"}
    assert len(deployment.ledger()) == 1

    set_read_only(deployment, is_on=False)
    assert len(wait_for_ledger(deployment, 5)) == 5
    assert "Traceback" not in deployment.log_of("web"), deployment.log_of("web")
