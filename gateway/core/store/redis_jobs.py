"""The worker lane's jobs in a Redis stream, and who owns each call."""

import asyncio
import itertools
import secrets
from collections.abc import Sequence
from functools import partial
from typing import Any

from gateway.core.store.address import PREFIX, Address
from gateway.core.store.connection import Argument, Connection, Refused
from gateway.core.store.interface import JobEntry, StoreUnavailable, TakeBack
from gateway.core.store.script import Script
from gateway.core.store.scripts import ALL, PROBE, SEND, START, SWEEP, TAKE_BACK

_JOBS = PREFIX + "jobs"
_EPOCH = PREFIX + "epoch"
_GROUP = "lane"
_JOBS_KEPT = 10_000
# At least the longest that a call may take.
_OWNER_KEPT_MS = 900_000
_JOB_DEAD_AFTER_MS = 60_000
_READER_DEAD_AFTER_MS = 300_000
_BACK_WITHIN_S = 1.0
_REMEMBERED = 4096
# In one read, in a store that loses its data all the time.
_GROUPS_MADE = 5

_Job = tuple[str, str, int, bytes, int]
"""The arguments of SEND; the call's id is the first."""


class RedisJobs:
    """Jobs are sent, started and taken back on the connection for commands, and read on one of their own."""

    def __init__(self, address: Address, commands: Connection, process_id: str) -> None:
        self.epoch: str | None = None
        self._address = address
        self._commands = commands
        self._reader: Connection | None = None
        nonce = f"{process_id}:{secrets.token_hex(6)}"
        self._tokens = (f"{nonce}:{number}" for number in itertools.count())
        self._sent: dict[str, bytes] = {}
        self._unsent: dict[str, bytes] = {}

    @property
    def has_read(self) -> bool:
        return self._reader is not None

    async def close(self) -> None:
        if self._reader:
            # Nothing on it is worth waiting for: jobs that it may still bring are taken back.
            self._reader.cut()
            await self._reader.close()

    async def prepare(self, connection: Connection) -> None:
        """Make a new connection for commands ready: load the scripts, learn the epoch."""
        await asyncio.gather(*(connection.call_early("SCRIPT", "LOAD", script.source) for script in ALL))
        self._learn(await connection.call_early("EVALSHA", PROBE.sha, 1, _EPOCH, next(self._tokens)))

    async def load_scripts(self) -> None:
        """Raises StoreUnavailable."""
        await asyncio.gather(*(self._commands.call("SCRIPT", "LOAD", script.source) for script in ALL))

    async def probe(self) -> None:
        """Learn whether data was lost, and whether Redis takes writes. Raises StoreUnavailable."""
        self._learn(await self._commands.run(PROBE, [_EPOCH], [next(self._tokens)]))
        if self._commands.refusal == "READONLY":
            # After a failover the master may be found under the same name.
            self._commands.cut()

    def _learn(self, probed: list[bytes]) -> None:
        epoch, refusal = probed
        self.epoch = epoch.decode() or None
        self._commands.hear_refusal(refusal.decode().lstrip("-").partition(" ")[0])

    async def sweep(self) -> None:
        """Delete jobs that nobody may start any more, and readers that are gone. Raises StoreUnavailable."""
        await self._commands.run(SWEEP, [_JOBS], [_GROUP, _JOB_DEAD_AFTER_MS, _READER_DEAD_AFTER_MS])

    def send(self, call_id: str, inbox: str, start_within_s: float, body: bytes) -> None:
        if not self._commands.accepts_writes:
            _remember(self._unsent, call_id, b"")
            return
        self._send((call_id, inbox, round(start_within_s * 1000), body, _JOBS_KEPT))

    def _send(self, job: _Job, *, is_told_again: bool = False) -> None:
        reply = self._commands.call("EVALSHA", SEND.sha, 2, _JOBS, _EPOCH, *job)
        reply.add_done_callback(partial(self._note_sent, job, is_told_again))

    def _note_sent(self, job: _Job, is_told_again: bool, reply: asyncio.Future[Any]) -> None:
        call_id, error = job[0], reply.exception()
        if isinstance(error, Refused):
            if error.code == "NOSCRIPT" and not is_told_again:
                # In this order on one connection. Else it would wait in vain for a worker.
                self._commands.send("SCRIPT", "LOAD", SEND.source)
                return self._send(job, is_told_again=True)
            # Proof that no worker has it.
            _remember(self._unsent, call_id, b"")
        elif error is None:
            entry_id, epoch = reply.result()
            _remember(self._sent, call_id, entry_id)
            self.epoch = epoch.decode()
        return None

    async def read(self, worker: str, *, count: int, block_s: float) -> list[JobEntry]:
        reader = self._reader or self._open_reader()
        await reader.wait_until_up(block_s)
        # A block of 0 would be for ever.
        block = ("COUNT", count, "BLOCK", max(1, round(block_s * 1000)))
        command = ("XREADGROUP", "GROUP", _GROUP, worker, *block, "STREAMS", _JOBS, ">")
        try:
            reply = await _read_group(reader, command, within_s=block_s + 1)
        except asyncio.CancelledError:
            # Else Redis would go on to give jobs to a reader that has left.
            reader.cut()
            raise
        return [_entry(*item) for _, items in reply or () for item in items]

    def _open_reader(self) -> Connection:
        self._reader = Connection(self._address, _prepare_reader)
        self._reader.open()
        return self._reader

    async def start(self, entry: JobEntry, worker: str, frame: bytes) -> bool:
        token = f"{worker}:{next(self._tokens)}"
        owner: list[Argument] = [entry.epoch, token, _OWNER_KEPT_MS]
        place = [_GROUP, entry.entry_id, PREFIX + entry.inbox]
        arguments = [*owner, *place, frame, round(entry.start_by * 1000)]
        return bool(await self._run_twice(START, entry.call_id, arguments))

    def drop(self, entry: JobEntry) -> None:
        self._commands.send("XACK", _JOBS, _GROUP, entry.entry_id)
        self._commands.send("XDEL", _JOBS, entry.entry_id)

    async def take_back(self, call_id: str, epoch: str | None) -> TakeBack:
        if self._unsent.pop(call_id, None) is not None:
            return TakeBack.OURS
        owner: list[Argument] = [epoch or "", next(self._tokens), _OWNER_KEPT_MS]
        arguments = [*owner, _GROUP, self._sent.pop(call_id, b"")]
        reply: bytes = await self._run_twice(TAKE_BACK, call_id, arguments)
        return TakeBack(reply.decode())

    async def _run_twice(self, script: Script, call_id: str, arguments: Sequence[Argument]) -> Any:
        """Ask again where the answer was lost: the token among the arguments makes that harmless."""
        keys = [f"{PREFIX}own:{call_id}", _EPOCH, _JOBS]
        try:
            return await self._commands.run(script, keys, arguments)
        except Refused:
            raise
        except StoreUnavailable:
            await self._commands.wait_until_up(_BACK_WITHIN_S)
        return await self._commands.run(script, keys, arguments)


async def _prepare_reader(connection: Connection) -> None:
    """Nothing: a missing group shows when it is read."""


async def _read_group(reader: Connection, command: Sequence[Argument], *, within_s: float) -> Any:
    for _ in range(_GROUPS_MADE):
        try:
            return await reader.call(*command, within_s=within_s)
        except Refused as refusal:
            # The data was lost while nobody read, or while we were waiting.
            if refusal.code not in {"NOGROUP", "UNBLOCKED"}:
                raise
        await _make_group(reader)
    return None


async def _make_group(reader: Connection) -> None:
    """From the beginning of the stream: jobs that came before the group are not lost."""
    try:
        await reader.call("XGROUP", "CREATE", _JOBS, _GROUP, "0", "MKSTREAM")
    except Refused as refusal:
        if refusal.code != "BUSYGROUP":
            raise


def _entry(entry_id: bytes, flat: list[bytes]) -> JobEntry:
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    return JobEntry(
        entry_id=entry_id.decode(),
        call_id=fields[b"c"].decode(),
        inbox=fields[b"i"].decode(),
        start_by=float(fields[b"s"]),
        body=fields[b"b"],
        epoch=fields[b"e"].decode(),
    )


def _remember(table: dict[str, bytes], call_id: str, value: bytes) -> None:
    """Only of the latest calls: most are never asked for again."""
    table[call_id] = value
    if len(table) > _REMEMBERED:
        del table[next(iter(table))]
