"""What Redis is told at the end of a turn of the loop of the calls that ended in it: what they give back and owe.

A script costs Redis more to begin than what it does for one call, and us more to write down: so they share one. Whoever
asks for something first has all of it told that was said before.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any

from gateway.core.store.address import ADMISSION
from gateway.core.store.admission_scripts import CORRECT
from gateway.core.store.connection import Connection, Refused
from gateway.core.store.ending_script import END_CALLS
from gateway.core.store.interface import Charge, Limit
from gateway.core.store.packing import keys_of
from gateway.core.store.redis_asking import Asking
from gateway.core.store.script import bulk, id_bulk, known_bulk, number_bulk

KEPT_MS = 7 * 86_400_000
"""Nothing is a record here: a subject of which nobody has spoken for so long is asked of SQL again."""
_KEPT = bulk(KEPT_MS)
_ZREM = b"*3\r\n$4\r\nZREM\r\n%b%b"
_MOST = 200
"""Calls of one script: Redis serves nobody else meanwhile."""
_OWED_KEPT = 100_000
_STAYS, _ENDS = bulk(0), bulk(1)
_Reply = asyncio.Future[Any]
_Pair = tuple[bytes, bytes]
"""A key and a call, as Redis reads them."""
_key_of, _call_of = itemgetter(0), itemgetter(1)


class _Ended:
    """What is to be told, as Redis reads it."""

    __slots__ = ("amounts", "holds", "owners", "slots", "taken")

    def __init__(self) -> None:
        self.slots: list[_Pair] = []
        """Those that are given back."""
        self.taken: dict[str, tuple[Limit, int]] = {}
        """By the names of buckets."""
        self.owners: list[bytes] = []
        """Of each settled amount its subject's keys."""
        self.amounts: list[bytes] = []
        self.holds: list[_Pair] = []
        """Those that are given back."""

    def pack(self) -> Sequence[bytes]:
        """The parts of END_CALLS."""
        slots, taken, owners, holds = self.slots, self.taken, self.owners, self.holds
        keys = [*map(_key_of, slots), *map(_bucket_bulk, taken), *owners, *map(_key_of, holds)]
        sizes = map(known_bulk, (len(slots), len(taken), len(owners) // 3, len(holds)))
        own = (*map(_call_of, slots), *_corrections(taken), *self.amounts, *map(_call_of, holds))
        return (*END_CALLS.call, known_bulk(len(keys)), *keys, _KEPT, *sizes, *own)


class Turn:
    """Of one connection. What Redis does not take is told again by `pay_debts`, but for corrections of buckets."""

    def __init__(self, commands: Connection, lost: Callable[[], None]) -> None:
        """`lost` hears that Redis may not have been told all that was settled."""
        self._commands = commands
        self._lost = lost
        commands.finish_turn = self._finish_turn
        self.asking = Asking(commands)
        self._ended = _Ended()
        self._count = 0
        self._slots_owed: deque[_Pair] = deque(maxlen=_OWED_KEPT)
        self._holds_owed: deque[_Pair] = deque(maxlen=_OWED_KEPT)

    def give_back(self, call_id: str, slots: Sequence[str]) -> None:
        call = id_bulk(call_id)
        if not self._count and self._commands.accepts_writes:
            # As most calls end: nothing else is to be said, and nobody is woken by a reply.
            for key in slots:
                self._commands.send_written(_ZREM % (known_bulk(key), call))
            return
        self._ended.slots += [(known_bulk(key), call) for key in slots]
        self._note()

    def correct(self, limit: Limit, taken: int, *, waits: bool = False) -> None:
        """Take so much more of its bucket, or give it back where that is below zero. `waits`: when something else is
        told, or asked.
        """
        before = self._ended.taken.get(limit.name)
        self._ended.taken[limit.name] = (limit, taken + before[1] if before else taken)
        if not waits:
            self._note()

    def settle(
        self, call_id: str, charges: Sequence[Charge], process: str, seq: int, ends: Sequence[str] = ()
    ) -> None:
        """As Store.settle. Without a call id no hold is touched."""
        ended, call, left = self._ended, id_bulk(call_id), list(ends)
        attempt = call, known_bulk(process), number_bulk(seq)
        for charge in charges:
            subject, is_last = charge.subject, _STAYS
            if subject in left:
                left.remove(subject)
                is_last = _ENDS
            ended.owners += keys_of(subject).packed
            ended.amounts += (*attempt, known_bulk(charge.quarter), number_bulk(charge.amount), is_last)
        if left:
            ended.holds += [(keys_of(subject).packed[2], call) for subject in left]
        self._note()

    def release(self, call_id: str, subjects: Sequence[str]) -> None:
        """The call holds nothing more of them."""
        call = id_bulk(call_id)
        self._ended.holds += [(keys_of(subject).packed[2], call) for subject in subjects]
        self._note()

    def pay_debts(self) -> None:
        """Tell again what calls gave back while Redis did not hear it."""
        if not self._commands.is_up:
            return
        slots, self._slots_owed = self._slots_owed, deque(maxlen=_OWED_KEPT)
        holds, self._holds_owed = self._holds_owed, deque(maxlen=_OWED_KEPT)
        for slot in slots:
            self._ended.slots.append(slot)
            self._note()
        for hold in holds:
            self._ended.holds.append(hold)
            self._note()

    def finish(self) -> None:
        """Write it all down now."""
        if self._count or self._ended.taken:
            self._end_calls()

    def _finish_turn(self) -> None:
        asking = self.asking
        if asking.crowds:
            if self._count or self._ended.taken:
                # With what waits until something is asked.
                self._end_calls()
            asking.tell()
        elif self._count:
            self._end_calls()

    def _note(self) -> None:
        self._count += 1
        if self._count == 1:
            self._commands.put_off()
        elif self._count >= _MOST:
            self._end_calls()

    def _end_calls(self) -> None:
        self._count = 0
        commands, ended, self._ended = self._commands, self._ended, _Ended()
        if not commands.accepts_writes:
            return self._owe(ended)
        if ended.amounts or ended.holds:
            return self._ask(ended, ended.pack())
        for slot in ended.slots:
            commands.send_written(_ZREM % slot)
        if ended.taken:
            keys = list(map(_bucket_bulk, ended.taken))
            commands.send_packed(CORRECT, keys, _corrections(ended.taken), is_muted=True)
        return None

    def _ask(self, ended: _Ended, parts: Sequence[bytes]) -> None:
        reply = self._commands.ask_packed(parts)
        reply.add_done_callback(partial(self._hear, ended, parts))

    def _hear(self, ended: _Ended, parts: Sequence[bytes], reply: _Reply) -> None:
        error = None if reply.cancelled() else reply.exception()
        if isinstance(error, Refused) and error.code == "NOSCRIPT":
            # In this order on one connection. What had been lost before is noticed and told by others.
            self._commands.send("SCRIPT", "LOAD", END_CALLS.source)
            again = self._commands.ask_packed(parts)
            again.add_done_callback(lambda reply: self._owe(ended) if reply.exception() else None)
        elif error is not None:
            self._owe(ended)

    def _owe(self, ended: _Ended) -> None:
        self._slots_owed += ended.slots
        self._holds_owed += ended.holds
        if ended.amounts or ended.holds:
            self._lost()


@lru_cache(1024)
def _bucket_bulk(name: str) -> bytes:
    """Its key."""
    return bulk(ADMISSION + name)


def _corrections(taken: Mapping[str, tuple[Limit, int]]) -> list[bytes]:
    """Of each bucket its amount, window in s, and what is taken."""
    packed: list[bytes] = []
    for limit, more in taken.values():
        packed += (known_bulk(limit.amount), known_bulk(limit.window_s), number_bulk(more))
    return packed
