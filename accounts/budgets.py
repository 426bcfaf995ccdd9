"""Budgets as calls are held to them: the windows of one subject at an instant. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.subjects import counts_own
from accounts.windows import Window, window_at
from gateway.core.store.interface import WindowLimit


@dataclass(frozen=True, slots=True)
class Terms:
    """One budget as its row has it. Amounts in 10^-10 USD; `raised_by` counts before `raised_until` (Unix seconds)."""

    window: str
    zone: str
    amount: int
    is_strict: bool = False
    """It holds the most that a call could cost; else what calls like it usually do."""
    refuses: bool = True
    raised_by: int = 0
    raised_until: float = 0.0

    def amount_at(self, now: float) -> int:
        return self.amount + (self.raised_by if now < self.raised_until else 0)


class SubjectBudgets:
    """All that refuse calls of one subject. `subject` is its name in the store, such as `team:7`."""

    def __init__(self, subject: str, terms: Sequence[Terms]) -> None:
        self.subject = subject
        self.terms = tuple(each for each in terms if each.refuses)
        self.is_strict = any(each.is_strict for each in self.terms)
        self.counts_own = counts_own(subject)
        """Calls on a team's own credentials, too."""
        self._periods: tuple[Window, ...] = ()
        self._windows: tuple[WindowLimit, ...] = ()
        self._since, self._until = float("inf"), float("-inf")

    def windows_at(self, now: float) -> tuple[WindowLimit, ...]:
        """`now` in Unix seconds. Worked out when one of them ends, and not for every call."""
        if not self._since <= now < self._until:
            self._look(now)
        return self._windows

    def periods_at(self, now: float) -> tuple[Window, ...]:
        """The same as what SQL can add up."""
        self.windows_at(now)
        return self._periods

    def _look(self, now: float) -> None:
        self._periods = tuple(window_at(terms.window, terms.zone, now) for terms in self.terms)
        pairs = list(zip(self._periods, self.terms, strict=True))
        self._windows = tuple(
            WindowLimit(period.field, period.starts_at, terms.amount_at(now), ends_at=period.ends_at)
            for period, terms in pairs
        )
        ends = [period.ends_at for period in self._periods if period.ends_at is not None]
        raises = [terms.raised_until for terms in self.terms if now < terms.raised_until]
        self._since, self._until = now, min([*ends, *raises], default=float("inf"))
