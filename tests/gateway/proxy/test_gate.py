"""How many calls a process has in hand: who waits, who goes on, and who is refused at once."""

import asyncio

import pytest

from gateway.proxy import gate as gates
from gateway.proxy.errors import Unavailable
from gateway.proxy.gate import Gate
from tests.gateway.instructions import counted_instructions


class Crowd:
    """Calls at a gate: they run until they are told to end."""

    def __init__(self, most):
        self.open = set()
        self.gate = Gate(most, lambda: len(self.open))
        self.let_in, self.refused = [], []
        self.tasks, self.told = {}, set()

    def come(self, name, team):
        self.tasks[name] = asyncio.ensure_future(self._call(name, team))

    async def _call(self, name, team):
        """As the edge has it."""
        self.open.add(name)
        try:
            if len(self.open) > self.gate.most:
                await self.gate.wait(team)
        except Unavailable as refusal:
            self.open.discard(name)
            self.refused.append(name)
            self.told.add((refusal.http_status, refusal.error_code, refusal.retry_after_s))
        except asyncio.CancelledError:
            self.open.discard(name)
        else:
            self.let_in.append(name)

    async def end(self, name):
        self.open.discard(name)
        self.gate.let_in()
        await settle()


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_call_that_finds_room_does_not_wait():
    async def play():
        crowd = Crowd(2)
        crowd.come("one", 1)
        crowd.come("two", 1)
        await settle()
        assert (crowd.let_in, crowd.gate.waiting) == (["one", "two"], 0)

    asyncio.run(play())


def test_teams_that_wait_take_turns():
    async def play():
        crowd = Crowd(4)
        for name in "abcd":
            crowd.come(name, 1)
        await settle()
        for name, team in [("a1", 1), ("a2", 1), ("a3", 1), ("b1", 2)]:
            crowd.come(name, team)
        await settle()
        for name in "abcd":
            await crowd.end(name)
        assert crowd.let_in == ["a", "b", "c", "d", "a1", "b1", "a2", "a3"]

    asyncio.run(play())


def test_whom_the_queue_has_no_room_for_is_refused_at_once_and_is_of_the_team_with_the_most():
    async def play():
        crowd = Crowd(2)
        for name, team in [("a", 1), ("b", 1), ("a1", 1), ("a2", 1), ("c1", 3), ("c2", 3)]:
            crowd.come(name, team)
            await settle()
        # Without anybody's ending: it is the last of those with the most who goes, and nobody waits for that.
        assert (crowd.refused, crowd.gate.waiting) == (["a2", "c2"], 2)
        assert crowd.told == {(503, "overloaded", 1.0)}
        await crowd.end("a")
        await crowd.end("b")
        assert crowd.let_in == ["a", "b", "a1", "c1"]

    asyncio.run(play())


def test_nobody_waits_for_longer_than_a_second_in_all(monkeypatch):
    monkeypatch.setattr(gates, "LONGEST_WAIT_S", 0.01)

    async def play():
        crowd = Crowd(1)
        crowd.come("one", 1)
        crowd.come("two", 1)
        await asyncio.wait(crowd.tasks.values())
        assert (crowd.let_in, crowd.refused, crowd.gate.waiting) == (["one"], ["two"], 0)

    asyncio.run(play())


@pytest.mark.parametrize("is_last", [False, True])
def test_whoever_leaves_while_waiting_leaves_no_gap(is_last):
    async def play():
        crowd = Crowd(2)
        for name in ("a", "b", "a1", "a2"):
            crowd.come(name, 1)
        await settle()
        crowd.tasks["a2" if is_last else "a1"].cancel()
        await settle()
        await crowd.end("a")
        assert crowd.let_in == ["a", "b", "a1" if is_last else "a2"]
        assert crowd.gate.waiting == 0

    asyncio.run(play())


@pytest.mark.parametrize("most", [4, 400])
def test_a_refusal_takes_as_many_steps_however_many_wait(most):
    """Counted, since time cannot be: a refusal is to take less than 50 ms."""

    async def steps():
        crowd = Crowd(most)
        for number in range(2 * most):
            crowd.come(number, number % 2)
        await settle()
        with counted_instructions() as count:
            crowd.come("late", 1)
            await settle()
        assert crowd.refused == ["late"] or crowd.refused == [2 * most - 1]
        return count.instructions

    assert asyncio.run(steps()) < 250
