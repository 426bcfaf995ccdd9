"""What SQL has as spent, told to the store: so budgets are judged without asking SQL at each call."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from django.db import Error, connection

from accounts.attempts import AttemptRecord
from accounts.budget_notices import tell_held
from accounts.budgets import SubjectBudgets
from accounts.spending import Bases, read_bases
from accounts.subjects import PROVIDER, everybody, owners_of, with_own
from gateway.core import sql
from gateway.core.store.interface import Store, WindowLimit
from gateway.proxy.admission.admission import Rulebook

_log = logging.getLogger(__name__)
_TELL_S = 10.0
_MOST_TOLD = 10_000
Place = tuple[str, str]
"""A subject and the name of a window, as the store has them."""


class BudgetBases:
    """Of one process. `learn` is called on the loop, `recorded` and `renew` by the recorder's thread."""

    def __init__(self, store: Store, rules: Rulebook, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._rules = rules
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="spent")
        self._looks: dict[tuple[str, ...], asyncio.Future[None]] = {}
        self._touched: set[str] = set()
        self._refused: set[Place] = set()
        self._told: set[Place] = set()
        self._lock = threading.Lock()
        self.spent_providers: frozenset[str] = frozenset()

    def open(self) -> None:
        """On the store's loop."""
        self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def learn(self, budgets: Sequence[SubjectBudgets]) -> None:
        """Nothing where SQL does not answer. Calls that ask at once, as when a window begins, share one look."""
        subjects = tuple(each.subject for each in budgets)
        look = self._looks.get(subjects)
        if look is None:
            look = self._looks[subjects] = asyncio.ensure_future(self._learn(budgets))
            look.add_done_callback(lambda _: self._looks.pop(subjects, None))
        # Others may wait for it: one caller's end must not cancel it.
        await asyncio.shield(look)

    async def _learn(self, budgets: Sequence[SubjectBudgets]) -> None:
        loop = asyncio.get_running_loop()
        try:
            bases = await loop.run_in_executor(self._pool, self._read, budgets)
        except Error as error:
            _log.warning("What was spent cannot be read: %s", sql.brief(error))
            return
        await self._install(bases)

    def recorded(self, attempts: Iterable[AttemptRecord], process: str, seq: int) -> None:
        """They are in SQL now: what is owed for them is part of what SQL has."""
        rules = self._rules.current
        budgets = rules.budgets
        if not budgets:
            return
        alike = {
            (owners_of(attempt.opened), attempt.opened.team_id, attempt.opened.provider)
            for attempt in attempts
        }
        with self._lock:
            for each in alike:
                self._touched.update(budgets.keys() & everybody(*each))
                if rules.counts_own:
                    self._touched.update(budgets.keys() & with_own(everybody(*each)))
        if self._loop:
            self._loop.call_soon_threadsafe(self._store.recorded, process, seq)

    def refused_while_held(self, subject: str, window: WindowLimit) -> None:
        """On the loop; `tell_refused` tells it."""
        if (place := (subject, window.window)) not in self._told:
            with self._lock:
                self._refused.add(place)

    def tell_refused(self) -> None:
        """Raise alerts of the budgets that refused calls since, once for each window. Blocks on SQL."""
        if not self._refused:
            return
        with self._lock:
            refused = set(self._refused)
        tell_held(refused, at=datetime.fromtimestamp(self._clock(), UTC))
        with self._lock:
            self._refused -= refused
        if len(self._told) >= _MOST_TOLD:
            self._told.clear()
        self._told |= refused

    def renew(self) -> int:
        """Tell the store of those whose attempts were recorded since, and look at providers; their number.

        Blocks on SQL.
        """
        with self._lock:
            touched, self._touched = self._touched, set()
        known = self._rules.current.budgets
        of_providers = {subject for subject in known if subject.startswith(PROVIDER)}
        budgets = [known[subject] for subject in touched | of_providers if subject in known]
        if not of_providers:
            self.spent_providers = frozenset()
        if not budgets or self._loop is None:
            return 0
        try:
            bases = self._query(budgets)
        except BaseException:
            with self._lock:
                self._touched |= touched
            raise
        self.spent_providers = self._find_spent(of_providers, bases)
        asyncio.run_coroutine_threadsafe(self._install(bases), self._loop).result(_TELL_S)
        return len(budgets)

    def _find_spent(self, subjects: Iterable[str], bases: Bases) -> frozenset[str]:
        """The slugs of those that have spent one of their budgets."""
        now, known = self._clock(), self._rules.current.budgets
        return frozenset(
            subject.removeprefix(PROVIDER)
            for subject in subjects
            if subject in known
            and any(
                bases.spent[subject].get(window.window, 0) >= window.amount
                for window in known[subject].windows_at(now)
            )
        )

    def _read(self, budgets: Sequence[SubjectBudgets]) -> Bases:
        try:
            with sql.answer_within(sql.QUICK_S):
                return self._query(budgets)
        finally:
            connection.close()

    def _query(self, budgets: Iterable[SubjectBudgets]) -> Bases:
        now = self._clock()
        return read_bases({each.subject: each.periods_at(now) for each in budgets})

    async def _install(self, bases: Bases) -> None:
        spent: Mapping[str, Mapping[str, int]] = bases.spent
        for subject, windows in spent.items():
            await self._store.install(subject, bases.version, windows, bases.marks)
