"""The worker lane when messages, workers or the store itself are lost on the way."""

import json
import time

import pytest

from gateway.proxy.exchange import CallResult
from gateway.proxy.lane.frames import (
    HEARTBEATS,
    Kind,
    Life,
    pack_end,
    pack_frame,
    pack_taken,
    taken_ids,
    unpack_end,
    unpack_frame,
)
from gateway.proxy.lane.incoming import Incoming
from tests.gateway.proxy.lanes import HELD, an_edge, an_edge_on_redis, stream_while, words_of
from tests.services import running_redis, wait_until
from tests.upstream import ScriptedProvider


@pytest.fixture
def provider():
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def redis():
    with running_redis() as server:
        yield server


def pretend_that_a_worker_lives(edge):
    for _ in range(3):
        edge.process.loop.call_soon_threadsafe(
            edge.process.store.publish, HEARTBEATS, Life.WORKER.value + b"ghost"
        )
        time.sleep(0.05)


def test_a_job_that_no_worker_begins_is_taken_back_and_made_directly(provider):
    with an_edge(provider, with_worker=False) as edge:
        pretend_that_a_worker_lives(edge)
        answer = edge.chat(lane="auto")
    assert (answer.status_code, answer.headers["x-gateway-lane"], len(provider.calls)) == (200, "direct", 1)


def test_a_forced_job_that_no_worker_begins_is_a_503_and_never_reaches_the_provider(provider):
    with an_edge(provider, with_worker=False) as edge:
        pretend_that_a_worker_lives(edge)
        answer = edge.chat(lane="worker")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_worker")
    assert not provider.calls


@pytest.mark.parametrize(
    ("trouble", "well", "expected"),
    [
        ({"trouble": "no space is left"}, {"trouble": ""}, "no_worker"),
        ({"lag_s": 61.0}, {"lag_s": 59.0}, "ledger_behind"),
    ],
)
def test_a_worker_that_cannot_account_for_calls_takes_none_until_it_can(provider, trouble, well, expected):
    with an_edge(provider) as edge:
        vars(edge.records).update(trouble)
        wait_until(lambda: not edge.process.lane.is_open, "hearing that the worker takes no calls")
        refused = edge.chat(lane="worker").json()
        vars(edge.records).update(well)
        wait_until(lambda: edge.process.lane.is_open, "hearing that the worker takes calls again")
        taken = edge.chat(lane="worker").headers
    assert (refused["error"]["code"], taken["x-gateway-lane"]) == (expected, "worker")


def test_a_chat_goes_through_redis(provider, redis):
    with an_edge_on_redis(provider, redis) as edge:
        assert edge.chat(lane="worker").headers["x-gateway-lane"] == "worker"


@pytest.mark.parametrize("command", [("CLIENT", "KILL", "TYPE", "pubsub"), ("FLUSHALL",)])
def test_a_stream_survives_lost_messages_and_lost_data(provider, redis, command):
    with an_edge_on_redis(provider, redis) as edge:
        text = stream_while(edge, provider, lambda: redis.ask(*command), HELD)
        whole = edge.chat(lane="direct", stream=True, scripted="ok?chunks=40").text
    assert text.endswith("data: [DONE]\n\n")
    assert words_of(text) == words_of(whole)
    assert len(provider.calls) == 2


def test_a_stream_survives_a_redis_that_dies_and_comes_back_empty(provider, redis):
    def restart() -> None:
        redis.kill()
        redis.start()

    with an_edge_on_redis(provider, redis) as edge:
        text = stream_while(edge, provider, restart, HELD)
        wait_until(lambda: edge.process.lane.is_open, "opening the lane again")
        after = edge.chat(lane="worker")
    assert text.endswith("data: [DONE]\n\n")
    assert after.status_code == 200
    assert len(provider.calls) == 2


def test_calls_go_directly_while_redis_is_away(provider, redis):
    with an_edge_on_redis(provider, redis) as edge:
        redis.kill()
        wait_until(lambda: not edge.process.lane.is_open, "closing the lane")
        answer = edge.chat(lane="auto")
    assert (answer.status_code, answer.headers["x-gateway-lane"]) == (200, "direct")


def test_a_worker_that_falls_silent_is_given_up_with_an_explicit_error(provider, redis):
    with an_edge_on_redis(provider, redis) as edge:

        def silence() -> None:
            async def cut() -> None:
                for duty in edge.process.worker._duties:
                    duty.cancel()

            edge.on_loop(cut)

        text = stream_while(edge, provider, silence, "never-ending?delay=0.05")
        assert edge.chat(lane="auto", scripted="ok").headers["x-gateway-lane"] == "direct"
    last = json.loads(text.strip().split("data: ")[-1])
    assert last["error"]["code"] == "worker_lost"
    assert "[DONE]" not in text


def stands_still(outgoing):
    """In between, what the kernel keeps for the client still fills up."""
    size = outgoing.size
    time.sleep(0.5)
    return outgoing.size == size


def test_a_slow_reader_stops_the_worker_and_not_the_process(provider):
    """What the client does not read stays at the provider: neither web process nor worker heaps it up."""
    provider.default = "never-ending?delay=0&size=20000"
    body = {"model": "acme/one", "stream": True, "messages": [{"role": "user", "content": "x"}]}
    with an_edge(provider) as edge, edge.client(**{"x-gateway-lane": "worker"}) as client:
        with client.stream("POST", "/v1/chat/completions", json=body) as answer:
            unread = answer.iter_bytes()
            next(unread)
            call = next(iter(edge.process.worker._calls.values()))
            incoming = next(iter(edge.process.lane._calls.values()))
            wait_until(lambda: incoming.is_paused, "pausing the worker")
            wait_until(lambda: stands_still(call.outgoing), "stopping the worker")
            assert incoming.unread_bytes < 2_000_000
        assert edge.chat(lane="worker", scripted="ok").status_code == 200


def test_a_frame_survives_its_encoding():
    frame = ("a" * 32, Kind.CHUNK, 2**40, b"bytes")
    assert unpack_frame(pack_frame(*frame)) == frame


def test_an_end_carries_the_last_bytes():
    end = CallResult(attempts=2)
    assert unpack_end(pack_end(end, b"tail")) == (end, b"tail")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_one_frame_says_of_several_calls_that_they_are_taken(count: int):
    call_ids = [f"{number:032x}" for number in range(count)]
    frame = unpack_frame(pack_taken(call_ids))
    assert frame
    assert frame.kind is Kind.TAKEN
    assert taken_ids(frame.call_id, frame.payload) == call_ids


def test_bytes_that_come_twice_are_taken_once():
    incoming = Incoming(take_back_at=0)
    for offset, payload in ((0, b"abc"), (1, b"bcde"), (0, b"abcde")):
        assert incoming.accept(Kind.CHUNK, offset, payload)
    assert incoming.take() == b"abcde"


@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_hole_is_noticed_and_closed_by_what_is_sent_again(size):
    incoming = Incoming(take_back_at=0)
    assert not incoming.accept(Kind.CHUNK, size, b"abcdef"[size:])
    assert incoming.accept(Kind.CHUNK, 0, b"abcdef")
    assert incoming.take() == b"abcdef"


def test_an_end_after_a_hole_is_not_believed():
    incoming = Incoming(take_back_at=0)
    incoming.accept(Kind.END, 5, pack_end(CallResult(), b""))
    assert incoming.end is None
