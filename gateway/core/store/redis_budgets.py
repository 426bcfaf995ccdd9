"""Budgets over all processes, and what this process has to tell again where Redis has lost it."""

import time
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress

from gateway.core.store.address import ADMISSION
from gateway.core.store.budget_scripts import (
    INSTALL,
    JOIN,
    RAISE_HOLDS,
    RELEASE_HOLDS,
    RENEW_HOLDS,
    SETTLE,
)
from gateway.core.store.budgets import MemoryBudgets
from gateway.core.store.connection import Argument, Connection
from gateway.core.store.interface import Balance, Charge, StoreUnavailable
from gateway.core.store.packing import keys_of
from gateway.core.store.script import bulk, known_bulk

# What SQL said is believed for so long while Redis is away: others spend as well.
FRESH_S = 1.0
# Nothing is a record here: a subject of which nobody has spoken for so long is asked of SQL again.
_KEPT_MS = 7 * 86_400_000
_KEPT = bulk(_KEPT_MS)
_SETTLED_KEPT = 100_000
_RENEWED_AT_ONCE = 500
_JUDGES = f"{ADMISSION}judges"


class RedisBudgets:
    """`mine` is what this process has installed, settled and holds: by that it judges while Redis is away."""

    def __init__(self, commands: Connection, process_id: str, *, lease_s: float) -> None:
        self.mine = MemoryBudgets(time.monotonic, fresh_s=FRESH_S)
        self.is_behind = False
        """Redis may not have heard all that it was told."""
        self._commands = commands
        self._process_id = process_id
        self._lease_ms = round(lease_s * 1000)
        self._live: dict[str, Sequence[str]] = {}
        self._settled: defaultdict[str, deque[tuple[int, Sequence[Charge]]]] = defaultdict(
            lambda: deque(maxlen=_SETTLED_KEPT)
        )
        self._unreleased: deque[tuple[str, Sequence[str]]] = deque(maxlen=_SETTLED_KEPT)
        self._has_asked = False

    def keep(self, call_id: str, subjects: Sequence[str]) -> None:
        """Renew what the call holds of them until it is released."""
        self._has_asked = True
        self._live[call_id] = subjects

    def settle(self, call_id: str, charges: Sequence[Charge], process: str, seq: int) -> None:
        self.mine.settle(call_id, charges, process, seq)
        self._settled[process].append((seq, charges))
        self._send_settled(call_id, charges, process, seq)

    def raise_hold(self, call_id: str, subjects: Sequence[str], amount: int) -> None:
        self.mine.raise_hold(call_id, subjects, amount)
        keys = [keys_of(subject).packed[2] for subject in subjects]
        self._commands.send_packed(RAISE_HOLDS, keys, [bulk(call_id), bulk(amount)], is_muted=True)

    def release_holds(self, call_id: str, subjects: Sequence[str]) -> None:
        self.mine.release_holds(call_id, self._live.pop(call_id, subjects))
        if subjects:
            self.give_back(call_id, subjects)

    def give_back(self, call_id: str, subjects: Sequence[str]) -> None:
        if not self._commands.is_up:
            self.is_behind = True
            self._unreleased.append((call_id, subjects))
        keys = [keys_of(subject).packed[2] for subject in subjects]
        self._commands.send_packed(RELEASE_HOLDS, keys, [bulk(call_id)], is_muted=True)

    def release_all(self) -> None:
        for call_id, subjects in list(self._live.items()):
            self.release_holds(call_id, subjects)
        if self._has_asked:
            self._commands.send_muted("ZREM", _JUDGES, self._process_id)

    async def install(
        self, subject: str, version: int, windows: Mapping[str, int], marks: Mapping[str, int]
    ) -> None:
        self.mine.install(subject, version, windows, marks)
        keys = keys_of(subject)[:2]
        arguments: list[Argument] = [version, _KEPT_MS, len(windows)]
        for name, number in (*windows.items(), *marks.items()):
            arguments += (name, number)
        with suppress(StoreUnavailable):
            await self._commands.run(INSTALL, keys, arguments)

    def recorded(self, process: str, seq: int) -> None:
        settled = self._settled[process]
        while settled and settled[0][0] <= seq:
            settled.popleft()

    async def balance(self, subject: str) -> Balance:
        with suppress(StoreUnavailable):
            keys = keys_of(subject)
            money = await self._commands.call("HGETALL", keys.money)
            held = await self._commands.call("HGET", keys.held, "*")
            return _balance(money, int(held or 0))
        return self.mine.balance(subject)

    async def join(self) -> None:
        """Say that this process judges budgets, and hear how many do.

        So many share what is left while Redis is away. Raises StoreUnavailable.
        """
        if self._has_asked:
            self.mine.sharers = await self._commands.run(JOIN, [_JUDGES], [self._lease_ms, self._process_id])

    def renew(self) -> None:
        """Prolong all holds, in order with whatever is released meanwhile."""
        by_subject: defaultdict[str, list[Argument]] = defaultdict(list)
        for call_id, subjects in self._live.items():
            for subject in subjects:
                if amount := self.mine.hold_of(call_id, subject):
                    by_subject[subject] += (call_id, amount)
        for subject, held in by_subject.items():
            for start in range(0, len(held), _RENEWED_AT_ONCE):
                some = held[start : start + _RENEWED_AT_ONCE]
                self._commands.send(
                    "EVAL", RENEW_HOLDS.source, 1, keys_of(subject).held, self._lease_ms, *some
                )

    def tell_again(self) -> None:
        """What is settled and not recorded, and all holds: Redis has lost it, or may not have heard it."""
        self.is_behind = False
        for _ in range(len(self._unreleased)):
            self.give_back(*self._unreleased.popleft())
        for process, settled in self._settled.items():
            for seq, charges in settled:
                # Its hold is not touched: the call may go on.
                self._send_settled("", charges, process, seq)
        self.renew()

    def _send_settled(self, call_id: str, charges: Sequence[Charge], process: str, seq: int) -> None:
        keys: list[bytes] = []
        arguments = [bulk(call_id), bulk(process), bulk(seq), _KEPT]
        for charge in charges:
            keys += keys_of(charge.subject).packed
            arguments += (known_bulk(charge.quarter), bulk(charge.amount))
        if not self._commands.accepts_writes:
            self.is_behind = True
        # With a reply, so that a refusal is heard.
        self._commands.send_packed(SETTLE, keys, arguments, is_muted=False)


def _balance(fields: Sequence[bytes], held: int) -> Balance:
    version: int | None = None
    base: dict[str, int] = {}
    owed: dict[int, int] = {}
    for name, number in zip(fields[::2], fields[1::2], strict=True):
        text, amount = name.decode(), int(number)
        if text == "v":
            version = amount
        elif text.startswith("w:"):
            base[text[2:]] = amount
        else:
            owed[int(text[2:])] = amount
    return Balance(version, base, owed, held)
