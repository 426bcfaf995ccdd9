"""Budgets in the memory of one process: what SQL has spent, what is settled but not there yet, and what is held.

Amounts are whole numbers of 10⁻¹⁰ USD. The rules are those of Redis, in `budget_scripts.py`.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.core.store.interface import SOON_S, Ask, Balance, BudgetAsk, Charge, Verdict, WindowLimit

OVERSHOOT = 40
"""By one part in so many calls may overshoot a budget that holds what is likely."""


@dataclass(slots=True)
class Account:
    """One subject's money. Each settled amount is in `base` or in `owed`: never in both, never in neither."""

    version: int | None = None
    """Of SQL's state, that `base` tells; None: nothing is installed."""
    installed_at: float = -math.inf
    base: dict[str, int] = field(default_factory=dict)
    owed: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    """By process and seq: the quarter of an hour in which the call began, and the amount."""
    quarters: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    """The sums of what is owed."""
    marks: dict[str, int] = field(default_factory=dict)
    """Of each process the last seq that `base` holds."""
    holds: dict[str, int] = field(default_factory=dict)
    held: int = 0
    """The sum of holds."""

    def owes(self, window: WindowLimit) -> int:
        return sum(amount for quarter, amount in self.quarters.items() if quarter >= window.starts_at)

    def add(self, attempt: tuple[str, int], quarter: int, amount: int) -> bool:
        """What was settled for that process' attempt of that seq. False: it was there before."""
        if attempt in self.owed:
            return False
        process, seq = attempt
        if seq > self.marks.get(process, -1):
            self.owed[attempt] = (quarter, amount)
            self.quarters[quarter] += amount
        return True

    def set_hold(self, call_id: str, amount: int) -> None:
        """0: the call holds nothing."""
        self.held += amount - self.holds.pop(call_id, 0)
        if amount:
            self.holds[call_id] = amount

    def install(self, version: int, windows: Mapping[str, int], marks: Mapping[str, int]) -> bool:
        """False: a later version is installed."""
        if self.version is not None and version < self.version:
            return False
        if version != self.version:
            self.version, self.base, self.marks = version, {}, dict(marks)
            left = {entry: owed for entry, owed in self.owed.items() if entry[1] > marks.get(entry[0], -1)}
            self.owed, self.quarters = left, defaultdict(int)
            for quarter, amount in left.values():
                self.quarters[quarter] += amount
        self.base.update(windows)
        return True


def hold_for(budget: BudgetAsk, amount: int, free: int, running: int) -> int:
    """What a call holds of a window that leaves so much `free`, beside so many that are `running`.

    Others are taken to be as large: then what all of them may cost beyond what they hold is bounded.
    """
    beyond = budget.most - budget.hold
    is_tight = beyond > 0 and free - budget.hold + amount // OVERSHOOT < (running + 1) * beyond
    return budget.most if is_tight else budget.hold


class MemoryBudgets:
    """`fresh_s`: how long what is installed may be believed, where other processes spend as well.

    With them, what is left is shared among as many as there are.
    """

    def __init__(self, clock: Callable[[], float], *, fresh_s: float = math.inf) -> None:
        self.sharers = 1
        self.holding: dict[str, Sequence[str]] = {}
        """By call: the subjects of which this process holds something for it."""
        self._clock = clock
        self._fresh_s = fresh_s
        self._accounts: defaultdict[str, Account] = defaultdict(Account)

    def look(self, ask: Ask) -> tuple[Verdict | None, list[int]]:
        """The refusal, or what each budget would hold; nothing is taken."""
        refusals: dict[str, Verdict] = {}
        holds: list[int] = []
        for budget in ask.budgets:
            hold, reason, window = self._judge(budget, ask.call_id)
            holds.append(hold)
            if window is not None:
                retry_after_s = SOON_S if reason == "held" else 0.0
                refusal = Verdict(False, None, (budget.subject, window), reason, retry_after_s)
                refusals.setdefault(reason, refusal)
        reason = next((reason for reason in ("unknown", "spent", "held") if reason in refusals), "")
        return refusals.get(reason), holds

    def take(self, call_id: str, subjects: Sequence[str], holds: Iterable[int]) -> None:
        self.holding[call_id] = subjects
        for subject, amount in zip(subjects, holds, strict=True):
            self._accounts[subject].set_hold(call_id, amount)

    def settle(
        self, call_id: str, charges: Iterable[Charge], process: str, seq: int, ends: Sequence[str] = ()
    ) -> None:
        attempt = process, seq
        for charge in charges:
            account = self._accounts[charge.subject]
            if (
                account.add(attempt, charge.quarter, charge.amount)
                and charge.subject not in ends
                and (held := account.holds.get(call_id))
            ):
                account.set_hold(call_id, max(0, held - charge.amount))
        if ends:
            self.release_holds(call_id, ends)

    def release(self, call_id: str, *, leaves_holds: bool = False) -> Sequence[str]:
        """As Store.release. The subjects of which the call held something."""
        held = self.holding.pop(call_id, ())
        if not leaves_holds:
            self.release_holds(call_id, held)
        return held

    def release_holds(self, call_id: str, subjects: Iterable[str]) -> None:
        self.holding.pop(call_id, None)
        for subject in subjects:
            self._accounts[subject].set_hold(call_id, 0)

    def raise_hold(self, call_id: str, subjects: Iterable[str], amount: int) -> None:
        for subject in subjects:
            account = self._accounts[subject]
            if 0 < account.holds.get(call_id, 0) < amount:
                account.set_hold(call_id, amount)

    def install(
        self, subject: str, version: int, windows: Mapping[str, int], marks: Mapping[str, int]
    ) -> None:
        account = self._accounts[subject]
        if account.install(version, windows, marks):
            account.installed_at = self._clock()

    def balance(self, subject: str) -> Balance:
        account = self._accounts[subject]
        return Balance(account.version, dict(account.base), dict(account.quarters), account.held)

    def hold_of(self, call_id: str, subject: str) -> int:
        return self._accounts[subject].holds.get(call_id, 0)

    def _judge(self, budget: BudgetAsk, call_id: str) -> tuple[int, str, WindowLimit | None]:
        """What it would hold; or why it refuses, and which of its windows does."""
        account = self._accounts[budget.subject]
        is_stale = self._clock() - account.installed_at > self._fresh_s
        free: int | None = None
        refusal: tuple[str, WindowLimit | None] = ("", None)
        hold = budget.hold
        for window in budget.windows:
            if not window.refuses:
                continue
            spent = account.base.get(window.window)
            if spent is None or is_stale:
                return 0, "unknown", window
            owed, left = account.owes(window), window.amount - spent
            if left - owed <= 0 and refusal[0] != "spent":
                refusal = ("spent", window)
            here = left // self.sharers - owed - account.held + account.holds.get(call_id, 0)
            if free is None or here < free:
                free = here
                hold = hold_for(budget, window.amount, here, len(account.holds))
                if here <= 0 < hold and refusal[0] != "spent":
                    refusal = ("held", window)
        return max(0, min(hold, free or 0)), *refusal
