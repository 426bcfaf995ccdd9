"""Limits and budgets of all subjects in memory, put together for each key that calls. Pure; each call asks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from accounts.budgets import SubjectBudgets, Terms
from accounts.keys import DEPLOYMENT, KeyFacts, Subject
from accounts.limits import WINDOWS_S
from accounts.subjects import Owners, payers, store_name, subjects_of, subjects_told, with_own
from gateway.core.store.interface import Limit

_KEPT_MOST = 100_000
Row = tuple[str, str, int]
"""Unit, window and amount of a limit, as its row has them."""


@dataclass(frozen=True, slots=True)
class KeyRules:
    """All that counts for a key's calls, the nearest subject's first."""

    limits: tuple[Limit, ...] = ()
    counts_tokens: bool = False
    budgets: tuple[SubjectBudgets, ...] = ()
    """Of those whose budgets refuse calls; those that count calls on a team's own credentials come last."""
    counts_own: bool = False
    counts_calls_alone: bool = field(init=False, compare=False)
    """Whatever a call costs, and however long it is."""

    def __post_init__(self) -> None:
        alone = bool(self.limits) and not (self.counts_tokens or self.budgets)
        object.__setattr__(self, "counts_calls_alone", alone)


@dataclass(frozen=True, slots=True)
class CallRules:
    """What counts for a call when it is put right, by the ids that travel with it."""

    token_limits: tuple[Limit, ...]
    payers: tuple[str, ...]
    """Whose budgets count what it costs here: those that have any, as the store names them."""
    own_payers: tuple[str, ...]
    """Of those, whose count what it would have cost, too."""
    holders: tuple[str, ...]
    """Both: whose budgets may hold something for it."""


class Rules:
    """As they were at one moment; a change makes another one. For one thread: what it put together is kept."""

    def __init__(
        self, limits: Mapping[Subject, Iterable[Row]], budgets: Mapping[str, Sequence[Terms]] | None = None
    ) -> None:
        """`budgets` by the names that subjects have in the store."""
        self._limits = limits
        told = {subject: SubjectBudgets(subject, terms) for subject, terms in (budgets or {}).items()}
        self.budgets: Mapping[str, SubjectBudgets] = {
            subject: each for subject, each in told.items() if each.terms
        }
        self.counts_own = any(each.counts_own for each in self.budgets.values())
        self._kept: dict[tuple[int, int], tuple[KeyFacts, KeyRules]] = {}
        self._of_calls: dict[tuple[Owners, int], CallRules] = {}

    def for_key(self, key: KeyFacts, project_id: int = 0) -> KeyRules:
        """`project_id` is that of the project that the call names, 0 where the team has no such row."""
        kept = self._kept.get((key.id, project_id))
        if kept is not None and kept[0] is key:
            return kept[1]
        limits = tuple(self._limits_of(key, project_id))
        budgets = tuple(self._budgets_of(key, project_id))
        rules = KeyRules(
            limits,
            any(limit.counts_tokens for limit in limits),
            budgets,
            any(each.counts_own for each in budgets),
        )
        if len(self._kept) >= _KEPT_MOST:
            self._kept.clear()
        self._kept[key.id, project_id] = (key, rules)
        return rules

    def of_call(self, owners: Owners, team_id: int) -> CallRules:
        kept = self._of_calls.get((owners, team_id))
        if kept is None:
            if len(self._of_calls) >= _KEPT_MOST:
                self._of_calls.clear()
            kept = self._of_calls[owners, team_id] = self._look(owners, team_id)
        return kept

    def _look(self, owners: Owners, team_id: int) -> CallRules:
        subjects = subjects_told(owners, team_id)
        names = list(payers(owners, team_id))
        paying = tuple(name for name in names if name in self.budgets)
        own = tuple(name for name in with_own(names) if name in self.budgets)
        counted = (limit for subject in subjects for limit in self.limits_of(subject) if limit.counts_tokens)
        return CallRules(tuple(counted), paying, own, paying + own)

    def limits_of(self, subject: Subject) -> tuple[Limit, ...]:
        return tuple(compile_limits(subject, self._limits.get(subject, ())))

    def _budgets_of(self, key: KeyFacts, project_id: int) -> Iterable[SubjectBudgets]:
        if not self.budgets:
            return
        names = (*map(store_name, subjects_of(key, project_id)), DEPLOYMENT)
        for subject in (*names, *with_own(names)):
            if budgets := self.budgets.get(subject):
                yield budgets

    def _limits_of(self, key: KeyFacts, project_id: int) -> Iterable[Limit]:
        for subject in subjects_of(key, project_id):
            rows = self._limits.get(subject, ())
            if subject[0] == "key":
                rows = within_ceilings(rows, key)
            yield from compile_limits(subject, rows)


def compile_limits(subject: Subject, rows: Iterable[Row]) -> Iterable[Limit]:
    name = store_name(subject)
    for unit, window, amount in rows:
        yield Limit(name, unit, amount, WINDOWS_S[window])


def within_ceilings(rows: Iterable[Row], key: KeyFacts) -> Iterable[Row]:
    """A key's own, and where its team's keys have a ceiling, no more than that."""
    ceilings = {
        ("requests", "minute"): key.requests_per_minute_most,
        ("concurrency", "none"): key.concurrency_most,
    }
    for unit, window, amount in rows:
        most = ceilings.pop((unit, window), None)
        yield unit, window, amount if most is None else min(amount, most)
    for (unit, window), most in ceilings.items():
        if most is not None:
            yield unit, window, most


NONE = Rules({})
