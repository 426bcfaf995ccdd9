"""A node of a Redis Cluster refuses a script whose keys may lie on two of them, or that touches one it did not name."""

from collections.abc import Iterator

import pytest

from gateway.core.store.interface import Ask, Limit, Tokens
from gateway.core.store.redis import RedisStore
from tests.gateway.core.store.money import budget, charge, install, spent, window
from tests.gateway.core.store.worlds import play_redis
from tests.services import RedisServer, free_port, running_redis, wait_until


@pytest.fixture
def node() -> Iterator[RedisServer]:
    # Left to itself, a node listens to others 10,000 ports higher, where the kernel may have given the port away.
    with running_redis("--cluster-enabled", "yes", "--cluster-port", str(free_port())) as server:
        server.ask("CLUSTER", "ADDSLOTS", *range(16384))
        wait_until(lambda: b"cluster_state:ok" in server.ask("CLUSTER", "INFO"), "the cluster")
        yield server


def test_all_that_lets_a_call_in_lies_on_one_node(node: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        limits = [Limit("key:1", "tokens", 5, 60), Limit("team:1", "concurrency", 5)]
        quotas = [Limit("provider:a", "requests", 5, 60)]
        money = [budget(5, window(9)), budget(5, window(9), subject="team:1")]
        for each in money:
            await install(store, window(9), subject=each.subject)
        verdict = await store.admit(Ask("a", limits, 3, candidates=[quotas], budgets=money))
        assert verdict.is_admitted
        assert [standing.remaining for standing in verdict.standings] == [2]
        store.correct(limits, Tokens(3), Tokens(1), 1e10)
        store.raise_hold("a", ["key:1", "team:1"], 6)
        store._limits.renew()
        store._budgets.renew()
        await store._budgets.join()
        store.settle("a", charge(2) + charge(2, subject="team:1"), "p", 1)
        for subject in ("key:1", "team:1"):
            assert (await store.balance(subject)).held == 4
            assert await spent(store, window(9), subject) == 2
        store.settle("a", charge(1, subject="team:1"), "p", 2, ["key:1", "team:1"])
        store.release("a")
        assert (await store.balance("team:1")).held == 0
        assert node.ask("ZCARD", "gw:{admission}:team:1:concurrency:0") == 0
        assert (await store.admit(Ask("b", limits[:1]))).standings[0].remaining == 4

    play_redis(story, node.url)
