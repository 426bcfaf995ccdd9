"""Limits and budgets as the scripts take them: put together once for the same tuple, since most calls come with it."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from gateway.core.store.address import ADMISSION
from gateway.core.store.interface import CONCURRENCY, REQUESTS, Ask, BudgetAsk, Limit, WindowLimit
from gateway.core.store.limits import cost_of
from gateway.core.store.script import bulk

_KEPT = 10_000


class PackedLimits:
    """`slots` are the keys of those on concurrency, `windows` the limits that have one."""

    __slots__ = ("_arguments", "_counted", "keys", "limits", "slots", "windows")

    def __init__(self, limits: Sequence[Limit]) -> None:
        self.limits = limits
        self.keys = [bulk(ADMISSION + limit.name) for limit in limits]
        self.slots = [ADMISSION + limit.name for limit in limits if not limit.window_s]
        self.windows = [limit for limit in limits if limit.window_s]
        # Each limit's amount, window and cost, which is 1 where tokens are not what it counts.
        self._arguments = [bulk(number) for limit in limits for number in (limit.amount, limit.window_s, 1)]
        self._counted = [
            (3 * position + 2, limit)
            for position, limit in enumerate(limits)
            if limit.unit not in {REQUESTS, CONCURRENCY}
        ]

    def arguments(self, ask: Ask) -> list[bytes]:
        if not self._counted:
            return self._arguments
        arguments = self._arguments.copy()
        for position, limit in self._counted:
            arguments[position] = bulk(cost_of(limit, ask))
        return arguments


class PackedBudget:
    """One subject's keys, and those of its windows that can refuse."""

    __slots__ = ("arguments", "given", "keys", "subject", "windows")

    def __init__(self, subject: str, windows: Sequence[WindowLimit]) -> None:
        keys = keys_of(subject)
        self.subject, self.given = subject, windows
        self.keys = (keys.packed[0], keys.packed[2])
        self.windows = [window for window in windows if window.refuses]
        self.arguments = [bulk(len(self.windows))]
        for window in self.windows:
            self.arguments += (bulk(f"w:{window.window}"), bulk(window.starts_at), bulk(window.amount))


class SubjectKeys(NamedTuple):
    """Where Redis keeps the money of a subject: see `budget_scripts.py`."""

    money: str
    owed: str
    held: str
    packed: tuple[bytes, bytes, bytes]


@lru_cache(_KEPT)
def keys_of(subject: str) -> SubjectKeys:
    money, owed, held = (f"{ADMISSION}{what}:{subject}" for what in ("money", "owed", "held"))
    return SubjectKeys(money, owed, held, (bulk(money), bulk(owed), bulk(held)))


_NOTHING = PackedLimits(())


class Packer:
    def __init__(self) -> None:
        self._packed: dict[int, PackedLimits] = {}
        self._budgets: dict[str, PackedBudget] = {}

    def budgets(self, asked: Sequence[BudgetAsk]) -> list[tuple[PackedBudget, int, int]]:
        """Those that can refuse, and what each is to hold: what is likely, and the most."""
        found = []
        for budget in asked:
            packed = self._budgets.get(budget.subject)
            if packed is None or packed.given is not budget.windows:
                packed = self._pack_budget(budget)
            if packed.windows:
                found.append((packed, budget.hold, budget.most))
        return found

    def _pack_budget(self, budget: BudgetAsk) -> PackedBudget:
        if len(self._budgets) >= _KEPT:
            self._budgets.clear()
        packed = self._budgets[budget.subject] = PackedBudget(budget.subject, tuple(budget.windows))
        if isinstance(budget.windows, tuple):
            packed.given = budget.windows
        return packed

    def pack(self, limits: Sequence[Limit]) -> PackedLimits:
        if not limits:
            return _NOTHING
        packed = self._packed.get(id(limits))
        # What is kept holds its tuple, so that no other can have its id.
        if packed is not None and packed.limits is limits:
            return packed
        packed = PackedLimits(limits)
        if isinstance(limits, tuple):
            if len(self._packed) >= _KEPT:
                self._packed.clear()
            self._packed[id(limits)] = packed
        return packed
