"""Calls that ask in one turn to be let in: as if one had come after the other."""

import asyncio
from random import Random

import pytest

from gateway.core.store.interface import Ask, BudgetAsk, Limit, Store, StoreUnavailable, Verdict
from gateway.core.store.memory import MemoryStore
from gateway.core.store.redis import RedisStore
from tests.gateway.core.store.money import ask, balance, install, window
from tests.gateway.core.store.worlds import World, play_redis
from tests.services import RedisServer

LARGE = 2**52 + 1
"""Two of them are more than a number of Lua's holds exactly."""
DAY, EVER = window(1000), window(1500, "lifetime:0", 0)


@pytest.fixture
def server(redis_server: RedisServer) -> RedisServer:
    redis_server.ask("FLUSHALL")
    return redis_server


async def admit_at_once(store: Store, asks: list[Ask]) -> list[Verdict]:
    return await asyncio.gather(*map(store.admit, asks))


def scripts_run(server: RedisServer) -> int:
    return int(server.ask("INFO", "commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"])


def test_those_that_ask_the_same_share_a_script(server: RedisServer) -> None:
    limits, windows = (Limit("key:1", "tokens", 1000, 60),), (DAY,)

    async def story(store: RedisStore) -> None:
        await install(store, DAY)
        before = scripts_run(server)
        asks = [
            Ask(f"c{n}", limits, input_tokens=n, budgets=[BudgetAsk("key:1", windows, n)]) for n in range(9)
        ]
        verdicts = await admit_at_once(store, asks)
        assert scripts_run(server) - before == 1
        taken = 0
        for number, verdict in enumerate(verdicts):
            taken += number
            assert verdict.is_admitted
            assert verdict.standings[0].remaining == 1000 - taken
        assert (await balance(store)).held == taken

    play_redis(story, server.url)


def test_more_than_a_hundred_are_let_in_by_several_scripts(server: RedisServer) -> None:
    slots = (Limit("key:1", "concurrency", 230),)

    async def story(store: RedisStore) -> None:
        before = scripts_run(server)
        verdicts = await admit_at_once(store, [Ask(f"c{n}", slots) for n in range(240)])
        assert [verdict.is_admitted for verdict in verdicts] == 230 * [True] + 10 * [False]
        assert scripts_run(server) - before == 3

    play_redis(story, server.url)


def test_candidates_at_one_provider_share_its_quota(world: World) -> None:
    provider = Limit("provider:a", "requests", 2, 86_400)
    candidates = tuple((provider, Limit(f"offering:{number}", "concurrency", 1)) for number in (1, 2))

    async def story(web: Store, worker: Store) -> None:
        verdicts = await admit_at_once(web, [Ask(call, candidates=candidates) for call in "abc"])
        assert [(verdict.candidate, verdict.reason) for verdict in verdicts] == [
            (0, ""),
            (1, ""),
            (0, "candidates"),
        ]
        assert (await web.admit(Ask("d", [provider]))).standings[0].remaining == 0

    world.play(story)


def test_who_is_refused_leaves_room_for_the_next(world: World) -> None:
    tokens = (Limit("key:1", "tokens", 100, 86_400),)

    async def story(web: Store, worker: Store) -> None:
        asks = [Ask(f"c{amount}", tokens, input_tokens=amount) for amount in (60, 50, 40)]
        assert [each.is_admitted for each in await admit_at_once(web, asks)] == [True, False, True]

    world.play(story)


def test_large_holds_are_added_up_exactly_and_taken_off_again(world: World) -> None:
    much = window(10 * LARGE)

    async def story(web: Store, worker: Store) -> None:
        await install(web, much)
        asks = [ask(call, LARGE + number, much) for number, call in enumerate("abcd")]
        assert all(verdict.is_admitted for verdict in await admit_at_once(web, asks))
        assert (await balance(web)).held == 4 * LARGE + 6
        for call in "abd":
            web.release(call)
        assert (await balance(web)).held == LARGE + 2

    world.play(story)


def test_a_call_that_ends_twice_in_a_turn_gives_its_hold_back_once(world: World) -> None:
    async def story(web: Store, worker: Store) -> None:
        await install(web, DAY)
        await admit_at_once(web, [ask("a", 30, DAY), ask("b", 40, DAY), ask("c", 50, DAY)])
        for call in ("a", "b", "a"):
            web.release_holds(call, ["key:1"])
        assert (await balance(web)).held == 50

    world.play(story)


def test_who_gave_up_before_the_turn_ended_is_not_let_in(server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        await install(store, DAY)
        calls = [asyncio.ensure_future(store.admit(ask(call, 10, DAY))) for call in "abc"]
        asyncio.get_running_loop().call_soon(calls[1].cancel)
        await asyncio.wait(calls)
        assert [call.cancelled() for call in calls] == [False, True, False]
        assert (await balance(store)).held == 20

    play_redis(story, server.url)


def test_who_asks_as_the_line_is_lost_hears_so(server: RedisServer) -> None:
    asks = Ask("a", (Limit("key:1", "concurrency", 1),))

    async def story(store: RedisStore) -> None:
        limits = store._limits
        form = limits._packer.form(asks)
        before = limits._asking.ask(form, asks, "")
        store._commands.cut()
        after = limits._asking.ask(form, asks, "")
        told = await asyncio.gather(before, after, return_exceptions=True)
        assert [type(each) for each in told] == [StoreUnavailable, StoreUnavailable]

    play_redis(story, server.url)


def test_a_crowd_is_told_again_once_where_redis_forgot_the_script(server: RedisServer) -> None:
    slots = (Limit("key:1", "concurrency", 3),)

    async def story(store: RedisStore) -> None:
        server.ask("SCRIPT", "FLUSH")
        before = scripts_run(server)
        verdicts = await admit_at_once(store, [Ask(call, slots) for call in "abcde"])
        assert [each.is_admitted for each in verdicts] == [True, True, True, False, False]
        # The one that was not there counts as well.
        assert scripts_run(server) - before == 2

    play_redis(story, server.url)


@pytest.mark.parametrize("seed", range(20))
def test_a_crowd_hears_from_redis_what_memory_would_tell_it(server: RedisServer, seed: int) -> None:
    random = Random(seed)
    limits = (Limit("key:1", "concurrency", 12), Limit("key:1", "requests", 25, 86_400))
    quotas = tuple((Limit(f"offering:{number}", "concurrency", 4),) for number in (1, 2, 3))
    asks = []
    for number in range(30):
        hold = random.randrange(0, 150)
        money = [
            BudgetAsk(subject, windows, hold, hold + random.randrange(0, 60))
            for subject, windows in (("key:1", (DAY, EVER)), ("team:1", (EVER,)))
        ]
        asks.append(Ask(f"c{random.randrange(number + 1)}", limits, candidates=quotas, budgets=money))

    async def told_by(store: Store) -> list[object]:
        for subject in ("key:1", "team:1"):
            await install(store, DAY, EVER, spent=200, subject=subject)
        told: list[object] = []
        for first in range(0, 30, 10):
            verdicts = await admit_at_once(store, _each_once(asks[first : first + 10]))
            told += [(each.is_admitted, each.reason, each.budget, each.candidate) for each in verdicts]
            told += [(await balance(store, subject)).held for subject in ("key:1", "team:1")]
        return told

    heard: list[object] = []

    async def story(store: RedisStore) -> None:
        heard.extend(await told_by(store))

    play_redis(story, server.url)
    assert heard == asyncio.run(told_by(MemoryStore()))


def _each_once(asks: list[Ask]) -> list[Ask]:
    """No call asks twice at a time."""
    return list({each.call_id: each for each in asks}.values())
