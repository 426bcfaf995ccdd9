"""Over which time the overview looks, in which steps, and with which time before it compares. Unix seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from accounts.usage.times import HOUR, QUARTER, WHOLE_DAY, WHOLE_MONTH, bounds_of, midnight
from accounts.windows import DAY_S, QUARTER_S
from gateway.core.locales import write_day
from gateway.core.reader import current

_WIDEST_S = {QUARTER: QUARTER_S, HOUR: 3_600, WHOLE_DAY: DAY_S, WHOLE_MONTH: 31 * DAY_S}
_BY_HOURS_DAYS, _BY_DAYS_DAYS = 7, 184
"""So many days at most are shown hour by hour, and day by day."""
LONGEST_DAYS = 366
SLICES = 12
"""Into so many parts, at most, the time before is cut."""


@dataclass(frozen=True, slots=True)
class Period:
    """So many steps, of which the last one is not over; or all days from `first` to `last`."""

    name: str
    label: str
    before: str
    bucket: str
    steps: int = 0
    first: date | None = None
    last: date | None = None

    @property
    def running(self) -> str:
        """What the step that is not over is called."""
        named = {QUARTER: "this quarter of an hour", HOUR: "this hour", WHOLE_MONTH: "this month"}
        return named.get(self.bucket, "today")


_ALL = (
    Period("1h", "1 hour", "the hour before", QUARTER, 4),
    Period("6h", "6 hours", "the 6 hours before", QUARTER, 24),
    Period("24h", "24 hours", "the 24 hours before", HOUR, 24),
    Period("7d", "7 days", "the 7 days before", HOUR, 168),
    Period("30d", "30 days", "the 30 days before", WHOLE_DAY, 30),
    Period("90d", "90 days", "the 90 days before", WHOLE_DAY, 90),
    Period("12mo", "12 months", "the 12 months before", WHOLE_MONTH, 12),
)
PERIODS: Mapping[str, Period] = {period.name: period for period in _ALL}
USUAL = "30d"


def days_from(first: date, last: date) -> Period:
    days = (last - first).days + 1
    here = current().locale
    label = write_day(first, here) if days == 1 else f"{write_day(first, here)} to {write_day(last, here)}"
    before = "the day before" if days == 1 else f"the {days} days before"
    bucket = HOUR if days <= _BY_HOURS_DAYS else WHOLE_DAY if days <= _BY_DAYS_DAYS else WHOLE_MONTH
    return Period("", label, before, bucket, first=first, last=last)


@dataclass(frozen=True, slots=True)
class Span:
    """A period in a zone: where its steps begin and, at last, where it ends: the quarter of an hour that runs, unless
    it `is_over`.

    `before` are bounds of the time before in slices. It is as long, and ends as far from its own end: what is not over
    is compared with what was not over then.
    """

    period: Period
    zone: str
    bounds: Sequence[int]
    before: Sequence[int]
    is_over: bool = False

    @property
    def low(self) -> int:
        return self.bounds[0]

    @property
    def high(self) -> int:
        return self.bounds[-1]

    @property
    def steps(self) -> Sequence[int]:
        return self.bounds[:-1]

    @property
    def cuts(self) -> Sequence[int]:
        """Both times together as bounds, with what lies between them as one more step."""
        return sorted({*self.before, *self.bounds})

    @property
    def running(self) -> str:
        """What the last step is called while it is not over, else empty."""
        return "" if self.is_over else self.period.running


def span_of(period: Period, zone: str, now: float) -> Span:
    high = (int(now) // QUARTER_S + 1) * QUARTER_S
    if period.first and period.last:
        return _span_of_days(period, period.first, period.last, zone, high)
    bounds = _last_steps(period, zone, high)
    low = bounds[0]
    return Span(period, zone, bounds, _before(_last_steps(period, zone, low), low, high))


def _span_of_days(period: Period, first: date, last: date, zone: str, now: int) -> Span:
    low, end = midnight(zone, first), midnight(zone, last + timedelta(days=1))
    is_over = end < now
    high = end if is_over else now
    begin = midnight(zone, first - (last - first) - timedelta(days=1))
    earlier = bounds_of(period.bucket, zone, begin, low)
    return Span(period, zone, bounds_of(period.bucket, zone, low, high), _before(earlier, low, high), is_over)


def _before(steps: Sequence[int], low: int, high: int) -> Sequence[int]:
    """What of the steps before is as long as the time from `low` to `high`."""
    end = min(steps[0] + high - low, low)
    return _thinned([*(at for at in steps if at < end), end])


def _thinned(bounds: Sequence[int]) -> Sequence[int]:
    *starts, end = bounds
    return [*starts[:: -(-len(starts) // SLICES)], end]


def _last_steps(period: Period, zone: str, end: int) -> Sequence[int]:
    """The first of those that are looked through begins anywhere, and so it is not among them."""
    far = end - (period.steps + 2) * _WIDEST_S[period.bucket]
    return bounds_of(period.bucket, zone, far, end)[-period.steps - 1 :]
