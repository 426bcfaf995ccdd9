"""A worker's finished calls are booked once their reader has the answer, and are ours to pay where it never comes."""

import asyncio
import time
from dataclasses import replace

import pytest

from accounts.attempts import AttemptRecord
from gateway.proxy.call import encode_call
from gateway.proxy.exchange import CLIENT_GONE
from gateway.proxy.lane.frames import HEARTBEATS, Life
from gateway.proxy.lane.held import HeldAttempts
from providers.wire.call import Call
from tests.gateway.proxy.edge import Records
from tests.gateway.proxy.lanes import an_edge
from tests.gateway.spooling import closed, opened
from tests.services import wait_until
from tests.upstream import ScriptedProvider

OPENED = opened()
CALL = OPENED.call_id
CLOSED = closed(OPENED.attempt_id)


def ended(**changes):
    return AttemptRecord(OPENED, replace(CLOSED, **changes))


@pytest.fixture
def records():
    return Records()


@pytest.fixture
def held(records):
    made = HeldAttempts(records)
    made.attempt_opened(AttemptRecord(OPENED))
    return made


def test_a_finished_call_waits_for_its_reader(held, records):
    held.attempt_closed(ended())
    assert (records.closes, held.is_empty) == ([], False)
    held.taken(CALL)
    assert (records.closes, held.is_empty) == ([CLOSED], True)


@pytest.mark.parametrize("outcome", ["cut", "failed", "failed_over", "cancelled"])
def test_any_other_end_is_booked_at_once(held, records, outcome):
    told = ended(outcome=outcome)
    held.attempt_closed(told)
    assert (records.closes, held.is_empty) == ([told.closed], True)


def test_what_never_reached_its_reader_is_our_loss(held, records):
    held.attempt_closed(ended())
    held.lost(CALL, "web_lost")
    [row] = records.closes
    assert (row.outcome, row.error_code, row.cost_usd, row.loss_usd) == (
        "cancelled",
        "web_lost",
        "0",
        CLOSED.cost_usd,
    )


def test_what_its_client_did_not_wait_for_is_the_teams_to_pay(held, records):
    held.attempt_closed(ended())
    held.lost(CALL, CLIENT_GONE)
    assert records.closes == [replace(CLOSED, outcome="cancelled", error_code=CLIENT_GONE)]


def test_a_call_is_booked_once_whoever_says_what_of_it_later(held, records):
    held.attempt_closed(ended())
    held.taken(CALL)
    held.lost(CALL, "web_lost")
    held.lose_all("server_shutting_down")
    assert records.closes == [CLOSED]


async def read_and_say_nothing(store, *, beats: bool):
    """A web process that is killed, or of a version that never says that it has the answer."""
    ended = asyncio.Event()
    subscription = await store.subscribe(["in:other"], lambda _, message: b"E" in message and ended.set())
    call = Call("chat.completions", {}, id="c" * 32, requested_model="acme/one", offering_ids=(1,), raw=BODY)
    store.send_job(call.id, "in:other", 1.5, encode_call(call))
    await ended.wait()
    ends_at = time.monotonic() + 7
    while beats and time.monotonic() < ends_at:
        store.publish(HEARTBEATS, Life.WEB.value + b"other")
        await asyncio.sleep(0.2)
    await subscription.close()


BODY = b'{"model":"acme/one","messages":[{"role":"user","content":"hello"}]}'


@pytest.mark.parametrize(
    ("beats", "outcome", "code"), [(False, "cancelled", "web_lost"), (True, "finished", "")]
)
def test_a_reader_that_says_nothing_is_dead_or_of_an_older_version(beats, outcome, code):
    with ScriptedProvider() as provider, an_edge(provider) as edge:
        edge.on_loop(lambda: read_and_say_nothing(edge.process.store, beats=beats))
        wait_until(lambda: edge.records.closes, "booking the call")
        [row] = edge.records.closes
    assert (row.outcome, row.error_code) == (outcome, code)
    assert (float(row.cost_usd) > 0, float(row.loss_usd) > 0) == (beats, not beats)


def test_an_answer_that_was_taken_is_not_kept():
    with ScriptedProvider() as provider, an_edge(provider) as edge:
        assert edge.chat(lane="worker").status_code == 200
        wait_until(lambda: edge.records.closes, "booking the call")
        assert not edge.process.worker._calls
        assert edge.records.outcomes == ["finished"]
