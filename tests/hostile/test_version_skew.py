"""Web and worker processes of different versions: every call is answered, whatever the one says to the other."""

import asyncio
from dataclasses import MISSING, fields

import pytest

from gateway.core.store.interface import JobEntry
from gateway.proxy.call import NEEDED, OPTIONAL
from gateway.proxy.exchange import CallResult, ResponseHead
from gateway.proxy.lane.frames import HEARTBEATS, Life, control_channel, inbox_channel, pack_frame
from gateway.proxy.lane.frames import Kind as FrameKind
from tests.gateway.proxy.lanes import an_edge
from tests.hostile.skew import SkewedStore, of_a_later_version, with_strange, without
from tests.upstream import ScriptedProvider


def names(kind, *, needed):
    """Facts without a default, or those with one."""
    return [
        field.name
        for field in fields(kind)
        if (field.default is MISSING and field.default_factory is MISSING) is needed
    ]


@pytest.fixture
def provider():
    with ScriptedProvider() as provider:
        yield provider


def chat_over(provider, *, lane="auto", **changes):
    """One chat through a store that changes messages, and the lane that answered."""
    with an_edge(provider, store=lambda: SkewedStore(**changes)) as edge:
        answer = edge.chat(lane=lane)
    return answer, answer.headers.get("x-gateway-lane")


@pytest.mark.parametrize("change", [with_strange, *map(without, OPTIONAL)])
def test_a_worker_makes_the_job_of_a_web_process_that_says_more_or_less(provider, change):
    answer, lane = chat_over(provider, job=change)
    assert (answer.status_code, lane, len(provider.calls)) == (200, "worker", 1)


@pytest.mark.parametrize("change", [of_a_later_version, *map(without, NEEDED)])
def test_a_job_that_the_worker_cannot_read_is_made_directly(provider, change):
    answer, lane = chat_over(provider, job=change)
    assert (answer.status_code, lane, len(provider.calls)) == (200, "direct", 1)


def test_a_job_that_the_worker_cannot_read_is_refused_where_it_must_be_made_there(provider):
    answer, _ = chat_over(provider, lane="worker", job=of_a_later_version)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_worker")
    assert not provider.calls


def test_a_job_that_the_worker_reads_but_cannot_make_ends_with_an_error(provider):
    answer, _ = chat_over(provider, job=lambda facts: {**facts, "format": "of tomorrow"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "worker_failed")


@pytest.mark.parametrize("change", [with_strange, *map(without, names(ResponseHead, needed=False))])
def test_a_head_that_says_more_or_less_begins_an_answer(provider, change):
    answer, lane = chat_over(provider, head=change)
    assert (answer.status_code, lane) == (200, "worker")


@pytest.mark.parametrize("change", [of_a_later_version, *map(without, names(ResponseHead, needed=True))])
def test_an_answer_whose_head_cannot_be_read_ends_with_an_error(provider, change):
    answer, _ = chat_over(provider, head=change)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "worker_lost")


@pytest.mark.parametrize("change", [with_strange, *map(without, names(CallResult, needed=False))])
def test_an_end_that_says_more_or_less_ends_the_answer(provider, change):
    answer, lane = chat_over(provider, end=change)
    assert (answer.status_code, lane) == (200, "worker")


def test_an_end_that_cannot_be_read_ends_the_answer_with_an_error(provider):
    answer, _ = chat_over(provider, end=of_a_later_version)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "worker_lost")


@pytest.mark.parametrize("samples", [[], [{"offering_id": 1, "latency_ms": 2.0}], [7]])
def test_what_earlier_workers_told_of_offerings_with_an_answer_never_spoils_it(provider, samples):
    with an_edge(
        provider, store=lambda: SkewedStore(end=lambda facts: {**facts, "samples": samples})
    ) as edge:
        assert edge.chat(lane="worker").status_code == 200


def test_an_error_with_less_in_it_is_still_an_error(provider):
    provider.script("500")
    answer, _ = chat_over(provider, lane="worker", end=lambda facts: {**facts, "error": {"mood": "bad"}})
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "provider_error")


def test_frames_of_unknown_kinds_are_passed_over_by_both_sides(provider):
    frames = [b"", b"short", b"\xff" * 60, b"a" * 32 + b"?" + bytes(8) + b"of tomorrow"]
    with an_edge(provider) as edge:
        for channel in (inbox_channel("web-1"), control_channel("worker-1"), HEARTBEATS):
            for frame in frames:
                edge.process.loop.call_soon_threadsafe(edge.process.store.publish, channel, frame)
        assert edge.chat(lane="worker").status_code == 200


async def begin_and_be_mute(store):
    """A worker that lives, owns what it is given, and never says how it ended."""
    while True:
        store.publish(HEARTBEATS, Life.WORKER.value + b"mute")
        for entry in await store.read_jobs("mute", block_s=0.1):
            await own(store, entry)


async def own(store, entry: JobEntry):
    await store.start_job(entry, "mute", pack_frame(entry.call_id, FrameKind.STARTED, payload=b"mute"))


def test_a_worker_that_lives_but_never_ends_a_call_is_not_waited_for_for_ever(provider):
    with an_edge(provider, with_worker=False, longest_call_s=1) as edge:
        task = asyncio.run_coroutine_threadsafe(begin_and_be_mute(edge.process.store), edge.process.loop)
        edge.on_loop(lambda: until_open(edge.process.lane))
        answer = edge.chat(lane="worker")
        task.cancel()
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "worker_lost")
    assert not provider.calls


async def until_open(lane):
    while not lane.is_open:
        await asyncio.sleep(0.01)
