"""What happens to money when a process or its Redis dies, loses its data or is away."""

import asyncio

from gateway.core.store import redis_budgets
from gateway.core.store.redis import RedisStore
from tests.gateway.core.store.money import ask, balance, charge, install, spent, window
from tests.gateway.core.store.test_redis_faults import server
from tests.gateway.core.store.worlds import play_redis, until
from tests.services import RedisServer

__all__ = ["server"]
HELD = "gw:{admission}:held:key:1"
TEN = window(10)


def expire(server: RedisServer, call_id: str) -> None:
    """As if its process had not renewed it in time."""
    server.ask("HSET", HELD, f"x:{call_id}", 1)


# Holds of the dead


def test_hold_of_a_dead_process_is_in_nobodys_way_after_its_lease(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        await install(store, TEN)
        await store.admit(ask("dead", 10, TEN))
        assert (await store.admit(ask("b", 1, TEN))).reason == "held"
        expire(server, "dead")
        assert (await store.admit(ask("b", 1, TEN))).is_admitted
        assert server.ask("HGET", HELD, "*") == b"1"

    play_redis(story, server.url)


def test_what_is_settled_after_the_lease_has_ended_is_owed_all_the_same(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        await install(store, TEN)
        await store.admit(ask("slow", 9, TEN))
        expire(server, "slow")
        await store.admit(ask("b", 8, TEN))
        store.settle("slow", charge(9), "p", 1)
        assert ((await balance(store)).held, await spent(store, TEN)) == (8, 9)

    play_redis(story, server.url)


def test_hold_of_a_long_call_outlives_its_first_lease(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        await install(store, TEN)
        await store.admit(ask("a", 10, TEN))
        await asyncio.sleep(1.5)
        assert (await store.admit(ask("b", 1, TEN))).reason == "held"

    play_redis(story, server.url, lease_s=0.6)


def test_hold_of_a_closed_store_is_given_back(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        await install(store, TEN)
        await store.admit(ask("a", 10, TEN))
        await store.close()
        assert server.ask("HGET", HELD, "*") == b"0"

    play_redis(story, server.url)


def test_admission_that_was_cancelled_leaves_no_hold(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        await install(store, TEN)
        admission = asyncio.create_task(store.admit(ask("a", 10, TEN)))
        await asyncio.sleep(0)
        admission.cancel()
        await asyncio.wait([admission])
        assert (await store.admit(ask("b", 10, TEN))).is_admitted

    play_redis(story, server.url)


# Loss of data


def test_what_lives_is_told_again_after_the_data_went(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        await install(store, TEN)
        await store.admit(ask("ended", 3, TEN))
        store.settle("ended", charge(3), "p", 1)
        store.release_holds("ended", ["key:1"])
        await store.admit(ask("running", 2, TEN))
        server.ask("FLUSHALL")
        assert (await store.admit(ask("b", 1, TEN))).reason == "lost"
        # Told again at once, and nobody else is let in before everybody could have.
        await until(lambda: server.ask("HGET", HELD, "*"))
        while (await store.admit(ask("b", 1, TEN))).reason == "lost":
            await asyncio.sleep(0.1)
        assert (await store.admit(ask("b", 1, TEN))).reason == "unknown"
        await install(store, TEN)
        assert ((await balance(store)).held, await spent(store, TEN)) == (2, 3)

    play_redis(story, server.url)


def test_what_a_worker_may_not_have_settled_is_held_again_after_the_data_went(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        await install(store, TEN)
        await store.admit(ask("made", 4, TEN))
        # Its client has the answer, and its worker does not know that yet.
        store.release("made", leaves_holds=True)
        server.ask("FLUSHALL")
        assert (await store.admit(ask("b", 1, TEN))).reason == "lost"
        await until(lambda: server.ask("HGET", HELD, "*"))
        assert (await balance(store)).held == 4
        worker = RedisStore(server.url, "worker")
        await worker.open()
        worker.settle("made", charge(3), "w", 1, ["key:1"])
        await until(lambda: server.ask("HGET", HELD, "*") == b"0")
        await worker.close()

    play_redis(story, server.url)


def test_what_sql_has_is_not_told_again(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        await install(store, TEN)
        for seq in (1, 2, 3):
            store.settle("", charge(1), "p", seq)
        store.recorded("p", 2)
        await store.admit(ask("running", 2, TEN))
        server.ask("FLUSHALL")
        await until(lambda: server.ask("HGET", HELD, "*"))
        assert (await balance(store)).owed == {TEN.starts_at: 1}

    play_redis(story, server.url)


def test_scripts_that_were_forgotten_lose_no_money(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        await install(store, TEN)
        server.ask("SCRIPT", "FLUSH")
        store.settle("", charge(4), "p", 1)
        await until(lambda: server.ask("HLEN", "gw:{admission}:owed:key:1"))
        assert await spent(store, TEN) == 4

    play_redis(story, server.url)


# Away


def test_this_process_judges_by_what_sql_says_and_by_its_own_while_redis_is_away(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        await install(store, TEN)
        store.settle("", charge(2), "p", 1)
        server.kill()
        await until(lambda: not store.is_up)
        await install(store, TEN, version=2, spent=3)
        assert (await store.admit(ask("a", 4, TEN))).is_admitted
        await install(store, TEN, version=2, spent=3)
        assert (await store.admit(ask("b", 4, TEN))).is_admitted
        assert ((await balance(store)).held, await spent(store, TEN)) == (5, 5)
        await install(store, TEN, version=2, spent=3)
        assert (await store.admit(ask("c", 1, TEN))).reason == "held"

    play_redis(story, server.url)


def test_what_sql_said_is_not_believed_for_long_while_redis_is_away(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        await install(store, TEN)
        server.kill()
        await until(lambda: not store.is_up)
        await asyncio.sleep(redis_budgets.FRESH_S)
        assert (await store.admit(ask("a", 1, TEN))).reason == "unknown"

    play_redis(story, server.url)


def test_processes_share_what_is_left_while_redis_is_away(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        other = RedisStore(server.url, "other")
        await other.open()
        for each in (store, other):
            await install(each, TEN)
            await each.admit(ask("", 1, TEN))
            each.release_holds("", ["key:1"])
        budgets = (store._budgets, other._budgets)
        await until(lambda: all(each.mine.sharers == 2 for each in budgets))
        server.kill()
        await until(lambda: not store.is_up and not other.is_up)
        for each in (store, other):
            await install(each, TEN, version=2)
            assert (await each.admit(ask("a", 9, TEN))).is_admitted
            assert (await balance(each)).held == 5
            each.settle("a", charge(5), "p", 1)
            each.release_holds("a", ["key:1"])
            await install(each, TEN, version=2)
            # Its share is spent, and the budget is not.
            assert (await each.admit(ask("b", 1, TEN))).reason == "held"
        await other.close()

    play_redis(story, server.url)


def test_what_happened_while_redis_was_away_is_told_when_it_is_back(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        await install(store, TEN)
        await store.admit(ask("ended", 4, TEN))
        server.kill()
        await until(lambda: not store.is_up)
        await install(store, TEN, version=2)
        await store.admit(ask("running", 3, TEN))
        store.settle("ended", charge(4), "p", 1)
        store.release_holds("ended", ["key:1"])
        server.start()
        await until(lambda: store.is_up and server.ask("HGET", HELD, "*"))
        await install(store, TEN, version=2)
        assert ((await balance(store)).held, await spent(store, TEN)) == (3, 4)

    play_redis(story, server.url)


def test_what_ended_during_a_stall_is_told_afterwards(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        await install(store, TEN)
        await store.admit(ask("a", 4, TEN))
        server.pause()
        await store.admit(ask("b", 4, TEN))
        await until(lambda: not store.is_up)
        store.settle("a", charge(4), "p", 1)
        store.release_holds("a", ["key:1"])
        store.release_holds("b", ["key:1"])
        await asyncio.sleep(2)
        server.resume()
        await until(lambda: store.is_up and server.ask("HGET", HELD, "*") == b"0")
        assert await spent(store, TEN) == 4

    play_redis(story, server.url)


def test_what_a_full_redis_did_not_take_is_told_when_it_has_room(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        await install(store, TEN)
        server.ask("CONFIG", "SET", "maxmemory", "1")
        store.settle("", charge(4), "p", 1)
        await until(lambda: not store.is_up)
        server.ask("CONFIG", "SET", "maxmemory", "0")
        await until(lambda: server.ask("HLEN", "gw:{admission}:owed:key:1"))
        assert await spent(store, TEN) == 4

    play_redis(story, server.url)
