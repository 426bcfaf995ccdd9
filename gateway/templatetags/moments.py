"""Instants as people read them: relative, with the exact UTC instant on hover."""

from datetime import UTC, datetime, time

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince, timeuntil

register = template.Library()

_NOTICEABLE_S = 60
_MOST_DAYS, _MOST_WEEKS = 14, 8


@register.simple_tag
def moment(at: datetime | None, unknown: str = "never") -> str:
    """A <time> element; `unknown` where there is no instant."""
    if at is None:
        return unknown
    exact = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        exact.isoformat(),
        f"{exact:%Y-%m-%d %H:%M:%S}",
        relative(at, timezone.now()),
    )


@register.simple_tag
def day(at: datetime) -> str:
    """The day, with the exact UTC instant on hover; with the time where it is not the day's beginning."""
    exact = at.astimezone(UTC)
    text = f"{exact:%Y-%m-%d}" if exact.time() == time.min else f"{exact:%Y-%m-%d %H:%M}"
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>', exact.isoformat(), f"{exact:%Y-%m-%d %H:%M:%S}", text
    )


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
