"""What was counted in this process so far. Pure: it is told, and says what changed."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.metrics.families import Counter, Family, Gauge, Histogram

Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One number of a scrape: `suffix` and `le` tell a histogram's apart."""

    family: Family
    labels: Labels
    suffix: str = ""
    le: float | None = None


@dataclass(slots=True)
class Totals:
    """Counters only ever grow. Of gauges the last word counts; what a round says nothing of any more is 0, or gone
    where it is only known with its instant.
    """

    _values: dict[Series, float] = field(default_factory=dict)
    _changed: dict[Series, float] = field(default_factory=dict)
    _seen_at: dict[Series, float] = field(default_factory=dict)
    _said: set[Series] = field(default_factory=set)
    """Of gauges, in this round."""
    _before: set[Series] = field(default_factory=set)

    def add(self, counter: Counter, *labels: str, by: float = 1.0) -> None:
        self._grow(Series(counter, labels), by)

    def observe(self, histogram: Histogram, *labels: str, value: float) -> None:
        place = bisect_left(histogram.buckets, value)
        bounds = histogram.buckets
        bound = bounds[place] if place < len(bounds) else float("inf")
        if Series(histogram, labels, "_sum") not in self._values:
            # All buckets at once: a scrape without the empty ones could not be reckoned with.
            for each in (*bounds, float("inf")):
                self._grow(Series(histogram, labels, "_bucket", each), 0.0)
        self._grow(Series(histogram, labels, "_bucket", bound), 1.0)
        self._grow(Series(histogram, labels, "_sum"), value)

    def set(self, gauge: Gauge, *labels: str, to: float) -> None:
        series = Series(gauge, labels)
        if gauge.merged != "max":
            self._said.add(series)
        if self._values.get(series) != to:
            self._values[series] = self._changed[series] = to

    def tell(self, gauge: Gauge, *labels: str, to: float, at: float) -> None:
        """Of one whose last word counts among all processes. `at`: Unix seconds at which it was seen."""
        series = Series(gauge, labels)
        self._said.add(series)
        if self._seen_at.get(series) != at:
            self._values[series] = self._changed[series] = to
            self._seen_at[series] = at

    def end_round(self) -> Iterator[tuple[Series, float, float]]:
        """What changed since the last one, once each, and when it was seen where that counts: 0 takes it away."""
        for series in self._before - self._said:
            if self._seen_at.pop(series, None) or self._values[series]:
                self._values[series] = self._changed[series] = 0.0
        self._before, self._said = self._before | self._said, set()
        changed, self._changed = self._changed, {}
        for series, value in changed.items():
            yield series, value, self._seen_at.get(series, 0.0)

    def _grow(self, series: Series, by: float) -> None:
        self._values[series] = self._changed[series] = self._values.get(series, 0.0) + by
