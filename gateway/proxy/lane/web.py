"""The web process' side of the worker lane: jobs out, answers in, and the verdict on silence."""

import asyncio
import logging
import time
from contextlib import suppress

from gateway.proxy.errors import GatewayError, Unavailable, WorkerLost
from gateway.proxy.exchange import CLIENT_GONE, CallEnd, ClientGone, Head, Job, Sink, read_reason
from gateway.proxy.lane.frames import (
    BEAT_S,
    DEAD_AFTER_S,
    HEARTBEATS,
    Kind,
    Life,
    control_channel,
    inbox_channel,
    pack_frame,
    unpack_frame,
)
from gateway.proxy.lane.incoming import Incoming
from gateway.store.interface import Store, StoreUnavailable, Subscription, TakeBack

logger = logging.getLogger(__name__)

START_BY_S = 1.5
_TAKE_BACK_S = START_BY_S + 0.2
_WATCH_S = 0.25
_PAUSE_ABOVE_BYTES = 256 * 1024
_RESUME_BELOW_BYTES = 64 * 1024
_STORE_AWAY_S = 10.0


class WorkerLane:
    """Sends calls to whichever worker takes them. One inbox a process, one watcher for all of its calls."""

    def __init__(self, store: Store, web: str) -> None:
        self._store = store
        self._web = web
        self._inbox = inbox_channel(web)
        self._calls: dict[str, Incoming] = {}
        self._beats: dict[str, tuple[float, Life]] = {}
        self._subscription: Subscription | None = None
        self._up_since: float | None = None
        self._down_since: float | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._subscription = await self._store.subscribe([self._inbox, HEARTBEATS], self._receive)
        self._watcher = asyncio.create_task(self._watch(), name="worker lane watcher")

    async def close(self) -> None:
        if self._watcher:
            self._watcher.cancel()
            with suppress(asyncio.CancelledError):
                await self._watcher
        if self._subscription:
            await self._subscription.close()

    @property
    def live_workers(self) -> list[str]:
        """Workers that take jobs: heard lately and not draining."""
        since = time.monotonic() - DEAD_AFTER_S
        return [name for name, (at, life) in self._beats.items() if at > since and life is Life.WORKER]

    @property
    def is_open(self) -> bool:
        return self._store.is_up and bool(self.live_workers)

    async def carry(self, job: Job, sink: Sink) -> CallEnd | None:
        """Have a worker make the call. None: no worker began it in time, and now none can; it is ours to make.

        Raises ClientGone, Unavailable, WorkerLost.
        """
        incoming = self._calls[job.call_id] = Incoming(time.monotonic() + _TAKE_BACK_S)
        epoch = self._store.epoch
        self._store.send_job(job.call_id, self._inbox, time.time() + START_BY_S, job.encode())
        try:
            while not incoming.has_started:
                await incoming.wait()
                if (
                    incoming.is_late
                    and not incoming.has_started
                    and await self._take_back(job, incoming, epoch)
                ):
                    return None
            return await self._relay(job.call_id, incoming, sink)
        except (ClientGone, asyncio.CancelledError, Unavailable) as cause:
            self._tell(job.call_id, incoming, Kind.CANCEL, _reason_of(cause).encode())
            raise
        finally:
            del self._calls[job.call_id]

    async def _take_back(self, job: Job, incoming: Incoming, epoch: str | None) -> bool:
        incoming.is_late = False
        try:
            verdict = await self._store.take_back(job.call_id, epoch)
        except StoreUnavailable:
            verdict = TakeBack.LOST
        if verdict is TakeBack.LOST:
            raise Unavailable(
                "The store lost its data while this call waited for a worker.",
                code="lane_state_lost",
                retry_after_s=1,
            )
        if verdict is TakeBack.STARTED:
            # A worker owns it, but its word never came: any of them may be the one.
            incoming.has_started = True
            incoming.unheard_since = time.monotonic()
            self._tell(job.call_id, incoming, Kind.AGAIN)
        return verdict is TakeBack.OURS

    async def _relay(self, call_id: str, incoming: Incoming, sink: Sink) -> CallEnd:
        has_begun = False
        while True:
            if not incoming.has_news:
                await incoming.wait()
            if incoming.failure:
                raise incoming.failure
            data = incoming.take()
            if incoming.is_paused and incoming.unread_bytes < _RESUME_BELOW_BYTES:
                incoming.is_paused = False
                self._tell(call_id, incoming, Kind.RESUME)
            if data and not has_begun:
                line, _, data = data.partition(b"\n")
                has_begun = True
                await sink.begin(Head.decode(line))
            end = incoming.end if not incoming.unread_bytes else None
            if data:
                await sink.send(data, is_last=end is not None and end.error is None)
            if end:
                return end

    def _receive(self, channel: str, message: bytes) -> None:
        if channel == HEARTBEATS:
            self._hear(message)
            return
        try:
            call_id, kind, offset, payload = unpack_frame(message)
        except (KeyError, UnicodeDecodeError):
            logger.error("A message that is no frame came to the inbox of %s.", self._web)
            return
        if incoming := self._calls.get(call_id):
            if not incoming.accept(kind, offset, payload):
                self._tell(call_id, incoming, Kind.AGAIN)
            if incoming.unread_bytes > _PAUSE_ABOVE_BYTES and not incoming.is_paused:
                incoming.is_paused = True
                self._tell(call_id, incoming, Kind.PAUSE)

    def _hear(self, message: bytes) -> None:
        life = Life(message[:1])
        if life is not Life.WEB:
            self._beats[message[1:].decode()] = (time.monotonic(), life)

    def _tell(self, call_id: str, incoming: Incoming, kind: Kind, payload: bytes = b"") -> None:
        frame = pack_frame(call_id, kind, incoming.size, payload)
        for worker in [incoming.worker] if incoming.worker else list(self._beats):
            self._store.publish(control_channel(worker), frame)

    async def _watch(self) -> None:
        """Beat, and look at every call that may be waiting for somebody who is gone."""
        beaten_at = 0.0
        while True:
            now = time.monotonic()
            if now - beaten_at >= BEAT_S:
                beaten_at = now
                self._store.publish(HEARTBEATS, Life.WEB.value + self._web.encode())
                self._forget_the_dead(now)
            self._note_connection(now)
            for call_id, incoming in list(self._calls.items()):
                self._look_at(call_id, incoming, now)
            await asyncio.sleep(_WATCH_S)

    def _look_at(self, call_id: str, incoming: Incoming, now: float) -> None:
        if not incoming.has_started:
            if now > incoming.take_back_at:
                incoming.take_back_at = now + _WATCH_S
                incoming.is_late = True
                incoming.wake()
        elif self._down_since is not None and now - self._down_since > _STORE_AWAY_S:
            incoming.fail(Unavailable("The store between us and the worker is away.", code="lane_state_lost"))
        elif self._is_dead(incoming, now):
            incoming.fail(
                WorkerLost("The worker that made this call died. The provider may have charged for it.")
            )
        elif incoming.has_gap:
            self._tell(call_id, incoming, Kind.AGAIN)

    def _is_dead(self, incoming: Incoming, now: float) -> bool:
        """Its worker has been silent for long, while we could have heard it for that long."""
        if self._up_since is None or now - self._up_since < DEAD_AFTER_S:
            return False
        if incoming.worker is None:
            return now - incoming.unheard_since > DEAD_AFTER_S
        heard_at = self._beats.get(incoming.worker, (self._up_since, Life.WORKER))[0]
        return now - heard_at > DEAD_AFTER_S

    def _note_connection(self, now: float) -> None:
        up_since = self._subscription.is_up_since if self._subscription else None
        if up_since is None:
            self._down_since = self._down_since or now
        else:
            self._down_since = None
            if self._up_since is not None and up_since != self._up_since:
                # Whatever was said while the line was cut is lost: ask for all of it again.
                for call_id, incoming in self._calls.items():
                    self._tell(call_id, incoming, Kind.AGAIN)
        self._up_since = up_since if up_since is not None else self._up_since

    def _forget_the_dead(self, now: float) -> None:
        for name in [name for name, (at, _) in self._beats.items() if now - at > 60]:
            del self._beats[name]


def _reason_of(cause: BaseException) -> str:
    """What the worker's ledger row says of a call that we cancel."""
    if isinstance(cause, GatewayError):
        return cause.error_code
    return read_reason(cause) if isinstance(cause, asyncio.CancelledError) else CLIENT_GONE
