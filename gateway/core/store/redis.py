"""The store that processes share: limits, jobs and channels in Redis."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from gateway.core.store.address import PREFIX, parse_address
from gateway.core.store.connection import Connection
from gateway.core.store.interface import Balance, JobEntry, StoreUnavailable, TakeBack
from gateway.core.store.redis_budgets import RedisBudgets
from gateway.core.store.redis_inbox import Inbox
from gateway.core.store.redis_jobs import RedisJobs
from gateway.core.store.redis_limits import RedisLimits
from gateway.core.store.redis_turn import Turn
from gateway.core.store.shelves import RedisShelves
from gateway.core.store.tries import Patience

LEASE_S = 60.0
_OPEN_WITHIN_S = 1.0
_PROBE_EVERY_S = 1.0
_SWEEP_EVERY_S = 20.0


class RedisStore:
    """`process_id` must be unlike that of any other process, living or dead. Needs Redis 6.2 or later."""

    is_shared = True

    def __init__(self, url: str, process_id: str, *, lease_s: float = LEASE_S) -> None:
        self._address = parse_address(url)
        self._commands = Connection(self._address, self._prepare)
        self._jobs = RedisJobs(self._address, self._commands, process_id)
        self._turn = Turn(self._commands, self._note_loss)
        self._budgets = budgets = RedisBudgets(self._commands, self._turn, process_id, lease_s=lease_s)
        self._limits = limits = RedisLimits(self._commands, self._turn, budgets, lease_s=lease_s)
        # Asked for every call: no step in between.
        self.admit, self.release, self.correct = limits.admit, limits.release, limits.correct
        self.standings = limits.standings
        self.settle, self.raise_hold = budgets.settle, budgets.raise_hold
        self.release_holds = budgets.release_holds
        shelves = RedisShelves(self._commands, process_id)
        self.claim, self.keep, self.read_shelf = shelves.claim, shelves.keep, shelves.read_shelf
        self._renew_every_s = lease_s / 3
        self._known: tuple[str | None, int] | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        return self._commands.accepts_writes

    @property
    def is_connected(self) -> bool:
        return self._commands.is_up

    @property
    def epoch(self) -> str | None:
        return self._jobs.epoch

    @property
    def unsent_bytes(self) -> int:
        return self._commands.unsent_bytes

    @property
    def holds_open(self) -> int:
        return len(self._budgets.mine.holding)

    async def open(self) -> None:
        """Wait a moment for Redis; a gateway starts without it too."""
        self._commands.open()
        self._keeper = asyncio.create_task(self._look_after(), name="keeper of the store")
        with suppress(StoreUnavailable):
            await self._commands.wait_until_up(_OPEN_WITHIN_S)

    async def close(self) -> None:
        if self._keeper:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        self._limits.release_all()
        self._budgets.release_all()
        await self._jobs.close()
        await self._commands.close()

    async def _prepare(self, connection: Connection) -> None:
        await self._jobs.prepare(connection)

    def _note_loss(self) -> None:
        self._budgets.is_behind = True

    async def _look_after(self) -> None:
        renewed_at = swept_at = time.monotonic()
        while True:
            await asyncio.sleep(min(_PROBE_EVERY_S, self._renew_every_s))
            now = time.monotonic()
            if not self._commands.accepts_writes:
                self._budgets.is_behind = True
            with suppress(StoreUnavailable):
                await self._jobs.probe()
                await self._heal()
                # In one turn with what was settled, and after it: money is never in neither.
                self._turn.pay_debts()
                self._turn.finish()
                await self._budgets.join()
                self._budgets.forget_elsewhere()
                if now - renewed_at >= self._renew_every_s:
                    renewed_at = now
                    self._limits.renew()
                    self._budgets.renew()
                if self._jobs.has_read and now - swept_at >= _SWEEP_EVERY_S:
                    swept_at = now
                    await self._jobs.sweep()

    async def _heal(self) -> None:
        """Tell Redis again what it may have lost, or not have heard. Raises StoreUnavailable."""
        known = (self.epoch, self._commands.losses)
        if not self._commands.accepts_writes or (known == self._known and not self._budgets.is_behind):
            return
        await self._jobs.load_scripts()
        self._limits.renew()
        self._budgets.tell_again()
        self._known = known

    async def take_try(self, subject: str, patience: Patience) -> float:
        return await self._limits.take_try(subject, patience)

    async def forgive(self, subject: str) -> None:
        await self._limits.forgive(subject)

    async def install(
        self, subject: str, version: int, windows: Mapping[str, int], marks: Mapping[str, int]
    ) -> None:
        await self._budgets.install(subject, version, windows, marks)

    def recorded(self, process: str, seq: int) -> None:
        self._budgets.recorded(process, seq)

    async def balance(self, subject: str) -> Balance:
        return await self._budgets.balance(subject)

    def send_job(self, call_id: str, inbox: str, start_within_s: float, body: bytes) -> None:
        self._jobs.send(call_id, inbox, start_within_s, body)

    async def read_jobs(self, worker: str, *, count: int = 64, block_s: float = 2.0) -> list[JobEntry]:
        return await self._jobs.read(worker, count=count, block_s=block_s)

    async def start_job(self, entry: JobEntry, worker: str, frame: bytes) -> bool:
        return await self._jobs.start(entry, worker, frame)

    def drop_job(self, entry: JobEntry) -> None:
        self._jobs.drop(entry)

    async def take_back(self, call_id: str, epoch: str | None) -> TakeBack:
        return await self._jobs.take_back(call_id, epoch)

    def publish(self, channel: str, message: bytes) -> None:
        self._commands.send_muted("PUBLISH", PREFIX + channel, message)

    async def subscribe(self, channels: Sequence[str], receive: Callable[[str, bytes], None]) -> Inbox:
        inbox = Inbox(self._address, channels, receive)
        await inbox.open()
        return inbox
