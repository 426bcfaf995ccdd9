"""The store of a single process: the embedded default, and what admits calls while Redis is away."""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from gateway.core.store.budgets import MemoryBudgets
from gateway.core.store.interface import (
    Ask,
    Balance,
    JobEntry,
    Limit,
    Standing,
    TakeBack,
    Tokens,
    Verdict,
)
from gateway.core.store.limits import MemoryLimits
from gateway.core.store.shelves import MemoryShelves
from gateway.core.store.tries import Patience, Tries

_JOBS_KEPT = 10_000
_UNOWNED_KEPT_S = 900.0


def admit_here(ask: Ask, limits: MemoryLimits, budgets: MemoryBudgets) -> Verdict:
    """All or nothing, as this process alone knows it."""
    verdict = limits.look(ask)
    holds: list[int] = []
    if verdict.is_admitted and ask.budgets:
        refusal, holds = budgets.look(ask)
        verdict = refusal or verdict
    if verdict.is_admitted:
        limits.take(ask, verdict.candidate)
        if ask.budgets:
            budgets.take(ask.call_id, [budget.subject for budget in ask.budgets], holds)
    verdict.standings = limits.standings(ask.limits)
    return verdict


class MemorySubscription:
    """Messages are handed over one turn of the loop later, as they would be from a socket."""

    def __init__(
        self,
        since: float,
        receive: Callable[[str, bytes], None],
        forget: Callable[["MemorySubscription"], None],
    ) -> None:
        self.is_up_since: float | None = since
        self._receive = receive
        self._forget = forget

    def deliver(self, channel: str, message: bytes) -> None:
        if self.is_up_since is not None:
            self._receive(channel, message)

    async def close(self) -> None:
        self.is_up_since = None
        self._forget(self)


class MemoryStore:
    """Everything in this process. `clock` is monotonic, `wall` in Unix seconds."""

    is_shared = False
    is_up = True
    is_connected = True
    unsent_bytes = 0

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time
    ) -> None:
        self.epoch: str | None = secrets.token_hex(8)
        self._clock = clock
        self._wall = wall
        self._limits = MemoryLimits(clock)
        self._budgets = MemoryBudgets(clock)
        # Asked for every call: no step in between.
        self.settle, self.raise_hold = self._budgets.settle, self._budgets.raise_hold
        self.release_holds = self._budgets.release_holds
        self._tries = Tries(clock=clock)
        shelves = MemoryShelves(clock)
        self.claim, self.keep, self.read_shelf = shelves.claim, shelves.keep, shelves.read_shelf
        self._jobs: deque[JobEntry] = deque(maxlen=_JOBS_KEPT)
        self._arrived = asyncio.Event()
        self._unowned: dict[str, float] = {}
        self._subscriptions: dict[str, list[MemorySubscription]] = {}

    @property
    def holds_open(self) -> int:
        return len(self._budgets.holding)

    async def open(self) -> None:
        """Nothing to connect."""

    async def close(self) -> None:
        """Nothing to write."""

    async def admit(self, ask: Ask) -> Verdict:
        return admit_here(ask, self._limits, self._budgets)

    async def standings(self, limits: Sequence[Limit]) -> Sequence[Standing]:
        return self._limits.standings(limits)

    def correct(
        self,
        limits: Sequence[Limit],
        reserved: Tokens,
        actual: Tokens,
        reserved_at: float,
        *,
        waits: bool = False,  # noqa: ARG002  (here it costs nothing)
    ) -> None:
        self._limits.correct(limits, reserved, actual, self._wall() - reserved_at)

    def release(self, call_id: str, *, leaves_holds: bool = False) -> None:
        self._limits.release(call_id)
        self._budgets.release(call_id, leaves_holds=leaves_holds)

    async def install(
        self, subject: str, version: int, windows: Mapping[str, int], marks: Mapping[str, int]
    ) -> None:
        self._budgets.install(subject, version, windows, marks)

    def recorded(self, process: str, seq: int) -> None:
        """What is settled here is lost only together with this process."""

    async def balance(self, subject: str) -> Balance:
        return self._budgets.balance(subject)

    async def take_try(self, subject: str, patience: Patience) -> float:
        return self._tries.take(subject, patience)

    async def forgive(self, subject: str) -> None:
        self._tries.forgive(subject)

    def send_job(self, call_id: str, inbox: str, start_within_s: float, body: bytes) -> None:
        self._forget_unowned()
        now = self._unowned[call_id] = self._clock()
        start_by = now + start_within_s
        self._jobs.append(JobEntry(call_id, call_id, inbox, start_by, body, self.epoch or ""))
        self._arrived.set()

    async def read_jobs(
        self,
        worker: str,  # noqa: ARG002 - in one process any worker may have any job
        *,
        count: int = 64,
        block_s: float = 2.0,
    ) -> list[JobEntry]:
        try:
            async with asyncio.timeout(block_s):
                while not self._jobs:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            return []
        return [self._jobs.popleft() for _ in range(min(count, len(self._jobs)))]

    async def start_job(self, entry: JobEntry, worker: str, frame: bytes) -> bool:  # noqa: ARG002
        if self._clock() > entry.start_by or self._unowned.pop(entry.call_id, None) is None:
            return False
        self.publish(entry.inbox, frame)
        return True

    def drop_job(self, entry: JobEntry) -> None:
        """The entry left the queue when it was read."""

    async def take_back(self, call_id: str, epoch: str | None) -> TakeBack:
        if epoch != self.epoch:
            return TakeBack.LOST
        if self._unowned.pop(call_id, None) is None:
            return TakeBack.STARTED
        self._jobs = deque((job for job in self._jobs if job.call_id != call_id), maxlen=_JOBS_KEPT)
        return TakeBack.OURS

    def publish(self, channel: str, message: bytes) -> None:
        for subscription in self._subscriptions.get(channel, ()):
            asyncio.get_running_loop().call_soon(subscription.deliver, channel, message)

    async def subscribe(
        self, channels: Sequence[str], receive: Callable[[str, bytes], None]
    ) -> MemorySubscription:
        subscription = MemorySubscription(self._clock(), receive, self._unsubscribe)
        for channel in channels:
            self._subscriptions.setdefault(channel, []).append(subscription)
        return subscription

    def _unsubscribe(self, subscription: MemorySubscription) -> None:
        for channel, subscriptions in list(self._subscriptions.items()):
            left = [other for other in subscriptions if other is not subscription]
            self._subscriptions[channel] = left
            if not left:
                del self._subscriptions[channel]

    def _forget_unowned(self) -> None:
        """Calls whose web process never asked for them back."""
        horizon = self._clock() - _UNOWNED_KEPT_S
        while self._unowned and (oldest := next(iter(self._unowned))) and self._unowned[oldest] < horizon:
            del self._unowned[oldest]
