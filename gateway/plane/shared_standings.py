"""What the store of this process says of limits and budgets, for Django's threads and Celery's tasks."""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from accounts.spending import Bases
from gateway.core.store.interface import Balance, Limit, Standing, Store

_Answer = TypeVar("_Answer")
_ANSWERS_WITHIN_S = 2.0


class SharedStandings:
    """Nothing where the loop has no time for them."""

    def __init__(self, store: Store, loop: asyncio.AbstractEventLoop) -> None:
        self._store = store
        self._loop = loop

    def standings(self, limits: Sequence[Limit]) -> Sequence[Standing]:
        return self._ask(self._store.standings(limits)) or ()

    def held(self, subjects: Sequence[str]) -> Mapping[str, int]:
        balances = self._ask(self._balances(subjects)) or {}
        return {subject: balance.held for subject, balance in balances.items()}

    def balances(self, subjects: Sequence[str]) -> Mapping[str, Balance]:
        balances = self._ask(self._balances(subjects)) or {}
        return balances if self._store.is_up else {}

    def install(self, bases: Bases) -> None:
        self._ask(self._install(bases))

    def release_holds(self, subject: str, calls: Iterable[str]) -> None:
        for call_id in calls:
            self._loop.call_soon_threadsafe(self._store.release_holds, call_id, [subject])

    async def _balances(self, subjects: Sequence[str]) -> Mapping[str, Balance]:
        balances = await asyncio.gather(*map(self._store.balance, subjects))
        return dict(zip(subjects, balances, strict=True))

    async def _install(self, bases: Bases) -> None:
        for subject, windows in bases.spent.items():
            await self._store.install(subject, bases.version, windows, bases.marks)

    def _ask(self, question: Coroutine[Any, Any, _Answer]) -> _Answer | None:
        asked = asyncio.run_coroutine_threadsafe(question, self._loop)
        try:
            return asked.result(_ANSWERS_WITHIN_S)
        except TimeoutError:
            asked.cancel()
            return None
