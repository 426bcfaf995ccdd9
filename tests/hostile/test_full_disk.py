"""A web process whose spool's disk takes nothing more, and then does again."""

import resource
from pathlib import Path

import pytest

from tests.patience import HANG_S
from tests.services import PostgresServer, RedisServer, wait_until
from tests.system.deployment import Seeded, deployed


@pytest.mark.drill
def test_a_full_spool_disk_is_told_and_left_again(
    tmp_path: Path, redis_server: RedisServer, postgres_server: PostgresServer, seeded: Seeded
) -> None:
    redis_server.start()
    url = postgres_server.new_database("full_disk", like=seeded.database)
    with deployed(tmp_path, redis_server, url, key=seeded.key) as deployment:
        web = deployment.start_web()
        unlimited = resource.prlimit(web.pid, resource.RLIMIT_FSIZE)
        # As a full disk: every write to a file is refused.
        resource.prlimit(web.pid, resource.RLIMIT_FSIZE, (0, unlimited[1]))
        refused = deployment.chat(lane="direct")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "ledger_unwritable")
        told = deployment.ready()
        assert (told["status"], told["spool_trouble"]) == ("unready", "file too large")
        assert deployment.seen_by_provider() == []

        resource.prlimit(web.pid, resource.RLIMIT_FSIZE, unlimited)
        wait_until(lambda: deployment.ready()["status"] == "ready", "finding room again", HANG_S)
        assert deployment.chat(lane="direct").status_code == 200


@pytest.mark.drill
def test_a_worker_whose_disk_is_full_leaves_calls_to_others(
    tmp_path: Path, redis_server: RedisServer, postgres_server: PostgresServer, seeded: Seeded
) -> None:
    redis_server.start()
    url = postgres_server.new_database("full_disk_of_a_worker", like=seeded.database)
    with deployed(tmp_path, redis_server, url, key=seeded.key) as deployment:
        deployment.start_web()
        worker = deployment.start_worker()
        unlimited = resource.prlimit(worker.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (0, unlimited[1]))
        refused = deployment.chat(lane="worker")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "ledger_unwritable")
        wait_until(lambda: deployment.ready()["workers"] == 0, "the worker's word", HANG_S)
        answers = [deployment.chat() for _ in range(3)]
        assert {(each.status_code, each.headers["x-gateway-lane"]) for each in answers} == {(200, "direct")}

        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, unlimited)
        wait_until(lambda: deployment.ready()["workers"] == 1, "finding room again", HANG_S)
        assert deployment.chat(lane="worker").status_code == 200
