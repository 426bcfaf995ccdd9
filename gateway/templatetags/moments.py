"""Instants as people read them, in their zone, with the exact UTC instant on hover, tap and focus."""

from datetime import UTC, datetime, time, tzinfo

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince, timeuntil

from gateway.core.locales import write_day, write_time
from gateway.core.reader import current

register = template.Library()

_FIXED = "\N{NO-BREAK SPACE}"
_NOTICEABLE_S = 60
_MOST_DAYS, _MOST_WEEKS = 14, 8


@register.simple_tag
def moment(at: datetime | None, unknown: str = "never") -> str:
    """How long ago or ahead; `unknown` where there is no instant."""
    return unknown if at is None else _written(at, relative(at, timezone.now()))


@register.simple_tag
def instant(at: datetime | None, unknown: str = "never") -> str:
    """The day and the time, with seconds."""
    return unknown if at is None else _written(at, current().write_instant(at, seconds=True))


@register.simple_tag
def second(at: datetime) -> str:
    """The time to the second, with the day where that is not today, in the reader's zone; UTC on hover."""
    exact, reader = at.astimezone(UTC), current()
    here = at.astimezone(reader.zone)
    text = write_time(here, reader.locale, seconds=True)
    if here.date() != timezone.now().astimezone(reader.zone).date():
        # A day stays in one piece where a narrow column has it above the time.
        text = f"{write_day(here.date(), reader.locale).replace(' ', _FIXED)}, {text}"
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        exact.isoformat(),
        f"{exact:%Y-%m-%d %H:%M:%S.%f}"[:-3],
        text,
    )


@register.simple_tag
def day(at: datetime) -> str:
    """The day, with the time where it is not a day's beginning. The catalogue's days begin in UTC, and are told so."""
    reader = current()
    for zone in (UTC, reader.zone):
        if (whole := _day_begun(at, zone)) is not None:
            return _written(at, whole)
    return _written(at, reader.write_instant(at))


@register.simple_tag
def zone() -> str:
    """In which one all these are."""
    return str(current().zone)


def _written(at: datetime, text: str) -> str:
    # The exact instant can be had by a tap, too, and by the switch at a page's foot: gatehouse.css shows it.
    return format_html(
        '<time datetime="{}" title="{}" tabindex="-1">{}</time>',
        at.astimezone(UTC).isoformat(),
        current().write_exactly(at),
        text,
    )


def _day_begun(at: datetime, zone: tzinfo) -> str | None:
    here = at.astimezone(zone)
    return write_day(here.date(), current().locale) if here.time() == time.min else None


def relative(at: datetime, now: datetime) -> str:
    """Such as “3 hours ago” or “in 2 days”."""
    seconds = (now - at).total_seconds()
    if abs(seconds) < _NOTICEABLE_S:
        return "just now" if seconds >= 0 else "in less than a minute"
    passed = _days_or_weeks(abs(now - at).days)
    if seconds > 0:
        return f"{passed or timesince(at, now, depth=1)} ago"
    return f"in {passed or timeuntil(at, now, depth=1)}"


def _days_or_weeks(days: int) -> str:
    """What a week or a month would round away; empty below a day and beyond eight weeks."""
    if days <= _MOST_DAYS:
        return f"{days} day{'s' if days > 1 else ''}" if days else ""
    weeks = days // 7
    return f"{weeks} weeks" if weeks <= _MOST_WEEKS else ""
