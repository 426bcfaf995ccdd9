"""What one process sees of an offering all know a moment later, and who starts later; nothing counts twice."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from accounts.attempts import AttemptClosed, AttemptOpened, AttemptRecord, AttemptSample
from catalogue.published.snapshot import EMPTY, Snapshot
from gateway.core.store.interface import Store
from gateway.core.store.memory import MemoryStore
from gateway.core.store.redis import RedisStore
from gateway.proxy.health import HealthEvents, HealthObserver
from gateway.proxy.health_sharing import HealthSharing
from providers.breaker import FAILURES_TO_OPEN, FIRST_PAUSE_S
from providers.facts import Way
from providers.health import HealthTable
from providers.wire.failure import FailureKind
from tests.gateway.core.store.worlds import until
from tests.services import RedisServer, running_redis

WAY = 7


@dataclass
class OneSnapshot:
    current: Snapshot = EMPTY


@dataclass
class Process:
    """What a web or worker process has of health."""

    name: str
    store: Store
    table: HealthTable = field(default_factory=HealthTable)

    def __post_init__(self) -> None:
        self.events = HealthEvents()
        self.observer = HealthObserver(self.table)
        self.snapshots = OneSnapshot()
        self.sharing = HealthSharing(self.observer, self.store, self.name, self.snapshots, self.events)

    def see(
        self, failure: FailureKind | None = None, *, way: Way = WAY, times: int = 1, code: str = ""
    ) -> None:
        for _ in range(times):
            self.observer.attempt_closed(attempt(way, failure, code))

    def calls(self) -> int:
        return self.table.tally(WAY, time.monotonic(), 300).calls

    async def finds_out(self) -> bool:
        """Whether a call that comes now is the one that tries it."""
        if self.table.may_claim(WAY, time.monotonic()):
            await self.sharing.claim(WAY)
        return self.table.admits(WAY, time.monotonic())

    def state(self) -> str:
        return self.table.status(WAY, time.monotonic()).state


def attempt(way: Way, failure: FailureKind | None, code: str = "") -> AttemptRecord:
    opened = AttemptOpened(
        "a",
        "c",
        "r",
        1,
        "direct",
        "chat.completions",
        1,
        1,
        "m",
        "m",
        "p",
        "u",
        is_streamed=True,
        started_at=0.0,
        prices=[],
    )
    outcome = "failed" if failure else "finished"
    closed = AttemptClosed(
        "a", 1.0, outcome, "0", "0", error_code=code, latency_ms=1100.0, first_token_ms=100.0
    )
    closed.usage = {"output_tokens": 50}
    return AttemptRecord(opened, closed, AttemptSample(way, 10.0, failure and failure.value))


@asynccontextmanager
async def running(name: str, url: str) -> AsyncIterator[Process]:
    process = Process(name, RedisStore(url, name))
    await process.store.open()
    await process.sharing.open()
    try:
        yield process
    finally:
        await process.sharing.close()
        await process.store.close()


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


def play(story: Callable[..., Awaitable[None]], server: RedisServer, *names: str) -> None:
    async def run(open_ones: list[Process]) -> None:
        if len(open_ones) == len(names):
            return await story(*open_ones)
        async with running(names[len(open_ones)], server.url) as process:
            return await run([*open_ones, process])

    asyncio.run(run([]))


def test_each_call_counts_once_in_every_process(server: RedisServer) -> None:
    async def story(first: Process, second: Process, third: Process) -> None:
        first.see(times=3)
        second.see(FailureKind.TIMEOUT, times=2)
        third.see(FailureKind.UNAVAILABLE, code="provider_unreachable")
        third.see(FailureKind.CALLER)
        third.see(FailureKind.UNSUPPORTED)
        for process in (first, second, third):
            await until(lambda process=process: process.calls() >= 6)
        await asyncio.sleep(0.6)
        for process in (first, second, third):
            tally = process.table.tally(WAY, time.monotonic(), 300)
            assert (tally.served, tally.failed, tally.unreached) == (3, {"timeout": 2, "unavailable": 1}, 1)

    play(story, server, "first", "second", "third")


def test_failures_that_no_process_saw_enough_of_open_the_breaker_in_all(server: RedisServer) -> None:
    async def story(*processes: Process) -> None:
        for process in processes:
            process.see(FailureKind.TIMEOUT, times=2)
        for process in processes:
            await until(lambda process=process: process.state() == "open")

    play(story, server, "first", "second", "third")


def test_a_breaker_that_one_process_opens_is_open_in_all_and_told_of_once(server: RedisServer) -> None:
    async def story(first: Process, second: Process) -> None:
        first.see(FailureKind.AUTH)
        await until(lambda: second.state() == "open")
        status = second.table.status(WAY, time.monotonic())
        assert (status.is_open, status.cause) == (True, "credential")
        await asyncio.sleep(0.6)
        assert [event.state for event in first.events.give()] == ["open"]
        assert second.events.give() == []

    play(story, server, "first", "second")


def test_whoever_starts_later_knows_what_the_others_do(server: RedisServer) -> None:
    async def story(first: Process) -> None:
        first.see(times=20)
        first.see(FailureKind.AUTH, way="8:3")
        first.sharing._shelved_at = 0.0
        await first.sharing.tick(time.monotonic())
        async with running("late", server.url) as late:
            now = time.monotonic()
            assert late.calls() == 20
            assert late.table.status("8:3", now).cause == "credential"
            status = late.table.status(WAY, now)
            assert status.first_token_ms == pytest.approx(100, rel=0.06)
            assert status.tokens_per_s == pytest.approx(50, rel=0.06)
            assert status.latency_ms == pytest.approx(10)
            first.see(times=5)
            await until(lambda: late.calls() == 25)

    play(story, server, "first")


def test_one_call_finds_out_over_all_processes(server: RedisServer) -> None:
    async def story(*processes: Process) -> None:
        processes[0].see(FailureKind.AUTH)
        for process in processes:
            await until(lambda process=process: process.state() == "open")
        for process in processes:
            process.table.broken[WAY].open_until = time.monotonic()
        let_through = [process for process in processes if await process.finds_out()]
        for _ in range(12):
            await asyncio.sleep(0.1)
            let_through += [process for process in processes if await process.finds_out()]
        winner = let_through[0]
        assert let_through == [winner]
        assert [event.state for event in winner.events.give()][-1] == "half_open"
        winner.see()
        for process in processes:
            await until(lambda process=process: process.state() == "closed")

    play(story, server, "first", "second", "third")


def test_with_the_store_away_each_goes_by_itself_and_they_meet_again(server: RedisServer) -> None:
    async def story(first: Process, second: Process) -> None:
        server.kill()
        await until(lambda: not first.store.is_connected and not second.store.is_connected)
        first.see(FailureKind.TIMEOUT, times=FAILURES_TO_OPEN)
        await asyncio.sleep(0.6)
        assert (first.state(), second.state()) == ("open", "closed")
        first.table.broken[WAY].open_until = time.monotonic()
        # Nobody can be asked for a lease: it lets its own call through.
        assert await first.finds_out()
        first.see(FailureKind.TIMEOUT)
        assert first.state() == "open"
        server.start()
        await until(lambda: second.state() == "open")
        second.see(way=9)
        await until(lambda: 9 in set(first.table.ways()))

    play(story, server, "first", "second")


@pytest.mark.parametrize(
    "message",
    [b"", b"nonsense", b"[]", b'{"v":1}', b'{"v":1,"process":"x","breakers":[[1]],"tallies":{}}', b'{"v":9}'],
)
def test_what_cannot_be_read_changes_nothing(server: RedisServer, message: bytes) -> None:
    async def story(first: Process, second: Process) -> None:
        first.store.publish("health", message)
        first.see()
        await until(lambda: second.calls() == 1)

    play(story, server, "first", "second")


def test_embedded_nobody_is_told_and_staff_are_obeyed() -> None:
    async def run() -> None:
        process = Process("only", MemoryStore())
        await process.sharing.open()
        process.see(FailureKind.AUTH)
        await process.sharing.tick(time.monotonic())
        assert process.state() == "open"
        process.snapshots.current = Snapshot.of([], {}, revision=1)
        process.snapshots.current.holds[WAY] = "closed"  # type: ignore[index]
        await process.sharing.tick(time.monotonic())
        assert process.state() == "closed"
        process.see(FailureKind.AUTH)
        assert process.state() == "closed"
        process.snapshots.current = Snapshot.of([], {}, revision=2)
        await process.sharing.tick(time.monotonic())
        process.see(FailureKind.AUTH)
        assert process.state() == "open"
        process.table.broken[WAY].open_until = time.monotonic()
        assert process.table.admits(WAY, time.monotonic() + FIRST_PAUSE_S)
        await process.sharing.close()
        assert [event.state for event in process.events.give()] == ["open", "open", "half_open"]

    asyncio.run(run())
