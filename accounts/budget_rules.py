"""Budgets of one subject in memory, with the windows that count now. Pure; the data plane asks at each call."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.windows import window_at
from gateway.core.store.interface import WindowLimit

_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One budget, as its row has it. Money in 10^-10 USD; `raised` counts until then (Unix seconds)."""

    window: str
    zone: str
    amount: int
    refuses: bool = True
    is_strict: bool = False
    raised: int = 0
    raise_until: float = 0.0


class SubjectBudgets:
    """Of one subject, such as `key:7`. Its windows are put together once, and again when one of them turns."""

    __slots__ = ("_asked", "_rows", "_until", "_windows", "is_strict", "refuses", "subject")

    def __init__(self, subject: str, rows: Sequence[BudgetRow]) -> None:
        self.subject = subject
        self.refuses = any(row.refuses for row in rows)
        self.is_strict = any(row.refuses and row.is_strict for row in rows)
        """Whether a call holds the most that it can cost."""
        self._rows = rows
        self._until = -_NEVER
        self._windows: tuple[WindowLimit, ...] = ()
        self._asked: tuple[WindowLimit, ...] = ()

    def windows_at(self, at: float) -> tuple[WindowLimit, ...]:
        """All of its windows, for calls that start at `at` or later: time does not go back here."""
        if at >= self._until:
            self._turn(at)
        return self._windows

    def asked_at(self, at: float) -> tuple[WindowLimit, ...]:
        """Those that refuse."""
        if at >= self._until:
            self._turn(at)
        return self._asked

    def _turn(self, at: float) -> None:
        ends = []
        windows = []
        for row in self._rows:
            window = window_at(row.window, row.zone, at)
            is_raised = at < row.raise_until
            amount = row.amount + row.raised if is_raised else row.amount
            windows.append(WindowLimit(window.field, window.starts_at, amount, row.refuses, window.ends_at))
            ends += [window.ends_at or _NEVER, row.raise_until if is_raised else _NEVER]
        self._windows = tuple(windows)
        self._asked = tuple(window for window in windows if window.refuses)
        self._until = min(ends, default=_NEVER)
