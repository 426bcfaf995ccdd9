"""When a budget will be used up if spending goes on as it lately went. Pure; instants in Unix seconds."""

from dataclasses import dataclass

from accounts.windows import DAY_S

_WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class Forecast:
    """`ends_at` is when all is spent (None: not in this window, or never). `by_end` is what will be spent when the
    window ends, None where it never does. Both go on as `pace`, in 10^-10 USD a day.
    """

    pace: int
    ends_at: float | None
    by_end: int | None


def pace_of(last_day: int, last_week: int) -> int:
    """A day's mean of the last week; of who began to spend within the last day, that day's."""
    return last_day if last_day == last_week else max(0, last_week) // _WEEK_DAYS


def foresee(*, amount: int, spent: int, pace: int, now: float, window_ends_at: int | None) -> Forecast:
    """Of a budget of `amount`, of which `spent` is gone in its present window. What is used up has ended now."""
    left_s = None if window_ends_at is None else max(0.0, window_ends_at - now)
    by_end = None if left_s is None else spent + round(pace * left_s / DAY_S)
    if spent >= amount:
        return Forecast(pace, now, by_end)
    if pace <= 0:
        return Forecast(0, None, by_end)
    lasts_s = (amount - spent) / pace * DAY_S
    is_in_time = left_s is None or lasts_s < left_s
    return Forecast(pace, now + lasts_s if is_in_time else None, by_end)
