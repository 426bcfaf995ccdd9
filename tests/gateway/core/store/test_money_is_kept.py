"""Whatever happens in whatever order: what is spent is what was settled, and nothing is held that no call holds."""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis

from gateway.core.store.interface import Ask, Charge, Store, WindowLimit
from gateway.core.store.memory import MemoryStore
from gateway.core.store.redis import RedisStore
from tests.gateway.core.store.money import QUARTER, budget, window
from tests.gateway.core.store.worlds import World

STEPS = 150
SUBJECTS = ("key:1", "team:1")
LARGE = 10**15 + 1
WINDOWS = (
    window(4 * LARGE, "day:1", QUARTER + 900),
    window(7 * LARGE, "month:1"),
    window(20 * LARGE, "lifetime:0", 0),
)
Entry = tuple[str, int]


@dataclass
class Sql:
    """What is recorded, in the order of each process; `versions` are its states by number."""

    settled: dict[Entry, list[Charge]] = field(default_factory=dict)
    versions: dict[int, frozenset[Entry]] = field(default_factory=lambda: {1: frozenset()})
    latest: int = 1
    lost_at: int = 1
    """The latest version when the store lost its data: earlier ones are read by nobody any more."""

    def record(self, process: str, count: int) -> int:
        """Take over the process' next ones; the last seq that is recorded."""
        known = self.versions[self.latest]
        new = sorted(entry for entry in self.settled if entry[0] == process and entry not in known)[:count]
        self.latest += 1
        self.versions[self.latest] = known | set(new)
        return self.marks(self.latest).get(process, 0)

    def marks(self, version: int) -> dict[str, int]:
        marks = {"web": 0, "worker": 0}
        for process, seq in self.versions[version]:
            marks[process] = max(marks[process], seq)
        return marks

    def spent(self, subject: str, starts_at: int, entries: frozenset[Entry]) -> int:
        charges = [charge for entry in entries for charge in self.settled[entry]]
        return sum(
            charge.amount for charge in charges if charge.subject == subject and charge.quarter >= starts_at
        )


class Life:
    """Calls of two processes, and all that can happen to them. Each step is one thing that happens."""

    def __init__(self, dice: random.Random, stores: dict[str, Store], url: str | None) -> None:
        self.dice, self.stores = dice, stores
        self.redis = redis.Redis.from_url(url) if url else None
        self.sql = Sql()
        self.told: set[Entry] = set()
        self.calls: list[str] = []
        self.steps: list[Callable[[], Awaitable[None]]] = [
            *([self.admit] * 4),
            *([self.end] * 3),
            *([self.tell] * 3),
            self.tell_again,
            *([self.record] * 2),
            *([self.install] * 3),
            self.release,
            self.raise_hold,
            *([self.expire, self.lose] if url else []),
        ]

    def store(self) -> Store:
        return self.stores[self.dice.choice(list(self.stores))]

    async def step(self) -> None:
        await self.dice.choice(self.steps)()
        await self.check()

    async def admit(self) -> None:
        asked = [
            budget(self.dice.choice([0, 3, 500, LARGE]), *self.some(WINDOWS), subject=each)
            for each in self.some(SUBJECTS)
        ]
        call_id = f"c{len(self.calls)}"
        verdict = await self.store().admit(Ask(call_id, budgets=asked))
        if verdict.is_admitted:
            self.calls.append(call_id)
            return
        assert not any(f"a:{call_id}" in self.raw_held(subject) for subject in SUBJECTS)
        if verdict.reason == "unknown":
            assert verdict.budget
            await self.install_at(self.sql.latest, verdict.budget[0], WINDOWS)

    async def end(self) -> None:
        """An attempt has its number in the spool of its process; who has to know is told later."""
        process = self.dice.choice(["web", "worker"])
        seq = 1 + sum(entry[0] == process for entry in self.sql.settled)
        quarter = QUARTER + 900 * self.dice.randint(0, 2)
        self.sql.settled[process, seq] = [
            Charge(each, quarter, self.dice.choice([1, 30, 7000, LARGE])) for each in self.some(SUBJECTS)
        ]

    async def tell(self) -> None:
        if late := [entry for entry in self.sql.settled if entry not in self.told]:
            self.settle(self.dice.choice(late))

    async def tell_again(self) -> None:
        if self.told:
            self.settle(self.dice.choice(sorted(self.told)))

    def settle(self, entry: Entry) -> None:
        self.told.add(entry)
        self.stores[entry[0]].settle(self.a_call(), self.sql.settled[entry], *entry)

    async def record(self) -> None:
        process = self.dice.choice(["web", "worker"])
        self.stores[process].recorded(process, self.sql.record(process, self.dice.randint(1, 4)))

    async def install(self) -> None:
        """Mostly what SQL has now, sometimes what it had when somebody began to read it."""
        earlier = self.dice.randint(self.sql.lost_at, self.sql.latest)
        version = self.dice.choice([self.sql.latest, self.sql.latest, earlier])
        await self.install_at(version, self.dice.choice(SUBJECTS), self.some(WINDOWS))

    async def install_at(self, version: int, subject: str, of: Sequence[WindowLimit]) -> None:
        entries = self.sql.versions[version]
        windows = {each.window: self.sql.spent(subject, each.starts_at, entries) for each in of}
        await self.store().install(subject, version, windows, self.sql.marks(version))

    async def release(self) -> None:
        self.store().release_holds(self.a_call(), SUBJECTS)

    async def raise_hold(self) -> None:
        self.store().raise_hold(self.a_call(), self.some(SUBJECTS), self.dice.choice([2, 600, 2 * LARGE]))

    async def expire(self) -> None:
        call_id, subject = self.a_call(), self.dice.choice(SUBJECTS)
        if self.redis and self.redis.hexists(_held(subject), f"x:{call_id}"):
            self.redis.hset(_held(subject), f"x:{call_id}", 1)

    async def lose(self) -> None:
        assert self.redis
        self.redis.flushall()
        self.sql.lost_at = self.sql.latest
        for store in self.stores.values():
            assert isinstance(store, RedisStore)
            await store._jobs.probe()
            await store._heal()

    async def check(self) -> None:
        for store in self.stores.values():
            for subject in SUBJECTS:
                # Asked of each, since what it was told before is done by then.
                balance = await store.balance(subject)
        for subject in SUBJECTS:
            balance = await store.balance(subject)
            held = self.raw_held(subject)
            total = held.pop("*", 0)
            assert total == sum(held.values()) == balance.held
            assert all(amount > 0 for amount in held.values())
            if balance.version is None:
                continue
            known = self.sql.versions[balance.version] | self.told
            for each in WINDOWS:
                expected = self.sql.spent(subject, each.starts_at, known)
                assert balance.spent(each) in {None, expected}

    def raw_held(self, subject: str) -> dict[str, int]:
        if self.redis:
            fields: dict[bytes, bytes] = self.redis.hgetall(_held(subject))
            return {name.decode(): int(amount) for name, amount in fields.items() if name[:2] != b"x:"}
        store = self.stores["web"]
        assert isinstance(store, MemoryStore)
        account = store._budgets._accounts[subject]
        return {"*": account.held, **{f"a:{call}": amount for call, amount in account.holds.items()}}

    def a_call(self) -> str:
        return self.dice.choice(self.calls[-8:]) if self.calls else ""

    def some(self, of: Any) -> list[Any]:
        return self.dice.sample(of, self.dice.randint(1, len(of)))


def _held(subject: str) -> str:
    return f"gw:{{admission}}:held:{subject}"


@pytest.mark.parametrize("seed", range(8))
def test_any_order_of_events_leaves_spent_as_what_was_settled(world: World, seed: int) -> None:
    async def story(web: Store, worker: Store) -> None:
        life = Life(random.Random(seed), {"web": web, "worker": worker}, world.url)
        for _ in range(STEPS):
            await life.step()
        assert life.calls
        for call_id in life.calls:
            for store in (web, worker):
                store.release_holds(call_id, SUBJECTS)
        await life.check()
        for subject in SUBJECTS:
            assert not any(life.raw_held(subject).values())
        if life.redis:
            life.redis.close()

    world.play(story)
