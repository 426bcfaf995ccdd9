"""How many calls went how, and how fast: counted so that the counts of several processes can be added up. Pure."""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_STEP = math.log(1.1)
_LEAST, _MOST = 0.01, 1e8
Bins = dict[int, int]
"""A histogram: how many values are in each bin, of which each is a tenth wider than the one before."""


def bin_of(value: float) -> int:
    return math.floor(math.log(min(max(value, _LEAST), _MOST)) / _STEP)


def percentile(bins: Bins, share: float) -> float | None:
    """The middle of the bin in which that share of the values is reached: within a twentieth. None: no values."""
    wanted, passed = share * sum(bins.values()), 0
    for number in sorted(bins):
        passed += bins[number]
        if passed >= wanted:
            return math.exp((number + 0.5) * _STEP)
    return None


@dataclass(frozen=True, slots=True)
class Percentiles:
    p50: float
    p90: float
    p99: float


def percentiles(bins: Bins) -> Percentiles | None:
    """None: no values."""
    found = [percentile(bins, share) for share in (0.5, 0.9, 0.99)]
    known = [round(each, 2) for each in found if each is not None]
    return Percentiles(*known) if known else None


def add_bins(bins: Bins, others: Mapping[int, int]) -> None:
    for number, count in others.items():
        bins[number] = bins.get(number, 0) + count


@dataclass(slots=True)
class Tally:
    """Of one way in some span of time. `failed` is by FailureKind's value, and without callers' own mistakes.

    `first_token_ms` and `tokens_per_s` are of answers that were streamed, or told how long they are.
    """

    served: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    unreached: int = 0
    """Of the failed: no connection was made."""
    trailing: int = 0
    """Failures since the last that went well, or since the span began."""
    latency_sum_ms: float = 0.0
    latency_ms: Bins = field(default_factory=dict)
    first_token_ms: Bins = field(default_factory=dict)
    tokens_per_s: Bins = field(default_factory=dict)

    @property
    def failures(self) -> int:
        return sum(self.failed.values())

    @property
    def calls(self) -> int:
        return self.served + self.failures

    def serve(self, latency_ms: float, first_token_ms: float | None, tokens_per_s: float | None) -> None:
        self.served += 1
        self.trailing = 0
        self.latency_sum_ms += latency_ms
        _count(self.latency_ms, latency_ms)
        if first_token_ms is not None:
            _count(self.first_token_ms, first_token_ms)
        if tokens_per_s is not None:
            _count(self.tokens_per_s, tokens_per_s)

    def fail(self, kind: str, *, is_unreached: bool) -> None:
        self.failed[kind] = self.failed.get(kind, 0) + 1
        self.unreached += is_unreached
        self.trailing += 1

    def add(self, later: "Tally") -> None:
        self.trailing = later.trailing if later.served else self.trailing + later.failures
        self.served += later.served
        self.unreached += later.unreached
        self.latency_sum_ms += later.latency_sum_ms
        for kind, count in later.failed.items():
            self.failed[kind] = self.failed.get(kind, 0) + count
        add_bins(self.latency_ms, later.latency_ms)
        add_bins(self.first_token_ms, later.first_token_ms)
        add_bins(self.tokens_per_s, later.tokens_per_s)

    def told(self) -> Sequence[Any]:
        """As JSON has it."""
        bins = [list(each.items()) for each in (self.latency_ms, self.first_token_ms, self.tokens_per_s)]
        return [
            self.served,
            self.failed,
            self.unreached,
            self.trailing,
            round(self.latency_sum_ms, 1),
            *bins,
        ]

    @classmethod
    def heard(cls, told: Sequence[Any]) -> "Tally":
        """Raises ValueError or TypeError for what no process of ours tells."""
        served, failed, unreached, trailing, latency_sum_ms, *bins = told[:8]
        counted = ({int(number): int(count) for number, count in each} for each in bins)
        kinds = {str(kind): int(count) for kind, count in failed.items()}
        return cls(int(served), kinds, int(unreached), int(trailing), float(latency_sum_ms), *counted)


class Ring:
    """Tallies by the slot of time, `slot_s` wide, of which the newest are kept."""

    __slots__ = ("_kept", "_slot_s", "_slots")

    def __init__(self, slot_s: float, kept: int) -> None:
        self._slot_s = slot_s
        self._kept = kept
        self._slots: deque[tuple[int, Tally]] = deque()

    def add(self, tally: Tally, at: float) -> None:
        """Also of a time before others: what was kept elsewhere comes late."""
        number = int(at // self._slot_s)
        slots = self._slots
        if not slots or slots[-1][0] < number:
            slots.append((number, Tally()))
        found = next((each for slot, each in reversed(slots) if slot == number), None)
        if found is None:
            found = Tally()
            self._slots = slots = deque(sorted([*slots, (number, found)], key=lambda slot: slot[0]))
        found.add(tally)
        while slots[0][0] <= slots[-1][0] - self._kept:
            slots.popleft()

    def sum(self, at: float, within_s: float) -> Tally:
        """Of the slots that begin within that time, the present one included."""
        since = int(at // self._slot_s) - round(within_s / self._slot_s)
        total = Tally()
        for number, tally in self._slots:
            if number > since:
                total.add(tally)
        return total


def _count(bins: Bins, value: float) -> None:
    number = bin_of(value)
    bins[number] = bins.get(number, 0) + 1
