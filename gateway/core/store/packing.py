"""Limits and budgets as the scripts take them: put together once for the same tuple, since most calls come with it."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from gateway.core.store.address import ADMISSION
from gateway.core.store.admission_scripts import ADMIT, ADMIT_UNBUDGETED
from gateway.core.store.interface import Ask, BudgetAsk, Limit, WindowLimit
from gateway.core.store.limits import cost_of
from gateway.core.store.script import bulk, pack_command

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
    """The command that asks for all that some calls need, up to what is each call's own."""

    __slots__ = (
        *("asks_nothing", "budgets", "candidates", "limits", "own_size", "script", "subjects"),
        *("_begins", "_counted", "_parts", "_refusing"),
    )

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
        self.asks_nothing = not (self.budgets or any(packed.limits for packed in everybody))
        keys = [key for packed in everybody for key in packed.keys]
        keys += [key for budget in self.budgets for key in budget.keys]
        if self.budgets:
            keys.append(BORN)
        places = iter(range(-1, -1 - len(self._counted), -1))
        shared = [
            bulk(len(limits.keys)),
            bulk(len(candidates)),
            *[bulk(len(each.keys)) for each in candidates],
        ]
        for packed in everybody:
            shared += [bulk(next(places)) if part is None else part for part in packed.arguments]
        for budget in self.budgets:
            shared += budget.arguments
        self.own_size = len(self._counted) + (2 * len(self.budgets) + 1 if self.budgets else 0) + 1
        arguments = [lease, bulk(len(shared) + 4), bulk(self.own_size), *shared]
        parts = [*self.script.call, bulk(len(keys)), *keys, *arguments]
        self._parts, self._begins = len(parts), b"".join(parts)

    def add_own(self, own: list[int | str], ask: Ask, born: str) -> None:
        """What is this call's own, to that of others; `born`: since when Redis had its data."""
        if self.own_size > 1:
            own += [cost_of(limit, ask) for limit in self._counted]
            if self.budgets:
                for number in self._refusing:
                    budget = ask.budgets[number]
                    own += (budget.hold, budget.most)
                own.append(born)
        own.append(ask.call_id)

    def fill(self, own: Sequence[int | str]) -> bytes:
        """The command for calls of which it is all that is their own."""
        # As a command of its own, without how many arguments that has.
        packed = pack_command(tuple(own))
        count = self._parts + len(own)
        return b"*%d\r\n%b%b" % (count, self._begins, packed[packed.index(b"$") :])


_NOTHING = PackedLimits(())


class Packer:
    def __init__(self, lease: bytes) -> None:
        """`lease` of what is taken, as an argument."""
        self._lease = lease
        self._packed: dict[int, PackedLimits] = {}
        self._alike: dict[tuple[Limit, ...], PackedLimits] = {}
        self._budgets: dict[str, PackedBudget] = {}
        self._forms: dict[tuple[object, ...], AdmissionForm] = {}
        self._known: dict[tuple[object, ...], tuple[AdmissionForm, object]] = {}

    def form(self, ask: Ask) -> AdmissionForm:
        """The same for the same tuples of limits and windows, as most calls come with."""
        if ask.candidates:
            return self._find_form(ask)
        asked: tuple[object, ...] = (id(ask.limits),)
        if ask.budgets:
            asked += tuple([(budget.subject, id(budget.windows)) for budget in ask.budgets])
        known = self._known.get(asked)
        return self._learn_form(ask, asked) if known is None else known[0]

    def _learn_form(self, ask: Ask, asked: tuple[object, ...]) -> AdmissionForm:
        form = self._find_form(ask)
        given = (ask.limits, *[budget.windows for budget in ask.budgets])
        if all(isinstance(each, tuple) for each in given):
            if len(self._known) >= _KEPT:
                self._known.clear()
            # It is kept with its tuples, so that no others can have their ids.
            self._known[asked] = form, given
        return form

    def _find_form(self, ask: Ask) -> AdmissionForm:
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
