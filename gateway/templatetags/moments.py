"""Instants as people read them: relative, with the exact UTC instant on hover."""

from datetime import UTC, datetime, time

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince, timeuntil

register = template.Library()

_NOTICEABLE_S = 60


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
    return f"{timesince(at, now, depth=1)} ago" if seconds > 0 else f"in {timeuntil(at, now, depth=1)}"
