"""Budgets over all processes, and what this process has to tell again where Redis has lost it."""

import time
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from gateway.core.store.address import ADMISSION
from gateway.core.store.budget_scripts import INSTALL, JOIN, RAISE_HOLDS, RENEW_HOLDS
from gateway.core.store.budgets import MemoryBudgets
from gateway.core.store.connection import Argument, Connection
from gateway.core.store.interface import Balance, Charge, StoreUnavailable, Verdict
from gateway.core.store.packing import BORN_KEY, keys_of
from gateway.core.store.redis_turn import KEPT_MS, Turn
from gateway.core.store.script import bulk

# What SQL said is believed for so long while Redis is away: others spend as well.
FRESH_S = 1.0
_SETTLED_KEPT = 100_000
_RENEWED_AT_ONCE = 500
_JUDGES = f"{ADMISSION}judges"
# So long what a worker settles may not be in SQL, and is nowhere else while Redis is away.
_UNRECORDED_S = 3.0
# So long it may take after a loss until a worker knows whether an answer arrived that was on its way.
_UNSETTLED_S = 15.0


class RedisBudgets:
    """`mine` is what this process has installed, settled and holds: by that it judges while Redis is away."""

    def __init__(self, commands: Connection, turn: Turn, process_id: str, *, lease_s: float) -> None:
        self.mine = MemoryBudgets(time.monotonic, fresh_s=FRESH_S)
        self.is_behind = False
        """Redis may not have heard all that it was told."""
        self._commands = commands
        self._turn = turn
        self._process_id = process_id
        self._lease_ms = round(lease_s * 1000)
        self._settled: defaultdict[str, deque[tuple[int, Sequence[Charge]]]] = defaultdict(
            lambda: deque(maxlen=_SETTLED_KEPT)
        )
        self.has_asked = False
        """This process judges budgets."""
        self.born = ""
        """Since when Redis has its data, as a text; empty while unknown."""
        self._told = ""
        self._elsewhere: deque[tuple[float, str, Sequence[str]]] = deque()
        self._told_elsewhere: set[str] = set()

    def note_taken(self, call_id: str, subjects: Sequence[str], holds: Iterable[bytes], born: bytes) -> None:
        """What Redis let a call hold; `born`: since when it has its data."""
        self.mine.take(call_id, subjects, map(int, holds))
        self.born = self.born or born.decode()
        self.has_asked = True

    def settle(
        self, call_id: str, charges: Sequence[Charge], process: str, seq: int, ends: Sequence[str] = ()
    ) -> None:
        self.mine.settle(call_id, charges, process, seq, ends)
        self._settled[process].append((seq, charges))
        self._turn.settle(call_id, charges, process, seq, ends)

    def raise_hold(self, call_id: str, subjects: Sequence[str], amount: int) -> None:
        self.mine.raise_hold(call_id, subjects, amount)
        keys = [keys_of(subject).packed[2] for subject in subjects]
        self._commands.send_packed(RAISE_HOLDS, keys, [bulk(call_id), bulk(amount)], is_muted=True)

    def release(self, call_id: str, *, leaves_holds: bool) -> None:
        """As Store.release, of a call that holds something."""
        held = self.mine.release(call_id, leaves_holds=leaves_holds)
        if leaves_holds:
            self._elsewhere.append((time.monotonic() + _UNRECORDED_S, call_id, held))
        else:
            self._turn.release(call_id, held)

    def release_holds(self, call_id: str, subjects: Sequence[str]) -> None:
        self.mine.release_holds(call_id, subjects)
        self._turn.release(call_id, subjects)

    def lost(self, born: str, wait_s: float) -> Verdict:
        """Redis has lost what was held and owed, and has its data since `born`: wait until everybody told it again."""
        if born != self._told:
            self._told = born
            self.tell_again()
        if wait_s <= 0:
            self.born = born
        return Verdict(False, None, None, "lost", wait_s)

    def forget_elsewhere(self) -> None:
        """What workers have settled is in SQL by now."""
        now = time.monotonic()
        while self._elsewhere and self._elsewhere[0][0] <= now:
            _, call_id, subjects = self._elsewhere.popleft()
            self.mine.release_holds(call_id, subjects)
            if call_id in self._told_elsewhere:
                self._told_elsewhere.discard(call_id)
                self._turn.release(call_id, subjects)

    def release_all(self) -> None:
        for call_id in list(self.mine.holding):
            self.release(call_id, leaves_holds=False)
        self._turn.finish()
        if self.has_asked:
            self._commands.send_muted("ZREM", _JUDGES, self._process_id)

    async def install(
        self, subject: str, version: int, windows: Mapping[str, int], marks: Mapping[str, int]
    ) -> None:
        self.mine.install(subject, version, windows, marks)
        keys = keys_of(subject)[:2]
        arguments: list[Argument] = [version, KEPT_MS, len(windows)]
        for name, number in (*windows.items(), *marks.items()):
            arguments += (name, number)
        with suppress(StoreUnavailable):
            await self._commands.run(INSTALL, keys, arguments)

    def recorded(self, process: str, seq: int) -> None:
        settled = self._settled[process]
        while settled and settled[0][0] <= seq:
            settled.popleft()

    async def balance(self, subject: str) -> Balance:
        self._turn.finish()
        with suppress(StoreUnavailable):
            keys = keys_of(subject)
            money = await self._commands.call("HGETALL", keys.money)
            held = await self._commands.call("HGETALL", keys.held)
            return _balance(money, *_read_holds(held, time.time() * 1000 - self._lease_ms))
        return self.mine.balance(subject)

    async def join(self) -> None:
        """Say that this process judges budgets, and hear how many do.

        So many share what is left while Redis is away. Raises StoreUnavailable.
        """
        if self.has_asked:
            arguments: list[Argument] = [self._lease_ms, self._process_id]
            self.mine.sharers, born = await self._commands.run(JOIN, [_JUDGES, BORN_KEY], arguments)
            self.born = self.born or born.decode()

    def renew(self) -> None:
        """Prolong all holds, in order with whatever is released meanwhile."""
        self._hold_again(self.mine.holding.items())

    def _hold_again(self, calls: Iterable[tuple[str, Sequence[str]]]) -> None:
        by_subject: defaultdict[str, list[Argument]] = defaultdict(list)
        for call_id, subjects in calls:
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
        for process, settled in self._settled.items():
            for seq, charges in settled:
                # Its hold is not touched: the call may go on.
                self._turn.settle("", charges, process, seq)
        # Their workers may not have settled them, and do not know what they hold.
        until = time.monotonic() + _UNSETTLED_S
        self._elsewhere = deque((until, call_id, subjects) for _, call_id, subjects in self._elsewhere)
        self._told_elsewhere.update(call_id for _, call_id, _ in self._elsewhere)
        self._hold_again([(call_id, subjects) for _, call_id, subjects in self._elsewhere])
        self.renew()


def _read_holds(fields: Sequence[bytes], since_ms: float) -> tuple[int, Mapping[str, int]]:
    """What is held together, and by call what was leased until before then."""
    found = {name.decode(): int(number) for name, number in zip(fields[::2], fields[1::2], strict=True)}
    calls = [name[2:] for name, ends_ms in found.items() if name.startswith("x:") and ends_ms < since_ms]
    return found.get("*", 0), {call_id: found.get(f"a:{call_id}", 0) for call_id in calls}


def _balance(fields: Sequence[bytes], held: int, ownerless: Mapping[str, int]) -> Balance:
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
    return Balance(version, base, owed, held, ownerless)
