"""A pipelined connection to Redis: one write for all commands of a loop's turn, replies matched in order."""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, cast

import hiredis

from gateway.core.batched_writes import BatchingTransport
from gateway.core.store.address import Address
from gateway.core.store.interface import StoreUnavailable
from gateway.core.store.script import Script, known_bulk, pack_command

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 1.0
RETRY_S = 0.1
PATIENCE_S = 0.25
_TICK_S = 0.05
_PATIENCE_TICKS = round(PATIENCE_S / _TICK_S)
# A connection on which nothing moved for so long after a reply was due is cut.
_DEAD_AFTER_TICKS = 20
# Errors that concern every write, until Redis is in a better state.
_REFUSALS = {"OOM", "READONLY", "MISCONF", "NOREPLICAS", "LOADING", "MASTERDOWN"}
_UNFINISHED = object()
# Neither is the reply to a command.
_APART = (hiredis.PushNotification, hiredis.ReplyError)
_MUTE = b"*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$4\r\nSKIP\r\n"

Argument = str | bytes | int | float


class Refused(StoreUnavailable):
    """Redis answered with an error; `code` is its first word, such as OOM."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = message.partition(" ")[0]


class Waiter(Protocol):
    """Of whom a reply is the future; or what stands for several of them."""

    def done(self) -> bool: ...
    def set_result(self, result: Any, /) -> None: ...
    def set_exception(self, exception: BaseException, /) -> None: ...


class _Wire(asyncio.Protocol):
    """One socket. What a socket that was given up still says is not heard."""

    def __init__(self, owner: "Connection") -> None:
        self.transport: BatchingTransport | None = None
        self._owner = owner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        loop = asyncio.get_running_loop()
        self.transport = BatchingTransport(
            cast("asyncio.Transport", transport), loop, self._owner.finish_turn
        )
        if not self._owner.adopt(self):
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        self._owner.hear(self, data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's
        self._owner.lose(self)


class Connection:
    """Reconnects by itself until closed.

    `prepare` runs on each new connection before anybody else may use it. With `receive_push` it speaks RESP3,
    where messages of channels come apart from replies.

    Time without a reply is counted in turns of the loop: a loop that was blocked must not blame Redis.
    """

    def __init__(
        self,
        address: Address,
        prepare: Callable[["Connection"], Awaitable[None]],
        receive_push: Callable[[list[Any]], None] | None = None,
    ) -> None:
        self.is_ready = False
        self.is_up = False
        self.accepts_writes = False
        self.refusal = ""
        """The code of the error with which Redis refuses to write; whoever probes it says so by `hear_refusal`."""
        self.losses = 0
        """How often Redis may have lost what it was told, or its scripts: connections made, scripts forgotten."""
        self.finish_turn: Callable[[], None] | None = None
        """Called before what was written in a turn of the loop is sent; may write what was put off until then."""
        self.put_off = self._finish_now
        """Have `finish_turn` called at the end of this turn."""
        self._address = address
        self._prepare = prepare
        self._receive_push = receive_push
        self._can_mute = False
        self._is_stalled = False
        self._has_warned = False
        self._wire: _Wire | None = None
        self._write: Callable[[bytes], None] = _lose
        self._reader = hiredis.Reader(notEnoughData=_UNFINISHED)
        self._waiting: deque[tuple[Waiter | None, int]] = deque()
        self._tick = 0
        self._still_ticks = 0
        self._last_unsent_bytes = 0
        self._ticker: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    @property
    def unsent_bytes(self) -> int:
        return self._wire.transport.get_write_buffer_size() if self._wire and self._wire.transport else 0

    def open(self) -> None:
        self._keeper = asyncio.create_task(self._keep_connected(), name=f"connection to {self._address}")

    async def close(self) -> None:
        """Wait a moment for what was sent to be answered, then disconnect."""
        if self.is_up:
            try:
                await self.call("PING", within_s=1.0)
            except StoreUnavailable:
                logger.info("Redis at %r was gone before the last words to it.", self._address)
        if self._keeper:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        self.cut()

    async def wait_until_up(self, within_s: float) -> None:
        """Raises StoreUnavailable."""
        try:
            async with asyncio.timeout(within_s):
                while not self.is_up:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise self._unreachable() from None

    def hear_refusal(self, code: str) -> None:
        """With which Redis refuses to write; empty where it does not."""
        self.refusal = code
        self._note_state()

    def call(self, *command: Argument, within_s: float = PATIENCE_S) -> asyncio.Future[Any]:
        """Send a command; its reply is the future, which must be awaited. Raises StoreUnavailable, Refused."""
        if self.is_up:
            return self._ask(command, within_s)
        reply = asyncio.get_running_loop().create_future()
        reply.set_exception(self._unreachable())
        return reply

    def call_early(self, *command: Argument) -> asyncio.Future[Any]:
        """The same for `prepare`, while nobody else may use the connection."""
        return self._ask(command, CONNECT_TIMEOUT_S)

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        """One round trip, but where Redis has forgotten the script. Raises StoreUnavailable, Refused."""
        try:
            return await self.call("EVALSHA", script.sha, len(keys), *keys, *arguments)
        except Refused as refusal:
            if refusal.code != "NOSCRIPT":
                raise
        return await self.call("EVAL", script.source, len(keys), *keys, *arguments)

    def ask_packed(self, parts: Sequence[bytes]) -> asyncio.Future[Any]:
        """The same as `call` for a command of which all parts are what `bulk` makes."""
        reply = asyncio.get_running_loop().create_future()
        self.ask_written(b"*%d\r\n%b" % (len(parts), b"".join(parts)), reply)
        return reply

    def ask_written(self, command: bytes, reply: "Waiter") -> None:
        """The same for one that is written down as it is sent, and for whoever waits for its reply."""
        if self.is_up:
            self._expect(reply, _PATIENCE_TICKS)
            self._write(command)
        else:
            reply.set_exception(self._unreachable())

    def send_packed(
        self, script: Script, keys: Sequence[bytes], arguments: Sequence[bytes], *, is_muted: bool
    ) -> None:
        """Run a script whose reply nobody reads; lost while there is no connection."""
        if not self.is_ready:
            return
        is_muted = is_muted and self._can_mute
        if not is_muted:
            self._expect(None, _PATIENCE_TICKS)
        parts = (*script.call, known_bulk(len(keys)), *keys, *arguments)
        self._write(b"%b*%d\r\n%b" % (_MUTE if is_muted else b"", len(parts), b"".join(parts)))

    def send(self, *command: Argument) -> None:
        """Send a command whose reply nobody reads; lost while there is no connection."""
        if self.is_ready:
            self._expect(None, _PATIENCE_TICKS)
            self._write(pack_command(command))

    def send_muted(self, *command: Argument) -> None:
        """The same, but Redis does not reply: neither of us is woken for it."""
        if not self._can_mute:
            self.send(*command)
        elif self.is_ready:
            self._write(_MUTE + pack_command(command))

    def send_written(self, command: bytes) -> None:
        """The same for one that is written down as it is sent."""
        if not self._can_mute:
            self._expect(None, _PATIENCE_TICKS)
        self._write(_MUTE + command if self._can_mute else command)

    def send_unanswered(self, *command: Argument) -> None:
        """Send a command that RESP3 answers by a push."""
        self._write(pack_command(command))

    def cut(self) -> None:
        """Drop the connection; it is made anew unless closed."""
        wire, self._wire, self._write, self.put_off = self._wire, None, _lose, self._finish_now
        if wire and wire.transport:
            wire.transport.abort()
        self.is_ready = False
        self._note_state()
        self._fail_waiting("cut the connection")
        self._waiting.clear()
        self._reader = hiredis.Reader(notEnoughData=_UNFINISHED)
        self._set_stalled(False)
        self._changed.set()

    def _finish_now(self) -> None:
        """While there is no socket, whose turns end."""
        if self.finish_turn:
            self.finish_turn()

    def _ask(self, command: tuple[Argument, ...], within_s: float) -> asyncio.Future[Any]:
        reply = asyncio.get_running_loop().create_future()
        self._expect(reply, round(within_s / _TICK_S))
        self._write(pack_command(command))
        return reply

    def _unreachable(self) -> StoreUnavailable:
        return StoreUnavailable(f"Redis at {self._address!r} cannot be reached.")

    def _note_state(self) -> None:
        self.is_up = self.is_ready and not self._is_stalled
        self.accepts_writes = self.is_up and not self.refusal

    def _expect(self, reply: Waiter | None, ticks: int) -> None:
        self._waiting.append((reply, self._tick + ticks))
        if self._ticker is None:
            self._ticker = asyncio.get_running_loop().call_later(_TICK_S, self._watch)

    # The socket's events

    def adopt(self, wire: _Wire) -> bool:
        """False where this connection was closed, or has another socket by now."""
        is_ours = self._wire is None and self._keeper is not None and not self._keeper.done()
        if is_ours and wire.transport is not None:
            self._wire, self._write, self.put_off = wire, wire.transport.write, wire.transport.flush_soon
        return is_ours

    def hear(self, wire: _Wire, data: bytes) -> None:
        if wire is not self._wire:
            return
        self._still_ticks = 0
        self._reader.feed(data)
        waiting = self._waiting
        try:
            while (reply := self._reader.gets()) is not _UNFINISHED:
                if isinstance(reply, _APART) or not waiting:
                    self._accept_apart(reply)
                else:
                    future, _ = waiting.popleft()
                    if future is not None and not future.done():
                        future.set_result(reply)
        except hiredis.ProtocolError:
            self.cut()

    def lose(self, wire: _Wire) -> None:
        if wire is self._wire:
            self.cut()

    def _accept_apart(self, reply: Any) -> None:
        """What is no plain reply to a command."""
        if isinstance(reply, hiredis.PushNotification):
            if self._receive_push:
                self._receive_push(reply)
        elif self._waiting:
            future, _ = self._waiting.popleft()
            self._refuse(future, Refused(str(reply)))
        else:
            # Said unasked, such as that there are too many clients.
            self.cut()

    def _refuse(self, future: Waiter | None, refusal: Refused) -> None:
        if refusal.code in _REFUSALS:
            self.hear_refusal(refusal.code)
        if refusal.code == "NOSCRIPT":
            self.losses += 1
        if future is not None and not future.done():
            future.set_exception(refusal)

    # Watching over replies

    def _watch(self) -> None:
        """One tick: fail whoever waits too long, and cut a connection on which nothing moves."""
        self._tick += 1
        self._ticker = None
        if not self._waiting:
            self._set_stalled(False)
            return
        self._ticker = asyncio.get_running_loop().call_later(_TICK_S, self._watch)
        self._set_stalled(self._waiting[0][1] <= self._tick)
        is_moving = not self._is_stalled or self.unsent_bytes < self._last_unsent_bytes
        self._still_ticks = 0 if is_moving else self._still_ticks + 1
        self._last_unsent_bytes = self.unsent_bytes
        if self._still_ticks >= _DEAD_AFTER_TICKS:
            self.cut()

    def _set_stalled(self, is_stalled: bool) -> None:
        if is_stalled:
            self._fail_waiting("did not answer in time")
        if is_stalled != self._is_stalled:
            self._is_stalled = is_stalled
            self._note_state()
            self._changed.set()

    def _fail_waiting(self, what: str) -> None:
        for reply, _ in self._waiting:
            if reply is not None and not reply.done():
                reply.set_exception(StoreUnavailable(f"Redis at {self._address!r} {what}."))

    # Connecting

    async def _keep_connected(self) -> None:
        while True:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    await self._connect()
            except (OSError, StoreUnavailable) as error:
                self.cut()
                self._warn(error)
            else:
                await self._until_lost()
            await asyncio.sleep(RETRY_S * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load, keeps no secret

    async def _connect(self) -> None:
        await self._address.connect(lambda: _Wire(self))
        for command in self._address.greetings(hears_pushes=self._receive_push is not None):
            await self.call_early(*command)
        self._can_mute = await self._is_mutable()
        await self._prepare(self)
        if self._wire is None:
            raise StoreUnavailable("The connection was lost at once.")
        self.is_ready = True
        self._note_state()
        self.losses += 1
        self._has_warned = False
        self._changed.set()

    async def _is_mutable(self) -> bool:
        """Not every server that speaks the protocol knows the command, nor may every user give it."""
        try:
            await self.call_early("CLIENT", "REPLY", "ON")
        except Refused:
            return False
        return True

    async def _until_lost(self) -> None:
        while self.is_ready:
            self._changed.clear()
            await self._changed.wait()

    def _warn(self, error: Exception) -> None:
        """Once an outage."""
        if not self._has_warned:
            self._has_warned = True
            logger.warning("Redis at %r cannot be reached: %s", self._address, error or type(error).__name__)


def _lose(_: bytes) -> None:
    """What is written while there is no socket."""
