"""Calls in a worker while the store between it and the web process is away: whole, or given up by both sides."""

import threading
import time

import pytest

from providers.engine import Timeouts
from tests.gateway.proxy.lanes import STEADY, an_edge, an_edge_on_redis, stream_while, words_of
from tests.patience import HANG_S
from tests.services import running_redis, wait_until
from tests.upstream import ScriptedProvider

UNHURRIED = Timeouts(connect_s=30, first_byte_s=30, idle_s=30, total_s=60)
# Longer than silence is death, and than an ended call is kept; shorter than the ten seconds that are promised.
AWAY_S = 6
LONGER = "slow?chunks=400&delay=0.02"
ENDLESS = "slow?chunks=4000&delay=0.05"


@pytest.fixture
def provider():
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def redis():
    with running_redis() as server:
        yield server


def kill(redis):
    redis.kill()
    time.sleep(AWAY_S)
    redis.start()


def pause(redis):
    redis.pause()
    time.sleep(AWAY_S)
    redis.resume()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("take_away", "behaviour"),
    [
        (kill, LONGER),
        pytest.param(kill, STEADY, marks=pytest.mark.drill),
        pytest.param(kill, "ok?first=9", marks=pytest.mark.drill),
        pytest.param(pause, LONGER, marks=pytest.mark.drill),
    ],
)
def test_a_stream_outlives_a_store_that_is_away_for_seconds(provider, redis, take_away, behaviour):
    with an_edge_on_redis(provider, redis, timeouts=UNHURRIED, heartbeat_s=2) as edge:
        text = stream_while(edge, provider, lambda: take_away(redis), behaviour)
        whole = edge.chat(lane="direct", stream=True, scripted=behaviour.replace("delay", "no")).text
        wait_until(lambda: len(edge.records.closes) == 2, "settling both")
    assert text.endswith("data: [DONE]\n\n"), text[-300:]
    assert words_of(text) == words_of(whole)
    assert edge.records.outcomes == ["finished", "finished"]


@pytest.mark.slow
def test_what_a_store_that_stays_away_cost_is_ours_to_pay(provider, redis):
    with an_edge_on_redis(provider, redis, timeouts=UNHURRIED, heartbeat_s=2) as edge:
        text = stream_while(edge, provider, redis.kill, ENDLESS)
        wait_until(lambda: edge.records.closes, "ending the worker's part")
    [row] = edge.records.closes
    assert "lane_state_lost" in text
    assert (row.outcome, row.error_code, float(row.cost_usd)) == ("cancelled", "lane_state_lost", 0)
    assert float(row.loss_usd) > 0


def test_a_client_that_leaves_while_the_store_is_away_ends_the_call_once_it_is_back(provider, redis):
    body = {"model": "acme/one", "stream": True, "messages": [{"role": "user", "content": "x"}]}
    provider.script(ENDLESS)
    with an_edge_on_redis(provider, redis) as edge, edge.client(**{"x-gateway-lane": "worker"}) as client:
        with client.stream("POST", "/v1/chat/completions", json=body) as answer:
            next(answer.iter_bytes())
            redis.kill()
            wait_until(lambda: not edge.process.store.is_connected, "losing the store")
        wait_until(lambda: not edge.process.lane._calls, "noticing that the client left")
        redis.start()
        wait_until(lambda: edge.records.closes, "ending the worker's part")
    [row] = edge.records.closes
    assert (row.outcome, row.error_code) == ("cancelled", "client_gone")


def test_an_answer_that_its_worker_has_forgotten_ends_with_an_error(provider):
    """As where it ended, was kept for its time, and its last message was lost."""
    with an_edge(provider) as edge:
        got = []
        provider.script("ok?hold=0")
        reader = threading.Thread(target=lambda: got.append(edge.chat(lane="worker")))
        reader.start()
        provider.wait_for(1)

        async def forget():
            edge.process.worker._calls.clear()
            for incoming in edge.process.lane._calls.values():
                incoming.has_gap = True

        edge.on_loop(forget)
        reader.join(HANG_S)
    assert (got[0].status_code, got[0].json()["error"]["code"]) == (503, "lane_state_lost")
