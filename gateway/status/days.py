"""How long a model or a provider was down on a day, from what was seen of it. Pure; instants in Unix seconds.

A model is down where no offering of it could answer, or where most calls of it failed, and degraded where some of that
is so; a named route is down where all of its members are. Callers' own mistakes, and what a team's or the operator's
terms refuse, are nobody's failure.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from accounts.windows import QUARTER_S
from gateway.status.spans import Span, Spans, clip, common_to_all, length, merge

FAILURES_LEAST = 3
"""Of a quarter of an hour, for it to count against anybody: fewer say nothing."""
BAD, SHAKY = 0.5, 0.1
"""From which share of failures on a quarter of an hour is down, or degraded."""
UPTIME_MEANS = (
    "Uptime is the share of the time, on days with any calls or probes, in which a component was not down. A quarter "
    f"of an hour counts as down when half of all calls or more, and at least {FAILURES_LEAST}, failed through no fault "
    "of their callers; so does any time in which no provider of a model was let take calls."
)


@dataclass(slots=True)
class Tries:
    """Of something in a quarter of an hour: what went well, and what failed by no fault of a caller's."""

    served: int = 0
    failed: int = 0

    @property
    def is_bad(self) -> bool:
        return self._is(BAD)

    @property
    def is_shaky(self) -> bool:
        return self._is(SHAKY)

    def _is(self, share: float) -> bool:
        return self.failed >= FAILURES_LEAST and self.failed >= share * (self.served + self.failed)


Quarters = Mapping[int, Tries]
"""By the number of the quarter of an hour in its day, from 0."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The numbers of a day's quarters of an hour in which most, or many, calls failed."""

    bad: frozenset[int] = frozenset()
    shaky: frozenset[int] = frozenset()

    @classmethod
    def of(cls, quarters: Iterable[tuple[int, Tries]]) -> "Marks":
        told = list(quarters)
        bad = frozenset(number for number, tries in told if tries.is_bad)
        return cls(bad, frozenset(number for number, tries in told if tries.is_shaky) - bad)

    @classmethod
    def of_any(cls, each: Sequence["Marks"]) -> "Marks":
        """Of several of which any can answer: bad where all are, and shaky where one is either."""
        bad = frozenset.intersection(*(marks.bad for marks in each))
        return cls(bad, frozenset().union(*(marks.bad | marks.shaky for marks in each)) - bad)

    def recounted(self, since: int, later: "Marks") -> "Marks":
        """From that quarter on as counted anew, and before it as it was."""
        return Marks(
            frozenset(number for number in self.bad if number < since) | later.bad,
            frozenset(number for number in self.shaky if number < since) | later.shaky,
        )


@dataclass(frozen=True, slots=True)
class Lasted:
    """For how long something was down, and degraded besides, in seconds."""

    down_s: int = 0
    degraded_s: int = 0


@dataclass(frozen=True, slots=True)
class Outages:
    """When offerings were not let take calls, by their ids; of the others nothing is here."""

    offerings: Mapping[int, Spans] = field(default_factory=dict)

    def of(self, ids: Collection[int]) -> Sequence[Spans]:
        """Of each of them."""
        return [self.offerings.get(id_, ()) for id_ in ids]


def lasted(marks: Marks, outages: Sequence[Spans], begin: int, end: float) -> Lasted:
    """Of a day that begins then, until `end`: from its quarters, and from when each of its offerings was left alone."""
    down = clip([*spans_of(marks.bad, begin), *common_to_all(outages)], begin, end)
    partly = [span for spans in outages for span in spans]
    either = clip([*down, *partly, *spans_of(marks.shaky, begin)], begin, end)
    down_s = length(down)
    return Lasted(down_s, length(either) - down_s)


def spans_of(quarters: Iterable[int], begin: int) -> list[Span]:
    return merge((begin + number * QUARTER_S, begin + (number + 1) * QUARTER_S) for number in quarters)


def uptime(down_s: int, seen_s: float) -> float | None:
    """In percent, rounded down, so that only what was never down has all of it. None: nothing was seen."""
    if seen_s <= 0:
        return None
    return max(0, int((1 - down_s / seen_s) * 10_000)) / 100 if down_s else 100.0
