"""Waiting after tries that failed: the rule in memory, with a clock that is a value."""

import pytest

from gateway.core.store.redis import RedisStore
from gateway.core.store.tries import Patience, Tries
from tests.gateway.core.store.worlds import play_redis
from tests.services import RedisServer

PATIENCE = Patience(free=2, longest_s=10)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("tries", "wait_s"), [(0, 0), (2, 0), (3, 2), (4, 4), (5, 8), (6, 10), (5000, 10)])
def test_the_wait_doubles_with_each_try_beyond_the_free_ones_up_to_the_longest(
    tries: int, wait_s: float
) -> None:
    assert PATIENCE.wait_s(tries) == wait_s


def test_free_tries_are_heard_at_once_and_later_ones_after_their_wait() -> None:
    clock = Clock()
    tries = Tries(clock=clock)
    assert [tries.take("a", PATIENCE) for _ in range(5)] == [0, 0, 0, 2, 2]
    clock.now += 1.5
    assert tries.take("a", PATIENCE) == pytest.approx(0.5)
    clock.now += 0.5
    assert [tries.take("a", PATIENCE) for _ in range(2)] == [0, 4]


def test_a_subject_does_not_wait_for_another() -> None:
    tries = Tries()
    for _ in range(9):
        tries.take("a", PATIENCE)
    assert tries.take("b", PATIENCE) == 0


def test_the_right_one_ends_the_counting() -> None:
    tries = Tries(clock=Clock())
    for _ in range(3):
        tries.take("a", PATIENCE)
    tries.forgive("a")
    assert tries.take("a", PATIENCE) == 0


def test_tries_are_forgotten_after_an_hour_without_one() -> None:
    clock = Clock()
    tries = Tries(clock=clock)
    for _ in range(3):
        tries.take("a", PATIENCE)
    clock.now += PATIENCE.kept_s
    assert [tries.take("a", PATIENCE) for _ in range(3)] == [0, 0, 0]


def test_memory_holds_only_so_many_subjects() -> None:
    tries = Tries(clock=Clock(), kept=2)
    for name in ("a", "a", "a", "b", "c"):
        tries.take(name, PATIENCE)
    assert tries.take("a", PATIENCE) == 0


def test_redis_keeps_the_same_rule(redis_server: RedisServer) -> None:
    """Ten tries beyond the free ones are a wait of a quarter of an hour: nothing that a slow machine could confuse."""
    redis_server.ask("FLUSHALL")

    async def story(store: RedisStore) -> None:
        patience = Patience(free=2, longest_s=3600)
        for _ in range(12):
            assert await store.take_try("a", patience) == 0
            redis_server.ask("DEL", "gw:wait:a")
        assert await store.take_try("a", patience) == 0
        assert 1024 < await store.take_try("a", patience) <= 2048
        assert redis_server.ask("PTTL", "gw:tries:a") > 3_000_000

    play_redis(story, redis_server.url)
