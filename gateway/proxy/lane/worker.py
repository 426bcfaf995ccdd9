"""The worker's side of the lane: jobs in, calls made, answers out."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import orjson

from gateway.proxy.attempt import Workbench, run_call
from gateway.proxy.errors import GatewayError, ProviderError, Unavailable, WorkerLost
from gateway.proxy.exchange import CallEnd, ClientGone, Job
from gateway.proxy.lane.frames import (
    BEAT_S,
    DEAD_AFTER_S,
    HEARTBEATS,
    Kind,
    Life,
    control_channel,
    pack_frame,
    unpack_frame,
)
from gateway.proxy.lane.outgoing import Outgoing
from gateway.store.interface import JobEntry, Store, StoreUnavailable, Subscription

logger = logging.getLogger(__name__)

_KEEP_ENDED_S = 5.0
_RETRY_S = 0.2


@dataclass(slots=True)
class Running:
    """A call that this worker owns; its answer stays here for a while after its end."""

    outgoing: Outgoing
    task: asyncio.Task[None]
    started_at: float
    verdict: GatewayError | None = None
    """Why it was cancelled, where it was not the client's wish."""

    def end(self, verdict: GatewayError) -> None:
        self.verdict = verdict
        self.task.cancel(verdict.error_code)


class LaneWorker:
    """Takes jobs from the store and makes their calls on this loop."""

    def __init__(self, store: Store, bench: Workbench, name: str, *, write_timeout_s: float) -> None:
        self.name = name
        self._store = store
        self._bench = bench
        self._write_timeout_s = write_timeout_s
        self._calls: dict[str, Running] = {}
        self._webs: dict[str, float] = {}
        self.is_draining = False
        self._subscription: Subscription | None = None
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
            try:
                entries = await self._store.read_jobs(self.name)
            except StoreUnavailable:
                await asyncio.sleep(_RETRY_S)
                continue
            for entry in entries:
                if time.time() > entry.start_by:
                    self._store.drop_job(entry)
                else:
                    self._take(entry)

    def _take(self, entry: JobEntry) -> None:
        outgoing = Outgoing(self._store, entry.call_id, entry.inbox, write_timeout_s=self._write_timeout_s)
        task = asyncio.create_task(self._run(entry, outgoing))
        self._calls[entry.call_id] = Running(outgoing, task, time.monotonic())

    async def _run(self, entry: JobEntry, outgoing: Outgoing) -> None:
        frame = pack_frame(entry.call_id, Kind.STARTED, payload=self.name.encode())
        try:
            if await self._store.start_job(entry, self.name, frame):
                end = await self._make(Job.decode(entry.body), outgoing)
                outgoing.finish(end, time.monotonic())
        except StoreUnavailable:
            # Not proven ours, so not made; but if it was ours after all, its reader must not wait for ever.
            lost = WorkerLost("The store failed before this call was begun.")
            outgoing.finish(CallEnd(error=lost.to_dict()), time.monotonic())
        except asyncio.CancelledError:
            # While it was being begun: whoever waits for it hears why.
            if verdict := self._calls[entry.call_id].verdict:
                outgoing.finish(CallEnd(error=verdict.to_dict()), time.monotonic())
        finally:
            if outgoing.ended_at is None:
                del self._calls[entry.call_id]

    async def _make(self, job: Job, outgoing: Outgoing) -> CallEnd:
        call = job.call(orjson.loads(job.body))
        try:
            return await run_call(self._bench, job, call, lane="worker", sink=outgoing)
        except ClientGone:
            return CallEnd()
        except GatewayError as error:
            return CallEnd(error=error.to_dict())
        except asyncio.CancelledError:
            running = self._calls[job.call_id]
            return CallEnd(error=running.verdict.to_dict()) if running.verdict else CallEnd()
        except Exception:
            logger.exception("Call %s failed in the lane.", job.call_id)
            failed = ProviderError("The worker failed while making this call.", code="worker_failed")
            return CallEnd(error=failed.to_dict())

    def _receive(self, channel: str, message: bytes) -> None:
        if channel == HEARTBEATS:
            if message[:1] == Life.WEB.value:
                self._webs[f"in:{message[1:].decode()}"] = time.monotonic()
            return
        call_id, kind, offset, payload = unpack_frame(message)
        running = self._calls.get(call_id)
        if running is None:
            return
        outgoing = running.outgoing
        if kind is Kind.CANCEL:
            running.task.cancel(payload.decode())
        elif kind is Kind.PAUSE:
            outgoing.pause()
        elif kind is Kind.RESUME:
            outgoing.resume()
        elif kind is Kind.AGAIN:
            self._send_again(running, offset)

    def _send_again(self, running: Running, offset: int) -> None:
        outgoing = running.outgoing
        started = pack_frame(outgoing.call_id, Kind.STARTED, payload=self.name.encode())
        self._store.publish(outgoing.inbox, started)
        if not outgoing.send_again(offset):
            running.end(Unavailable("Part of the answer was lost on the way.", code="lane_state_lost"))

    async def _beat(self) -> None:
        last = time.monotonic()
        while True:
            self._say_alive()
            now = time.monotonic()
            if now - last > BEAT_S + DEAD_AFTER_S:
                # We were away so long that every reader has given these calls up.
                verdict = WorkerLost("The worker that made this call stood still.")
                await self._cancel(self._open_calls(), verdict)
            else:
                await self._cancel(
                    self._abandoned(now), Unavailable("The web process is gone.", code="web_lost")
                )
            self._forget_ended(now)
            last = now
            await asyncio.sleep(BEAT_S)

    def _say_alive(self) -> None:
        life = Life.DRAINING_WORKER if self.is_draining else Life.WORKER
        self._store.publish(HEARTBEATS, life.value + self.name.encode())

    def _abandoned(self, now: float) -> list[Running]:
        """Calls whose web process has been silent for long, while we could have heard it for that long."""
        up_since = self._subscription.is_up_since if self._subscription else None
        if up_since is None or now - up_since < DEAD_AFTER_S:
            return []
        return [
            running
            for running in self._open_calls()
            if now - max(self._webs.get(running.outgoing.inbox, 0.0), running.started_at) > DEAD_AFTER_S
        ]

    def _forget_ended(self, now: float) -> None:
        for call_id, running in list(self._calls.items()):
            ended_at = running.outgoing.ended_at
            if ended_at is not None and now - ended_at > _KEEP_ENDED_S:
                del self._calls[call_id]


async def _end_task(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
