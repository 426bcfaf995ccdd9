"""Worlds in which a story about two processes and their store can be played."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvloop

from gateway.core.store.interface import JobEntry, Store
from gateway.core.store.memory import MemoryStore
from gateway.core.store.redis import RedisStore

# Which no story takes, however busy its machine.
HANG_S = 55.0
# Of the loop, in which a task begins to wait and a message goes from one to the other.
_TURNS = 5
Story = Callable[[Store, Store], Awaitable[None]]
RedisStory = Callable[[RedisStore], Awaitable[None]]


@dataclass
class World:
    """`url` None: two halves of one process share memory, and time passes only in `sleep`. Else: two processes
    share a Redis, whose clock nobody turns."""

    url: str | None
    is_fast_loop: bool = False
    now: float = 0.0

    async def sleep(self, seconds: float) -> None:
        """Let time pass, and whoever waits for the loop have his turns."""
        if self.url is not None:
            await asyncio.sleep(seconds)
            return
        self.now += seconds
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    def wall(self) -> float:
        """In Unix seconds, as the stores of this world have it."""
        return self.now if self.url is None else time.time()

    def play(self, story: Story) -> None:
        async def open_both() -> None:
            async with self._open("web") as web:
                if self.url is None:
                    await story(web, web)
                    return
                async with self._open("worker") as worker:
                    await story(web, worker)

        run(open_both, is_fast_loop=self.is_fast_loop)

    @asynccontextmanager
    async def _open(self, process_id: str) -> AsyncIterator[Store]:
        store: Store = (
            RedisStore(self.url, process_id)
            if self.url
            else MemoryStore(clock=lambda: self.now, wall=lambda: self.now)
        )
        await store.open()
        try:
            yield store
        finally:
            await store.close()


def play_redis(story: RedisStory, url: str, *, lease_s: float = 60.0) -> None:
    """One process and its Redis, for stories in which the latter comes to harm."""

    async def open_one() -> None:
        store = RedisStore(url, "web", lease_s=lease_s)
        await store.open()
        try:
            await story(store)
        finally:
            await store.close()

    run(open_one)


def run(main: Callable[[], Awaitable[None]], *, is_fast_loop: bool = False) -> None:
    """On a loop of its own; what the loop would only have logged fails the test."""
    complaints: list[dict[str, Any]] = []

    async def listen() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        await main()
        gc.collect()
        await asyncio.sleep(0)

    # What was there before is not looked through again: it is large, and no concern of the story.
    gc.freeze()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if is_fast_loop else None) as runner:
        runner.run(asyncio.wait_for(listen(), HANG_S))
    gc.unfreeze()
    assert complaints == []


async def until(is_true: Callable[[], object]) -> None:
    """Wait for it, until the whole test is called a hang."""
    while not is_true():
        await asyncio.sleep(0.01)


def answered_at_once(work: Coroutine[Any, Any, Any]) -> Any:
    """Its result, which it has without ever waiting."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    work.close()
    raise AssertionError("It waited.")


def send(store: Store, call_id: str, body: bytes = b"{}") -> None:
    store.send_job(call_id, "in:web", 1.5, body)


async def hand_over(web: Store, worker: Store, call_id: str) -> JobEntry:
    """Send a job and read it."""
    send(web, call_id)
    (entry,) = await worker.read_jobs("w1")
    return entry
