"""Web and worker processes of two versions and three clocks, under calls, while one after the other is killed."""

import threading
import time
from collections import Counter

import pytest

from tests.hostile.fleet import Fleet, Row, wait_for_rows
from tests.services import running_redis
from tests.system.deployment import deployed

pytestmark = pytest.mark.drill

REDIS_AWAY_S = 4
# On a busy machine a process may stand still for long enough to be taken for dead: its clients hear that.
OUR_FAULTS = {"worker_lost", "web_lost", "lane_state_lost"}


@pytest.fixture
def fleet(tmp_path, postgres_server, tables):
    database = postgres_server.new_database("fleet", like=tables)
    with running_redis() as redis, deployed(tmp_path, redis, database) as deployment:
        fleet = Fleet(deployment)
        fleet.start_all()
        yield fleet


def go_wrong(fleet: Fleet) -> None:
    fleet.wait_for_answers(60)
    fleet.deployment.redis.kill()
    time.sleep(REDIS_AWAY_S)
    fleet.deployment.redis.start()
    fleet.wait_until_well()
    fleet.kill("worker-a")
    fleet.kill("web-a")
    fleet.wait_for_answers(40)


def is_of_a_killed_process(rows: list[Row]) -> bool:
    """It died between its last word and writing down that it was the last."""
    return [(row.outcome, row.code, row.cost_usd) for row in rows] == [("unknown", "process_lost", 0)]


def test_every_client_hears_how_its_call_ended_and_the_ledger_agrees_with_the_provider(fleet):
    fleet.call_while(threading.Thread(target=go_wrong, args=[fleet]))
    kinds = Counter((ending.kind, ending.code) for ending in fleet.endings.values())
    wait_for_rows(fleet)

    assert kinds["whole", ""] > sum(kinds.values()) / 2, kinds
    assert {code for kind, code in kinds if kind == "error"} <= OUR_FAULTS, kinds
    assert {kind for kind, _ in kinds} <= {"whole", "error", "broken"}, kinds
    broken = {name: ending for name, ending in fleet.endings.items() if ending.kind == "broken"}
    assert {ending.web for ending in broken.values()} <= {"web-a"}, broken

    rows = fleet.rows()
    assert Counter({name: len(found) for name, found in rows.items()}) == fleet.seen_by_provider()
    for name, ending in fleet.endings.items():
        outcomes = [row.outcome for row in rows.get(name, ()) if row.cost_usd]
        if ending.kind == "whole":
            assert outcomes == ["finished"] or is_of_a_killed_process(rows[name]), (name, ending, rows[name])
        else:
            assert not outcomes, (name, ending, rows[name])

    assert fleet.ended() == {}
    for web in fleet.ports:
        for lane in ("worker", "direct"):
            answer = fleet.chat(web, lane=lane)
            assert (answer.status_code, answer.headers["x-gateway-lane"]) == (200, lane)
