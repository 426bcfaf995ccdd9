"""Limits: buckets of requests and tokens, and slots of running calls, in the memory of one process.

The rules are pure functions; those of Redis, in `admission_scripts.py`, are the same.
"""

import math
from collections.abc import Callable, Sequence

from gateway.core.store.interface import (
    CONCURRENCY,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    REQUESTS,
    SOON_S,
    TOKENS,
    Ask,
    Limit,
    Standing,
    Tokens,
    Verdict,
)

_ONE_A_CALL = frozenset({REQUESTS, CONCURRENCY})
# Of a request or token: what sums of fractions are wrong by at most.
_TOLERANCE = 1e-6


def cost_of(limit: Limit, call: Ask | Tokens) -> int:
    """What a call takes of a limit, in its unit."""
    unit = limit.unit
    if unit == TOKENS and not call.is_capped:
        return call.input_tokens + call.output_tokens
    if unit in _ONE_A_CALL:
        return 1
    read = 0 if unit == OUTPUT_TOKENS else call.input_tokens
    if unit == INPUT_TOKENS:
        return read
    if call.is_capped:
        return read + min(call.output_tokens, max(0, limit.amount - read))
    return read + call.output_tokens


def correction_of(limit: Limit, reserved: Tokens, actual: Tokens, age_s: float) -> int:
    """What a bucket is still to be taken (or given back: negative) for a reservation of that age."""
    if limit.unit in _ONE_A_CALL:
        return 0
    taken = cost_of(limit, actual) - cost_of(limit, reserved)
    return 0 if taken < 0 and age_s >= limit.window_s else taken


def wait_s(limit: Limit, level: float, cost: int) -> float:
    """Until a bucket at that level has room; infinite where it can never have."""
    over = level + cost - limit.amount
    if over <= _TOLERANCE:
        return 0.0
    return math.inf if cost > limit.amount or limit.amount <= 0 else over * limit.window_s / limit.amount


def standing_of(limit: Limit, level: float) -> Standing:
    remaining = max(0, math.floor(limit.amount - level + _TOLERANCE))
    reset_s = level * limit.window_s / limit.amount if limit.amount > 0 else limit.window_s
    return Standing(limit, remaining, reset_s)


class MemoryLimits:
    """Slots need no lease: they die with the process that counts them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}
        self._running: dict[str, set[str]] = {}
        self.slots_of: dict[str, list[str]] = {}

    def look(self, ask: Ask) -> Verdict:
        """What the call would be told now; nothing is taken."""
        refused_by, longest_s = self._longest(ask.limits, ask)
        if refused_by:
            return Verdict(False, refused_by, None, "limit", longest_s)
        if not ask.candidates:
            return Verdict(is_admitted=True)
        waits = []
        for number, quotas in enumerate(ask.candidates):
            full, longest_s = self._longest(quotas, ask)
            if full is None:
                return Verdict(is_admitted=True, candidate=number)
            waits.append(longest_s)
        return Verdict(False, None, None, "candidates", min(waits))

    def take(self, ask: Ask, candidate: int) -> None:
        for limit in ask.limits:
            self._take(limit, ask)
        if ask.candidates:
            for quota in ask.candidates[candidate]:
                self._take(quota, ask)

    def standings(self, limits: Sequence[Limit]) -> list[Standing]:
        return [standing_of(limit, self._level(limit)) for limit in limits if limit.window_s]

    def correct(self, limits: Sequence[Limit], reserved: Tokens, actual: Tokens, age_s: float) -> None:
        for limit in limits:
            if taken := correction_of(limit, reserved, actual, age_s):
                self._levels[limit.name] = (max(0.0, self._level(limit) + taken), self._clock())

    def release(self, call_id: str) -> None:
        for name in self.slots_of.pop(call_id, ()):
            running = self._running[name]
            running.discard(call_id)
            if not running:
                del self._running[name]

    def _longest(self, limits: Sequence[Limit], ask: Ask) -> tuple[Limit | None, float]:
        """The limit without room that has to be waited for longest; None: all have room."""
        longest: Limit | None = None
        longest_s = 0.0
        for limit in limits:
            waits_s = self._wait_s(limit, ask)
            if waits_s > longest_s:
                longest, longest_s = limit, waits_s
        return longest, longest_s

    def _wait_s(self, limit: Limit, ask: Ask) -> float:
        if limit.window_s:
            return wait_s(limit, self._level(limit), cost_of(limit, ask))
        running = self._running.get(limit.name, ())
        return 0.0 if len(running) < limit.amount or ask.call_id in running else SOON_S

    def _take(self, limit: Limit, ask: Ask) -> None:
        if limit.window_s:
            if cost := cost_of(limit, ask):
                self._levels[limit.name] = (self._level(limit) + cost, self._clock())
            return
        running = self._running.setdefault(limit.name, set())
        if ask.call_id not in running:
            running.add(ask.call_id)
            self.slots_of.setdefault(ask.call_id, []).append(limit.name)

    def _level(self, limit: Limit) -> float:
        """What the bucket holds now: it drains evenly."""
        held = self._levels.get(limit.name)
        if held is None:
            return 0.0
        level = held[0] - (self._clock() - held[1]) * limit.amount / limit.window_s
        if level <= 0:
            del self._levels[limit.name]
            return 0.0
        return level
