"""The worker's side of the lane: jobs in, calls made, answers out."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from gateway.core.codec import Unreadable
from gateway.core.store.interface import JobEntry, Store, StoreUnavailable, Subscription
from gateway.proxy.admission.admit import LONGEST_SPOOL_LAG_S
from gateway.proxy.call import decode_call
from gateway.proxy.errors import GatewayError, ProviderError, Unavailable, WorkerLost
from gateway.proxy.exchange import CLIENT_GONE, CallResult, ClientGone, read_reason
from gateway.proxy.lane.frames import (
    BEAT_S,
    DEAD_AFTER_S,
    HEARTBEATS,
    Kind,
    Life,
    control_channel,
    pack_frame,
    taken_ids,
    unpack_frame,
)
from gateway.proxy.lane.held import HeldAttempts
from gateway.proxy.lane.line import Line
from gateway.proxy.lane.outgoing import Outgoing
from gateway.proxy.large import LARGE_BYTES, off_loop
from gateway.proxy.observers import CallSpool
from gateway.proxy.services import CallServices
from gateway.proxy.walk import run_call
from providers.wire.call import Call

logger = logging.getLogger(__name__)

_KEEP_ENDED_S = 5.0
_WEB_KEPT_S = 60.0
_RETRY_S = 0.2


@dataclass(slots=True)
class Running:
    """A call that this worker owns; its answer stays here for a while after its end."""

    outgoing: Outgoing
    task: asyncio.Task[None]
    started_at: float
    verdict: GatewayError | None = None
    """Why it was cancelled, where it was not the client's wish."""
    is_cancelled: bool = False

    def end(self, verdict: GatewayError) -> None:
        if not self.is_cancelled:
            self.verdict = verdict
            self.cancel(verdict.error_code)

    def cancel(self, reason: str) -> None:
        """Once: a second one would interrupt the tidying up after the first."""
        if not self.is_cancelled:
            self.is_cancelled = True
            self.task.cancel(reason)


class LaneWorker:
    """Takes jobs from the store and makes their calls on this loop."""

    def __init__(
        self, store: Store, services: CallServices, name: str, spool: CallSpool, *, write_timeout_s: float
    ) -> None:
        """Takes calls while `spool`, one of the services' observers, can account for them."""
        self.name = name
        self._store = store
        self._spool = spool
        self._held = HeldAttempts(services.observers)
        self._services = replace(services, observers=self._held)
        self._write_timeout_s = write_timeout_s
        self._calls: dict[str, Running] = {}
        self._webs: dict[str, float] = {}
        self.is_draining = False
        self._subscription: Subscription | None = None
        self._line = Line(time.monotonic())
        self._duties: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        self._subscription = await self._store.subscribe(
            [control_channel(self.name), HEARTBEATS], self._receive
        )
        self._duties = [
            asyncio.create_task(self._read(), name="lane reader"),
            asyncio.create_task(self._beat(), name="lane heartbeat"),
        ]

    async def drain(self, grace_s: float, is_hurried: Callable[[], bool] = lambda: False) -> None:
        """Take no more jobs, let calls end within the grace, then end the rest with an explicit error."""
        self.is_draining = True
        self._say_alive()
        reader, heartbeat = self._duties
        await _end_task(reader)
        deadline = time.monotonic() + grace_s
        while self._open_calls() and time.monotonic() < deadline and not is_hurried():
            await asyncio.sleep(0.05)
        verdict = Unavailable("The gateway is shutting down.", code="server_shutting_down", retry_after_s=1)
        await self._cancel(self._open_calls(), verdict)
        deadline = time.monotonic() + DEAD_AFTER_S
        while not self._held.is_empty and time.monotonic() < deadline and not is_hurried():
            await asyncio.sleep(0.05)
        self._held.lose_all(verdict.error_code)
        await _end_task(heartbeat)
        if self._subscription:
            await self._subscription.close()

    def _open_calls(self) -> list[Running]:
        return [running for running in self._calls.values() if running.outgoing.ended_at is None]

    async def _cancel(self, calls: list[Running], verdict: GatewayError) -> None:
        for running in calls:
            running.end(verdict)
        await asyncio.gather(*(running.task for running in calls), return_exceptions=True)

    async def _read(self) -> None:
        while True:
            if not self._takes_calls:
                await asyncio.sleep(_RETRY_S)
                continue
            try:
                for entry in await self._store.read_jobs(self.name):
                    self._take(entry)
            except StoreUnavailable:
                await asyncio.sleep(_RETRY_S)
            except Exception:
                logger.exception("Reading jobs failed; it goes on.")
                await asyncio.sleep(_RETRY_S)

    def _take(self, entry: JobEntry) -> None:
        outgoing = Outgoing(self._store, entry.call_id, entry.inbox, write_timeout_s=self._write_timeout_s)
        task = asyncio.create_task(self._run(entry, outgoing))
        self._calls[entry.call_id] = Running(outgoing, task, time.monotonic())
        task.add_done_callback(lambda _: self._forget_unless_ended(outgoing))

    def _forget_unless_ended(self, outgoing: Outgoing) -> None:
        """It was not ours after all, or was cancelled before its task came to its first line."""
        if outgoing.ended_at is None:
            del self._calls[outgoing.call_id]

    async def _run(self, entry: JobEntry, outgoing: Outgoing) -> None:
        """Once it may be ours, every way out says how it ended: its reader must not wait for ever."""
        if call := await self._read_call(entry):
            end = await self._own(entry, call, outgoing)
            if end:
                outgoing.finish(end, time.monotonic())
        else:
            # Not ours yet, so whoever sent it takes it back.
            self._store.drop_job(entry)

    async def _read_call(self, entry: JobEntry) -> Call | None:
        """None where it cannot be read, for whatever reason."""
        try:
            is_large = len(entry.body) > LARGE_BYTES
            return await off_loop(decode_call, entry.body) if is_large else decode_call(entry.body)
        except Unreadable as error:
            logger.warning("Job %s cannot be read and is left to others: %s", entry.call_id, error)
        except Exception:
            logger.exception("Job %s cannot be read and is left to others.", entry.call_id)
        return None

    async def _own(self, entry: JobEntry, call: Call, outgoing: Outgoing) -> CallResult | None:
        """None: another has it."""
        frame = pack_frame(entry.call_id, Kind.STARTED, payload=self.name.encode())
        try:
            if not await self._store.start_job(entry, self.name, frame):
                return None
            return await run_call(self._services, call, lane="worker", sink=outgoing)
        except ClientGone:
            return CallResult(cut_by=CLIENT_GONE)
        except StoreUnavailable:
            # Not proven ours, so not made; but if it was ours after all, its reader must hear of it.
            return _failed(WorkerLost("The store failed before this call was begun."))
        except GatewayError as error:
            return _failed(error)
        except asyncio.CancelledError as cancelled:
            verdict = self._calls[entry.call_id].verdict
            return _failed(verdict) if verdict else CallResult(cut_by=read_reason(cancelled))
        except Exception:
            logger.exception("Call %s failed in the lane.", entry.call_id)
            return _failed(ProviderError("The worker failed while making this call.", code="worker_failed"))

    def _receive(self, channel: str, message: bytes) -> None:
        if channel == HEARTBEATS:
            if message[:1] == Life.WEB.value:
                self._webs[f"in:{message[1:].decode()}"] = time.monotonic()
            return
        if frame := unpack_frame(message):
            self._obey(*frame)

    def _obey(self, call_id: str, kind: Kind, offset: int, payload: bytes) -> None:
        if kind is Kind.TAKEN:
            return self._let_go(taken_ids(call_id, payload))
        running = self._calls.get(call_id)
        if running is None:
            if kind is Kind.AGAIN and payload:
                forgotten = pack_frame(call_id, Kind.FORGOTTEN, payload=self.name.encode())
                self._store.publish(payload.decode(), forgotten)
        elif kind is Kind.CANCEL:
            running.cancel(payload.decode())
            self._held.lost(call_id, payload.decode())
        elif kind is Kind.PAUSE:
            running.outgoing.pause()
        elif kind is Kind.RESUME:
            running.outgoing.resume()
        elif kind is Kind.AGAIN:
            self._send_again(running, offset)
        return None

    def _let_go(self, call_ids: Iterable[str]) -> None:
        for call_id in call_ids:
            self._held.taken(call_id)
            self._calls.pop(call_id, None)

    def _send_again(self, running: Running, offset: int) -> None:
        outgoing = running.outgoing
        started = pack_frame(outgoing.call_id, Kind.STARTED, payload=self.name.encode())
        self._store.publish(outgoing.inbox, started)
        # Its word that we may go on can have been lost too; if we may not, it says so again.
        outgoing.resume()
        if not outgoing.send_again(offset):
            running.end(Unavailable("Part of the answer was lost on the way.", code="lane_state_lost"))

    async def _beat(self) -> None:
        last = time.monotonic()
        while True:
            self._say_alive()
            now = time.monotonic()
            try:
                self._look(now, stood_still=now - last > BEAT_S + DEAD_AFTER_S)
            except Exception:
                logger.exception("Watching the lane's calls failed; it goes on.")
            last = now
            await asyncio.sleep(BEAT_S)

    def _look(self, now: float, *, stood_still: bool) -> None:
        self._line.look(self._subscription.is_up_since if self._subscription else None, now)
        if stood_still:
            # We were away so long that every reader has given these calls up.
            for running in self._open_calls():
                running.end(WorkerLost("The worker that made this call stood still."))
        for running in self._calls.values():
            if self._line.is_lost(now):
                self._give_up(running, Unavailable("The store is away.", code="lane_state_lost"))
            elif self._is_abandoned(running, now):
                self._give_up(running, Unavailable("The web process is gone.", code="web_lost"))
        self._forget_ended(now)
        self._webs = {inbox: at for inbox, at in self._webs.items() if now - at < _WEB_KEPT_S}

    def _give_up(self, running: Running, verdict: GatewayError) -> None:
        if running.outgoing.ended_at is None:
            running.end(verdict)
        self._held.lost(running.outgoing.call_id, verdict.error_code)

    @property
    def _takes_calls(self) -> bool:
        """Not while it drains, nor while its calls could not be accounted for: those of others may be."""
        spool = self._spool
        return not (self.is_draining or spool.trouble or spool.lag_s > LONGEST_SPOOL_LAG_S)

    def _say_alive(self) -> None:
        life = Life.WORKER if self._takes_calls else Life.DRAINING_WORKER
        self._store.publish(HEARTBEATS, life.value + self.name.encode())

    def _is_abandoned(self, running: Running, now: float) -> bool:
        heard_at = self._webs.get(running.outgoing.inbox, 0.0)
        return self._line.is_silent(max(heard_at, running.started_at), now)

    def _forget_ended(self, now: float) -> None:
        """Those that could be asked for again for a while, or that nobody waits for since the store is away."""
        open_since = 0.0 if self._line.is_lost(now) else self._line.open_since
        if open_since is None:
            return
        for call_id, running in list(self._calls.items()):
            ended_at = running.outgoing.ended_at
            if ended_at is not None and now - max(ended_at, open_since) > _KEEP_ENDED_S:
                # Its reader lives and misses nothing: if it did not say so, its word was lost, or it knows none.
                self._let_go([call_id])


def _failed(error: GatewayError) -> CallResult:
    return CallResult(error=error.to_dict())


async def _end_task(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
