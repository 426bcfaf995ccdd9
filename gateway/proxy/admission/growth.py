"""Streams that may outgrow what budgets hold for them: looked at all together, and not at every piece."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from accounts.keys import DEPLOYMENT
from accounts.money import charge_of, units_of
from gateway.core.store.interface import Store
from providers.wire.call import Call
from providers.wire.estimate import CHARS_PER_TOKEN
from providers.wire.usage import Costing, Usage, counted

_LOOK_S = 0.5


@dataclass(slots=True)
class _Stream:
    call: Call
    subjects: Sequence[str]
    chars: Callable[[], int]
    cost_usd: Costing
    covered: int
    """Output tokens that are held for."""
    is_own: bool


class Growth:
    """Of one process, on its loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._streams: dict[str, _Stream] = {}
        self._timer: asyncio.TimerHandle | None = None

    def watch(
        self,
        call: Call,
        subjects: Sequence[str],
        chars: Callable[[], int],
        cost_usd: Costing,
        *,
        is_own: bool = False,
    ) -> None:
        """Until it is forgotten. `chars` tells how long the answer is; `is_own`: by the price list alone."""
        self._streams[call.id] = _Stream(call, subjects, chars, cost_usd, call.held_output_tokens, is_own)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_LOOK_S, self._look)

    def forget(self, call_id: str) -> None:
        self._streams.pop(call_id, None)

    def _look(self) -> None:
        for stream in self._streams.values():
            tokens = -(-stream.chars() // CHARS_PER_TOKEN)
            if tokens > stream.covered:
                # As much again: so a long answer is raised few times.
                stream.covered = 2 * tokens
                self._raise(stream)
        again = asyncio.get_running_loop().call_later(_LOOK_S, self._look) if self._streams else None
        self._timer = again

    def _raise(self, stream: _Stream) -> None:
        call = stream.call
        used = Usage(counted(input_tokens=call.input_tokens, output_tokens=stream.covered))
        cost = units_of(stream.cost_usd(used))
        if stream.is_own:
            self._store.raise_hold(call.id, stream.subjects, cost)
            return
        teams = [subject for subject in stream.subjects if subject != DEPLOYMENT]
        self._store.raise_hold(call.id, teams, charge_of(cost, call.charge_factor))
        if len(teams) < len(stream.subjects):
            self._store.raise_hold(call.id, [DEPLOYMENT], cost)
