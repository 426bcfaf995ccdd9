"""What Redis is told at the end of a turn of the loop of the calls that ended in it: what they give back and owe.

A script costs Redis more to begin than what it does for one call, and us more to write down: so they share one. Whoever
asks for something first has all of it told that was said before.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from gateway.core.store.address import ADMISSION
from gateway.core.store.admission_scripts import CORRECT
from gateway.core.store.connection import Connection, Refused
from gateway.core.store.ending_script import END_CALLS
from gateway.core.store.interface import Charge, Limit
from gateway.core.store.packing import keys_of
from gateway.core.store.script import bulk, id_bulk, known_bulk, number_bulk

KEPT_MS = 7 * 86_400_000
"""Nothing is a record here: a subject of which nobody has spoken for so long is asked of SQL again."""
_KEPT = bulk(KEPT_MS)
_MOST = 200
"""Calls of one script: Redis serves nobody else meanwhile."""
_OWED_KEPT = 100_000
_ENTRY = 5
"""Arguments of a settled amount."""
_Calls = Mapping[str, Sequence[str]]
"""By key of a limit's slots, or by subject."""
_Entries = Mapping[str, Sequence[bytes]]
_Taken = Mapping[str, tuple[Limit, int]]
_Reply = asyncio.Future[Any]


class Turn:
    """Of one connection. What Redis does not take is told again by `pay_debts`, but for corrections of buckets."""

    def __init__(self, commands: Connection, lost: Callable[[], None]) -> None:
        """`lost` hears that Redis may not have been told all that was settled."""
        self._commands = commands
        self._lost = lost
        commands.finish_turn = self.finish
        self._slots: defaultdict[str, list[str]] = defaultdict(list)
        self._taken: dict[str, tuple[Limit, int]] = {}
        self._settled: defaultdict[str, list[bytes]] = defaultdict(list)
        self._released: defaultdict[str, list[str]] = defaultdict(list)
        self._count = 0
        self._slots_owed: deque[tuple[str, str]] = deque(maxlen=_OWED_KEPT)
        self._holds_owed: deque[tuple[str, str]] = deque(maxlen=_OWED_KEPT)

    def give_back(self, call_id: str, slots: Sequence[str]) -> None:
        if not self._count and self._commands.accepts_writes:
            # As most calls end: nothing else is to be said, and nobody is woken by a reply.
            for key in slots:
                self._commands.send_muted("ZREM", key, call_id)
            return
        for key in slots:
            self._slots[key].append(call_id)
        self._note()

    def correct(self, limit: Limit, taken: int) -> None:
        """Take so much more of its bucket, or give it back where that is below zero."""
        before = self._taken.get(limit.name)
        self._taken[limit.name] = (limit, taken + before[1] if before else taken)
        self._note()

    def settle(
        self, call_id: str, charges: Sequence[Charge], process: str, seq: int, ends: Sequence[str] = ()
    ) -> None:
        """As Store.settle. Without a call id no hold is touched."""
        attempt = (id_bulk(call_id), known_bulk(process), number_bulk(seq))
        for charge in charges:
            self._settled[charge.subject] += (
                *attempt,
                known_bulk(charge.quarter),
                number_bulk(charge.amount),
            )
        for subject in ends:
            self._released[subject].append(call_id)
        self._note()

    def release(self, call_id: str, subjects: Sequence[str]) -> None:
        """The call holds nothing more of them."""
        for subject in subjects:
            self._released[subject].append(call_id)
        self._note()

    def pay_debts(self) -> None:
        """Tell again what calls gave back while Redis did not hear it."""
        if not self._commands.is_up:
            return
        slots, self._slots_owed = self._slots_owed, deque(maxlen=_OWED_KEPT)
        holds, self._holds_owed = self._holds_owed, deque(maxlen=_OWED_KEPT)
        for key, call_id in slots:
            self.give_back(call_id, [key])
        for subject, call_id in holds:
            self.release(call_id, [subject])

    def finish(self) -> None:
        """Write it all down now."""
        if self._count:
            self._end_calls()

    def _note(self) -> None:
        self._count += 1
        if self._count == 1:
            self._commands.put_off()
        elif self._count >= _MOST:
            self._end_calls()

    def _end_calls(self) -> None:
        self._count = 0
        if self._settled or self._released or not self._commands.accepts_writes:
            return self._end_budgeted()
        commands, slots, taken = self._commands, self._slots, self._taken
        if slots:
            self._slots = defaultdict(list)
            for key, call_ids in slots.items():
                commands.send_muted("ZREM", key, *call_ids)
        if taken:
            self._taken = {}
            keys = [known_bulk(ADMISSION + name) for name in taken]
            commands.send_packed(CORRECT, keys, _corrections(taken), is_muted=True)
        return None

    def _end_budgeted(self) -> None:
        slots, self._slots = self._slots, defaultdict(list)
        taken, self._taken = self._taken, {}
        settled, self._settled = self._settled, defaultdict(list)
        released, self._released = self._released, defaultdict(list)
        if not self._commands.accepts_writes:
            self._owe(slots, settled, released)
            return
        keys, arguments = _pack(slots, taken, settled, released)
        parts = (*END_CALLS.call, known_bulk(len(keys)), *keys, *arguments)
        reply = self._commands.ask_packed(parts)
        reply.add_done_callback(partial(self._heard, parts, slots, settled, released))

    def _heard(
        self, parts: Sequence[bytes], slots: _Calls, settled: _Entries, released: _Calls, reply: _Reply
    ) -> None:
        error = None if reply.cancelled() else reply.exception()
        if isinstance(error, Refused) and error.code == "NOSCRIPT":
            # In this order on one connection. What had been lost before is noticed and told by others.
            self._commands.send("SCRIPT", "LOAD", END_CALLS.source)
            again = self._commands.ask_packed(parts)
            again.add_done_callback(
                lambda reply: self._owe(slots, settled, released) if reply.exception() else None
            )
        elif error is not None:
            self._owe(slots, settled, released)

    def _owe(self, slots: _Calls, settled: _Entries, released: _Calls) -> None:
        self._slots_owed += ((key, call_id) for key, call_ids in slots.items() for call_id in call_ids)
        self._holds_owed += ((subject, call) for subject, calls in released.items() for call in calls)
        if settled or released:
            self._lost()


def _pack(
    slots: _Calls, taken: _Taken, settled: _Entries, released: _Calls
) -> tuple[list[bytes], list[bytes]]:
    """The keys and arguments of END_CALLS."""
    subjects = settled.keys() | released.keys()
    keys = list(map(known_bulk, slots))
    arguments = [_KEPT, known_bulk(len(slots)), known_bulk(len(taken)), known_bulk(len(subjects))]
    for call_ids in slots.values():
        arguments += (known_bulk(len(call_ids)), *map(id_bulk, call_ids))
    keys += [known_bulk(ADMISSION + name) for name in taken]
    arguments += _corrections(taken)
    for subject in subjects:
        keys += keys_of(subject).packed
        ended, entries = released.get(subject, ()), settled.get(subject, ())
        arguments += (known_bulk(len(ended)), *map(id_bulk, ended))
        arguments += (known_bulk(len(entries) // _ENTRY), *entries)
    return keys, arguments


def _corrections(taken: _Taken) -> list[bytes]:
    """Of each bucket its amount, window in s, and what is taken."""
    packed: list[bytes] = []
    for limit, more in taken.values():
        packed += (known_bulk(limit.amount), known_bulk(limit.window_s), number_bulk(more))
    return packed
