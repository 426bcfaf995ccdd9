"""The web process' side of the worker lane: jobs out, answers in, and the verdict on silence."""

import asyncio
import logging
import time
from collections import defaultdict
from contextlib import suppress

from gateway.core.codec import Unreadable
from gateway.core.store.interface import Store, StoreUnavailable, Subscription, TakeBack
from gateway.proxy.call import encode_call
from gateway.proxy.errors import GatewayError, Unavailable, WorkerLost
from gateway.proxy.exchange import (
    CLIENT_GONE,
    CallResult,
    ClientGone,
    ResponseHead,
    ResponseSink,
    read_reason,
)
from gateway.proxy.lane.frames import (
    BEAT_S,
    DEAD_AFTER_S,
    HEARTBEATS,
    Frame,
    Kind,
    Life,
    control_channel,
    inbox_channel,
    pack_frame,
    pack_taken,
    unpack_frame,
)
from gateway.proxy.lane.incoming import Incoming
from gateway.proxy.lane.line import Line
from providers.wire.call import Call

logger = logging.getLogger(__name__)

START_BY_S = 1.5
_TAKE_BACK_S = START_BY_S + 0.2
_WATCH_S = 0.25
_TELL_TAKEN_S = 0.02
_PAUSE_ABOVE_BYTES = 256 * 1024
_RESUME_BELOW_BYTES = 64 * 1024


class WorkerLane:
    """Sends calls to whichever worker takes them. One inbox a process, one watcher for all of its calls.

    `longest_call_s` is more than any call may take, so that only one that hangs is ended by it.
    """

    def __init__(self, store: Store, web: str, *, longest_call_s: float) -> None:
        self._store = store
        self._web = web
        self._inbox = inbox_channel(web)
        self._longest_call_s = longest_call_s
        self._calls: dict[str, Incoming] = {}
        self._beats: dict[str, tuple[float, Life]] = {}
        self._taken: defaultdict[str, list[str]] = defaultdict(list)
        self._untold: dict[str, tuple[list[str], bytes]] = {}
        self._subscription: Subscription | None = None
        self._line = Line(time.monotonic())
        self._watcher: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._subscription = await self._store.subscribe([self._inbox, HEARTBEATS], self._receive)
        self._watcher = asyncio.create_task(self._watch(), name="worker lane watcher")

    async def close(self) -> None:
        if self._watcher:
            self._watcher.cancel()
            with suppress(asyncio.CancelledError):
                await self._watcher
        self._tell_taken()
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

    async def carry(self, call: Call, sink: ResponseSink) -> CallResult | None:
        """Have a worker make the call. None: no worker began it in time, and now none can; it is ours to make.

        Raises ClientGone, Unavailable, WorkerLost.
        """
        now = time.monotonic()
        incoming = self._calls[call.id] = Incoming(now + _TAKE_BACK_S, now + self._longest_call_s)
        epoch = self._store.epoch
        self._store.send_job(call.id, self._inbox, START_BY_S, encode_call(call))
        try:
            while not incoming.has_started:
                await incoming.wait()
                if (
                    incoming.is_late
                    and not incoming.has_started
                    and await self._take_back(call, incoming, epoch)
                ):
                    return None
            end = await self._relay(call, incoming, sink)
            self._note_taken(call.id, incoming)
            return end
        except (ClientGone, asyncio.CancelledError, Unavailable) as cause:
            self._cancel(call.id, incoming, _reason_of(cause))
            raise
        finally:
            del self._calls[call.id]

    def _note_taken(self, call_id: str, incoming: Incoming) -> None:
        """Said of many calls at once, since each message costs three processes something. Until then the worker
        holds the call's record, so it must not be long.
        """
        if incoming.worker is None:
            return self._tell(call_id, incoming, Kind.TAKEN)
        if not self._taken:
            asyncio.get_running_loop().call_later(_TELL_TAKEN_S, self._tell_taken)
        return self._taken[incoming.worker].append(call_id)

    def _tell_taken(self) -> None:
        taken, self._taken = self._taken, defaultdict(list)
        for worker, call_ids in taken.items():
            self._store.publish(control_channel(worker), pack_taken(call_ids))

    async def _take_back(self, call: Call, incoming: Incoming, epoch: str | None) -> bool:
        incoming.is_late = False
        try:
            verdict = await self._store.take_back(call.id, epoch)
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
            self._ask_again(call.id, incoming)
        return verdict is TakeBack.OURS

    async def _relay(self, call: Call, incoming: Incoming, sink: ResponseSink) -> CallResult:
        has_begun = False
        while True:
            if not incoming.has_news:
                await incoming.wait()
            if incoming.failure:
                raise incoming.failure
            data = incoming.take()
            if incoming.is_paused and incoming.unread_bytes < _RESUME_BELOW_BYTES:
                incoming.is_paused = False
                self._tell(call.id, incoming, Kind.RESUME)
            if data and not has_begun:
                line, _, data = data.partition(b"\n")
                has_begun = True
                head = _read_head(line)
                # Said at once, and not with the end: a client may leave before that.
                call.waited_s = head.waited_s or call.waited_s
                await sink.begin(head)
            end = incoming.end if not incoming.unread_bytes else None
            if data:
                await sink.send(data, is_last=end is not None and end.error is None)
            if end:
                return end

    def _receive(self, channel: str, message: bytes) -> None:
        if channel == HEARTBEATS:
            self._hear(message)
            return
        frame = unpack_frame(message)
        incoming = self._calls.get(frame.call_id) if frame else None
        if frame and incoming:
            try:
                self._accept(frame, incoming)
            except Exception:
                logger.exception("Call %s: what its worker said cannot be read.", frame.call_id)
                incoming.fail(_strange_worker())

    def _accept(self, frame: Frame, incoming: Incoming) -> None:
        call_id, kind, offset, payload = frame
        if kind is Kind.STARTED:
            incoming.begin(payload.decode())
        elif kind is Kind.FORGOTTEN:
            # Where we do not know whose it is all were asked, and those that it is not say so too.
            if incoming.end is None and payload.decode() == incoming.worker:
                incoming.fail(Unavailable("Part of the answer was lost on the way.", code="lane_state_lost"))
        elif not incoming.accept(kind, offset, payload):
            self._ask_again(call_id, incoming)
        if incoming.unread_bytes > _PAUSE_ABOVE_BYTES and not incoming.is_paused:
            incoming.is_paused = True
            self._tell(call_id, incoming, Kind.PAUSE)

    def _hear(self, message: bytes) -> None:
        life = message[:1]
        if life in {Life.WORKER.value, Life.DRAINING_WORKER.value}:
            self._beats[message[1:].decode()] = (time.monotonic(), Life(life))

    def _tell(self, call_id: str, incoming: Incoming, kind: Kind, payload: bytes = b"") -> None:
        frame = pack_frame(call_id, kind, incoming.size, payload)
        for worker in self._workers_of(incoming):
            self._store.publish(control_channel(worker), frame)

    def _workers_of(self, incoming: Incoming) -> list[str]:
        return [incoming.worker] if incoming.worker else list(self._beats)

    def _ask_again(self, call_id: str, incoming: Incoming) -> None:
        """It begins where we are, and flows unless we say again that it should not."""
        self._tell(call_id, incoming, Kind.AGAIN, self._inbox.encode())
        if incoming.is_paused:
            self._tell(call_id, incoming, Kind.PAUSE)

    def _cancel(self, call_id: str, incoming: Incoming, reason: str) -> None:
        self._tell(call_id, incoming, Kind.CANCEL, reason.encode())
        if not self._store.is_connected:
            # It would go on, and be paid for by whoever did not get it.
            frame = pack_frame(call_id, Kind.CANCEL, incoming.size, reason.encode())
            self._untold[call_id] = self._workers_of(incoming), frame

    async def _watch(self) -> None:
        """Beat, and look at every call that may be waiting for somebody who is gone."""
        beaten_at = 0.0
        while True:
            now = time.monotonic()
            if now - beaten_at >= BEAT_S:
                beaten_at = now
                self._store.publish(HEARTBEATS, Life.WEB.value + self._web.encode())
                self._forget_the_dead(now)
            try:
                self._look(now)
            except Exception:
                logger.exception("Watching the calls of the worker lane failed; it goes on.")
            await asyncio.sleep(_WATCH_S)

    def _look(self, now: float) -> None:
        connected_at = self._subscription.is_up_since if self._subscription else None
        if self._line.look(connected_at, now):
            # Whatever was said while the line was cut is lost: ask for it until something comes.
            for incoming in self._calls.values():
                incoming.has_gap = True
        self._tell_untold(now)
        for call_id, incoming in list(self._calls.items()):
            self._look_at(call_id, incoming, now)

    def _look_at(self, call_id: str, incoming: Incoming, now: float) -> None:
        if not incoming.has_started:
            if now > incoming.take_back_at:
                incoming.take_back_at = now + _WATCH_S
                incoming.is_late = True
                incoming.wake()
        elif incoming.end is not None:
            # All of it is here, however slowly its client takes it.
            return
        elif verdict := self._verdict(incoming, now):
            incoming.fail(verdict)
        elif incoming.has_gap:
            self._ask_again(call_id, incoming)

    def _verdict(self, incoming: Incoming, now: float) -> GatewayError | None:
        """Why an answer that has not all come must not be waited for any longer."""
        if self._line.is_lost(now):
            return Unavailable("The store between us and the worker is away.", code="lane_state_lost")
        if now > incoming.end_by:
            return WorkerLost(
                "The worker that made this call did not end it. The provider may have charged for it."
            )
        heard_at = incoming.unheard_since
        if incoming.worker is not None:
            heard_at = self._beats.get(incoming.worker, (0.0, Life.WORKER))[0]
        if self._line.is_silent(heard_at, now):
            return WorkerLost("The worker that made this call died. The provider may have charged for it.")
        return None

    def _tell_untold(self, now: float) -> None:
        """Cancels that the store did not take; a worker may be back a moment later than we are."""
        open_since = self._line.open_since
        if not self._untold or open_since is None:
            return
        for workers, frame in self._untold.values():
            for worker in workers:
                self._store.publish(control_channel(worker), frame)
        if now - open_since > DEAD_AFTER_S:
            self._untold.clear()

    def _forget_the_dead(self, now: float) -> None:
        for name in [name for name, (at, _) in self._beats.items() if now - at > 60]:
            del self._beats[name]


def _read_head(line: bytes) -> ResponseHead:
    """Raises WorkerLost."""
    try:
        return ResponseHead.decode(line)
    except Unreadable as error:
        logger.error("An answer's head cannot be read: %s", error)
        raise _strange_worker() from error


def _strange_worker() -> WorkerLost:
    return WorkerLost("The worker that made this call is of a version that cannot be read here.")


def _reason_of(cause: BaseException) -> str:
    """What the worker's ledger row says of a call that we cancel."""
    if isinstance(cause, GatewayError):
        return cause.error_code
    return read_reason(cause) if isinstance(cause, asyncio.CancelledError) else CLIENT_GONE
