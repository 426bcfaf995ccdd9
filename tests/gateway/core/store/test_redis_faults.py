"""What happens to a running process when its Redis dies, stalls, fills up, loses its data or its role."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from gateway.core.store.interface import Ask, Limit, StoreUnavailable, TakeBack
from gateway.core.store.redis import RedisStore
from tests.gateway.core.store.worlds import answered_at_once, hand_over, play_redis, send, until
from tests.services import RedisServer, running_redis

ONE_SLOT = [Limit("key:1", "concurrency", 1)]
SLOTS = "gw:{admission}:key:1:concurrency:0"
TWO_A_MINUTE = [Limit("key:1", "requests", 2, 60)]


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


# Death


def test_store_is_used_again_soon_after_redis_died_and_came_back_empty(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        epoch = store.epoch
        server.kill()
        await until(lambda: not store.is_up)
        server.start()
        await until(lambda: store.is_up)
        assert store.epoch not in {None, epoch}
        assert (await hand_over(store, store, "a")).call_id == "a"

    play_redis(story, server.url)


def test_calls_are_admitted_by_this_process_while_redis_is_dead(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        server.kill()
        verdicts = [await store.admit(Ask(call_id, TWO_A_MINUTE)) for call_id in "abc"]
        assert [verdict.is_admitted for verdict in verdicts] == [True, True, False]

    play_redis(story, server.url)


def test_slot_taken_while_redis_was_dead_is_released_to_this_process(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        server.kill()
        await store.admit(Ask("a", ONE_SLOT))
        assert not (await store.admit(Ask("b", ONE_SLOT))).is_admitted
        store.release("a")
        assert (await store.admit(Ask("c", ONE_SLOT))).is_admitted

    play_redis(story, server.url)


def test_reader_that_was_waiting_when_redis_died_is_told(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        reading = asyncio.create_task(store.read_jobs("w1", block_s=5))
        await asyncio.sleep(0.2)
        server.kill()
        with pytest.raises(StoreUnavailable):
            await reading

    play_redis(story, server.url)


def test_job_that_could_not_be_sent_is_ours_at_once(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        server.kill()
        await until(lambda: not store.is_up)
        send(store, "a")
        assert await store.take_back("a", store.epoch) is TakeBack.OURS

    play_redis(story, server.url)


def test_process_starts_without_redis_and_finds_it_later(server: RedisServer) -> None:
    server.kill()

    async def story(store: RedisStore) -> None:
        assert not store.is_up
        assert (await store.admit(Ask("a", TWO_A_MINUTE))).is_admitted
        server.start()
        await until(lambda: store.is_up)

    play_redis(story, server.url)


# Silence


def test_stalled_redis_delays_one_call_and_others_not_at_all(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        server.pause()
        await store.admit(Ask("a", TWO_A_MINUTE))
        for call_id in "bc":
            answered_at_once(store.admit(Ask(call_id, TWO_A_MINUTE)))

    play_redis(story, server.url)


@pytest.mark.parametrize("pause_s", [0.5, 2.5])
def test_store_is_used_again_after_a_stall(server: RedisServer, pause_s: float) -> None:
    async def story(store: RedisStore) -> None:
        server.pause()
        await store.admit(Ask("a", ONE_SLOT))
        assert not store.is_up
        store.release("a")
        await asyncio.sleep(pause_s)
        server.resume()
        await until(lambda: store.is_up)
        # The admission that Redis made too late has been given back.
        await until(lambda: server.ask("ZCARD", SLOTS) == 0)

    play_redis(story, server.url)


def test_loop_that_was_blocked_does_not_blame_redis(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        admission = asyncio.create_task(store.admit(Ask("a", ONE_SLOT)))
        await asyncio.sleep(0)
        time.sleep(0.6)  # noqa: ASYNC251 - the point of it
        await admission
        assert store.is_up
        assert server.ask("ZCARD", SLOTS) == 1

    play_redis(story, server.url)


def test_slot_released_during_a_stall_is_free_afterwards(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        await store.admit(Ask("a", ONE_SLOT))
        server.pause()
        await until(lambda: not store.is_up)
        await asyncio.sleep(2)
        store.release("a")
        server.resume()
        await until(lambda: server.ask("ZCARD", SLOTS) == 0)

    play_redis(story, server.url)


def test_subscription_is_not_believed_while_redis_is_silent(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        subscription = await store.subscribe(["hb"], lambda *_: None)
        server.pause()
        await until(lambda: subscription.is_up_since is None)
        server.resume()
        await until(lambda: subscription.is_up_since)
        await subscription.close()

    play_redis(story, server.url)


# Loss of data


def test_job_is_lost_if_the_data_went_before_it_was_started(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        epoch = store.epoch
        entry = await hand_over(store, store, "a")
        server.ask("FLUSHALL")
        assert await store.take_back("a", epoch) is TakeBack.LOST
        assert not await store.start_job(entry, "w1", b"")
        await until(lambda: store.epoch != epoch)

    play_redis(story, server.url)


def test_job_taken_back_before_the_data_went_is_never_started(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        entry = await hand_over(store, store, "a")
        assert await store.take_back("a", store.epoch) is TakeBack.OURS
        server.ask("FLUSHALL")
        send(store, "b")
        assert not await store.start_job(entry, "w1", b"")

    play_redis(story, server.url)


def test_jobs_flow_on_at_once_after_the_data_went(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        reading = asyncio.create_task(store.read_jobs("w1", block_s=5))
        await asyncio.sleep(0.2)
        server.ask("FLUSHALL")
        send(store, "a")
        (entry,) = await reading
        assert await store.start_job(entry, "w1", b"")

    play_redis(story, server.url)


def test_running_call_holds_its_slot_again_after_the_data_went(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        await store.admit(Ask("a", ONE_SLOT))
        server.ask("FLUSHALL")
        await until(lambda: server.ask("ZCARD", SLOTS) == 1)

    play_redis(story, server.url, lease_s=1.5)


def test_forgotten_scripts_are_loaded_again(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        server.ask("SCRIPT", "FLUSH")
        assert (await store.admit(Ask("a", TWO_A_MINUTE))).is_admitted
        assert server.ask("EXISTS", "gw:{admission}:key:1:requests:60") == 1

    play_redis(story, server.url)


def test_job_reaches_its_worker_though_its_scripts_were_forgotten(server: RedisServer) -> None:
    """Else its web process would take it back after a while, and say that there is no worker."""

    async def story(store: RedisStore) -> None:
        server.ask("SCRIPT", "FLUSH")
        entry = await hand_over(store, store, "a")
        server.ask("SCRIPT", "FLUSH")
        assert await store.start_job(entry, "w1", b"")
        server.ask("SCRIPT", "FLUSH")
        assert await store.take_back("a", store.epoch) is TakeBack.STARTED

    play_redis(story, server.url)


# Cut lines


def test_subscription_heals_after_its_line_was_cut(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        heard: list[bytes] = []
        subscription = await store.subscribe(["hb"], lambda _, message: heard.append(message))
        up_since = subscription.is_up_since or 0
        server.ask("CLIENT", "KILL", "TYPE", "pubsub")
        await until(lambda: (subscription.is_up_since or 0) > up_since)
        store.publish("hb", b"again")
        await until(lambda: heard == [b"again"])
        await subscription.close()

    play_redis(story, server.url)


def test_call_is_started_although_the_line_was_cut_meanwhile(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        entry = await hand_over(store, store, "a")
        server.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        assert await store.start_job(entry, "w1", b"")

    play_redis(story, server.url)


# Refusals


def test_full_redis_admits_by_this_process_and_is_used_again_when_it_has_room(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        server.ask("CONFIG", "SET", "maxmemory", "1")
        verdicts = [await store.admit(Ask(call_id, TWO_A_MINUTE)) for call_id in "abc"]
        assert [verdict.is_admitted for verdict in verdicts] == [True, True, False]
        assert not store.is_up
        server.ask("CONFIG", "SET", "maxmemory", "0")
        await until(lambda: store.is_up)

    play_redis(story, server.url)


def test_job_that_a_full_redis_refused_is_ours_at_once(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        server.ask("CONFIG", "SET", "maxmemory", "1")
        send(store, "a")
        await until(lambda: not store.is_up)
        assert await store.take_back("a", store.epoch) is TakeBack.OURS

    play_redis(story, server.url)


def test_messages_still_pass_through_a_full_redis(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        heard: list[bytes] = []
        server.ask("CONFIG", "SET", "maxmemory", "1")
        subscription = await store.subscribe(["in:web"], lambda _, message: heard.append(message))
        await until(lambda: not store.is_up)
        store.publish("in:web", b"chunk")
        await until(lambda: heard == [b"chunk"])
        await subscription.close()

    play_redis(story, server.url)


def test_read_only_redis_is_left_and_found_again_as_master(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        server.ask("REPLICAOF", "127.0.0.1", "1")
        await until(lambda: not store.is_up)
        assert (await store.admit(Ask("a", TWO_A_MINUTE))).is_admitted
        server.ask("REPLICAOF", "NO", "ONE")
        await until(lambda: store.is_up)

    play_redis(story, server.url)


# Leases


def test_slot_of_a_killed_process_is_free_after_its_lease(server: RedisServer) -> None:
    program = (
        "import asyncio, sys\n"
        "from gateway.core.store.redis import RedisStore\n"
        "from gateway.core.store.interface import Ask, Limit\n"
        "async def main():\n"
        "    store = RedisStore(sys.argv[1], 'doomed', lease_s=1)\n"
        "    await store.open()\n"
        "    await store.admit(Ask('a', [Limit('key:1', 'concurrency', 1)]))\n"
        "    print('admitted', flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, server.url], stdout=subprocess.PIPE) as doomed:
        assert doomed.stdout
        assert doomed.stdout.readline() == b"admitted\n"
        doomed.kill()

    async def story(store: RedisStore) -> None:
        assert not (await store.admit(Ask("b", ONE_SLOT))).is_admitted
        await asyncio.sleep(1.1)
        assert (await store.admit(Ask("c", ONE_SLOT))).is_admitted

    play_redis(story, server.url)


def test_slot_of_a_long_call_outlives_its_first_lease(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        await store.admit(Ask("a", ONE_SLOT))
        await asyncio.sleep(1.5)
        assert not (await store.admit(Ask("b", ONE_SLOT))).is_admitted

    play_redis(story, server.url, lease_s=0.6)


def test_slots_are_given_back_when_the_store_is_closed(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        await store.admit(Ask("a", ONE_SLOT))
        await store.close()
        assert server.ask("ZCARD", SLOTS) == 0

    play_redis(story, server.url)


def test_admission_that_was_cancelled_leaves_no_slot(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        admission = asyncio.create_task(store.admit(Ask("a", ONE_SLOT)))
        await asyncio.sleep(0)
        admission.cancel()
        await asyncio.wait([admission])
        assert (await store.admit(Ask("b", ONE_SLOT))).is_admitted

    play_redis(story, server.url)
