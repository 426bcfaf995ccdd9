"""Limits and budgets as the scripts take them: put together once for the same tuple, since most calls come with it."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from gateway.core.store.address import ADMISSION
from gateway.core.store.admission_scripts import ADMIT, ADMIT_UNBUDGETED
from gateway.core.store.interface import Ask, BudgetAsk, Limit, WindowLimit
from gateway.core.store.limits import cost_of
from gateway.core.store.script import bulk, id_bulk, known_bulk, number_bulk

_KEPT = 10_000
BORN_KEY = f"{ADMISSION}born"
"""Where Redis keeps since when it has its data."""
BORN = bulk(BORN_KEY)


class PackedLimits:
    """`slots` are the keys of those on concurrency, `windows` the limits that have one, `counted` those on tokens."""

    __slots__ = ("arguments", "counted", "keys", "limits", "slots", "windows")

    def __init__(self, limits: Sequence[Limit]) -> None:
        self.limits = limits
        self.keys = [bulk(ADMISSION + limit.name) for limit in limits]
        self.slots = [ADMISSION + limit.name for limit in limits if not limit.window_s]
        self.windows = [limit for limit in limits if limit.window_s]
        self.counted = [limit for limit in limits if limit.counts_tokens]
        self.arguments: list[bytes | None] = []
        """Each limit's amount, window and cost: 1, or None where it is each call's own."""
        for limit in limits:
            cost = None if limit.counts_tokens else bulk(1)
            self.arguments += (bulk(limit.amount), bulk(limit.window_s), cost)


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


class AdmissionForm:
    """The command that asks for all that some calls need, with blanks for what is each call's own."""

    __slots__ = ("_counted", "_refusing", "_text", "budgets", "candidates", "limits", "script", "subjects")

    def __init__(
        self,
        limits: PackedLimits,
        candidates: Sequence[PackedLimits],
        budgets: Sequence[PackedBudget],
        lease: bytes,
    ) -> None:
        self.limits, self.candidates = limits, candidates
        self._refusing = [number for number, budget in enumerate(budgets) if budget.windows]
        self.budgets = [budgets[number] for number in self._refusing]
        self.subjects = [budget.subject for budget in self.budgets]
        self.script = ADMIT if self.budgets else ADMIT_UNBUDGETED
        everybody = (limits, *candidates)
        self._counted = [limit for packed in everybody for limit in packed.counted]
        keys = [key for packed in everybody for key in packed.keys]
        keys += [key for budget in self.budgets for key in budget.keys]
        arguments = [None, lease, bulk(len(limits.keys)), bulk(len(candidates))]
        arguments += [bulk(len(quotas.keys)) for quotas in candidates]
        for packed in everybody:
            arguments += packed.arguments
        for budget in self.budgets:
            arguments += (None, None, *budget.arguments)
        if self.budgets:
            keys.append(BORN)
            arguments.append(None)
        parts = [*self.script.call, bulk(len(keys)), *keys, *arguments]
        texts = [b"%b" if part is None else part.replace(b"%", b"%%") for part in parts]
        self._text = b"*%d\r\n%b" % (len(parts), b"".join(texts))

    @property
    def asks_nothing(self) -> bool:
        return not (self.budgets or self.limits.limits or any(quotas.limits for quotas in self.candidates))

    def fill(self, ask: Ask, born: str) -> bytes:
        """`born`: since when Redis had its data."""
        own = [id_bulk(ask.call_id), *[number_bulk(cost_of(limit, ask)) for limit in self._counted]]
        for number in self._refusing:
            budget = ask.budgets[number]
            own += (number_bulk(budget.hold), number_bulk(budget.most))
        if self.budgets:
            own.append(known_bulk(born))
        return self._text % tuple(own)


_NOTHING = PackedLimits(())


class Packer:
    def __init__(self, lease: bytes) -> None:
        """`lease` of what is taken, as an argument."""
        self._lease = lease
        self._packed: dict[int, PackedLimits] = {}
        self._alike: dict[tuple[Limit, ...], PackedLimits] = {}
        self._budgets: dict[str, PackedBudget] = {}
        self._forms: dict[tuple[object, ...], AdmissionForm] = {}

    def form(self, ask: Ask) -> AdmissionForm:
        limits = self._pack(ask.limits)
        candidates = tuple([self._pack(quotas) for quotas in ask.candidates]) if ask.candidates else ()
        budgets = tuple([self._pack_budget(budget) for budget in ask.budgets]) if ask.budgets else ()
        form = self._forms.get((limits, candidates, budgets))
        if form is None:
            if len(self._forms) >= _KEPT:
                self._forms.clear()
            form = AdmissionForm(limits, candidates, budgets, self._lease)
            self._forms[limits, candidates, budgets] = form
        return form

    def _pack_budget(self, budget: BudgetAsk) -> PackedBudget:
        packed = self._budgets.get(budget.subject)
        if packed is not None and packed.given is budget.windows:
            return packed
        if len(self._budgets) >= _KEPT:
            self._budgets.clear()
        packed = self._budgets[budget.subject] = PackedBudget(budget.subject, tuple(budget.windows))
        if isinstance(budget.windows, tuple):
            packed.given = budget.windows
        return packed

    def _pack(self, limits: Sequence[Limit]) -> PackedLimits:
        if not limits:
            return _NOTHING
        packed = self._packed.get(id(limits))
        # What is kept holds its tuple, so that no other can have its id.
        if packed is not None and packed.limits is limits:
            return packed
        return self._find_alike(tuple(limits))

    def _find_alike(self, limits: tuple[Limit, ...]) -> PackedLimits:
        """What was made of the same limits: quotas are put together anew for each call."""
        if len(self._packed) >= _KEPT or len(self._alike) >= _KEPT:
            self._packed.clear()
            self._alike.clear()
        packed = self._alike.get(limits)
        if packed is None:
            packed = self._alike[limits] = PackedLimits(limits)
        packed.limits = limits
        self._packed[id(limits)] = packed
        return packed
