"""How limits and budgets stand: what SQL has as spent, and what the data plane of this process can say besides."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from accounts import models
from accounts.rules import compile_limits
from accounts.spending import Bases, read_bases
from accounts.windows import DAY_S, QUARTER_S, Window
from gateway.core.store.interface import Balance, Limit, Standing


class Reader(Protocol):
    """All may block, for a moment."""

    def standings(self, limits: Sequence[Limit]) -> Sequence[Standing]:
        """Of those that have a window. Nothing is taken."""

    def held(self, subjects: Sequence[str]) -> Mapping[str, int]:
        """By subject, in 10^-10 USD; without those of which it cannot be said."""

    def balances(self, subjects: Sequence[str]) -> Mapping[str, Balance]:
        """By subject; nothing while the store is away."""

    def install(self, bases: Bases) -> None:
        """Let the store know what SQL has as spent."""

    def release_holds(self, subject: str, calls: Iterable[str]) -> None:
        """Give back what those calls hold of it."""


class Nobody:
    """Where no data plane runs."""

    def standings(self, limits: Sequence[Limit]) -> Sequence[Standing]:  # noqa: ARG002
        return ()

    def held(self, subjects: Sequence[str]) -> Mapping[str, int]:  # noqa: ARG002
        return {}

    def balances(self, subjects: Sequence[str]) -> Mapping[str, Balance]:  # noqa: ARG002
        return {}

    def install(self, bases: Bases) -> None:
        pass

    def release_holds(self, subject: str, calls: Iterable[str]) -> None:
        pass


class Here:
    """Who can say in this process: nobody, until its runtime does."""

    def __init__(self) -> None:
        self.reader: Reader = Nobody()

    def forget(self) -> None:
        self.reader = Nobody()


here = Here()


@dataclass(frozen=True, slots=True)
class BudgetStanding:
    """Of one budget, in 10^-10 USD. `held` is None where nobody here can say it: it is what calls hold that run."""

    amount: int
    """With a raise that counts now."""
    spent: int
    held: int | None
    window: Window
    last_day: int = 0
    """What was spent in 24 hours, to the quarter of an hour, where it was asked for; so is `last_week`."""
    last_week: int = 0

    @property
    def left(self) -> int:
        """Whatever running calls hold of it."""
        return max(0, self.amount - self.spent)

    @property
    def free(self) -> int:
        """What further calls may take."""
        return max(0, self.left - (self.held or 0))

    @property
    def resets_at(self) -> datetime | None:
        """None: never."""
        return None if self.window.ends_at is None else datetime.fromtimestamp(self.window.ends_at, UTC)


def stand_budgets(
    budgets: Iterable[models.Budget], at: float, *, lately: bool = False
) -> Mapping[int, BudgetStanding]:
    """By their ids, at `at` (Unix seconds). One statement, and a moment of the store for those that refuse."""
    rows = list(budgets)
    wanted: dict[str, list[Window]] = {}
    further = _last_days(at) if lately else ()
    for budget in rows:
        wanted.setdefault(budget.subject_text, [*further]).append(budget.window_at(at))
    if not rows:
        return {}
    spent, held = read_bases(wanted).spent, here.reader.held(list(wanted))
    return {
        budget.pk: BudgetStanding(
            budget.amount_at(at),
            spent[budget.subject_text][budget.window_at(at).field],
            held.get(budget.subject_text),
            budget.window_at(at),
            *(spent[budget.subject_text][window.field] for window in further),
        )
        for budget in rows
    }


def _last_days(at: float) -> tuple[Window, Window]:
    """A day and a week that end now, in no budget's calendar."""
    end = (int(at) // QUARTER_S + 1) * QUARTER_S
    return Window("last-day", "", end - DAY_S, end), Window("last-week", "", end - 7 * DAY_S, end)


def stand_limits(limits: Iterable[models.Limit]) -> Mapping[int, Standing]:
    """By their ids, as far as somebody here can say it: not of calls at once."""
    compiled = {
        row.pk: next(iter(compile_limits(row.subject, [(row.unit, row.window, row.amount)])))
        for row in limits
    }
    if not compiled:
        return {}
    standing = {each.limit: each for each in here.reader.standings(list(compiled.values()))}
    return {pk: standing[limit] for pk, limit in compiled.items() if limit in standing}
