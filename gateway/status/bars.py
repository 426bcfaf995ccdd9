"""Ninety days as thin bars of one picture: a colour for what a day was, with its words on hover. Pure."""

from collections.abc import Sequence
from datetime import date, timedelta

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from gateway.status.days import Lasted

UP, DEGRADED, DOWN, UNSEEN = "up", "degraded", "down", "nothing"
_STEP, _WIDTH, _HEIGHT = 5, 3.5, 26
# What was worse is taller, for those to whom colours are alike.
_TALL = {UP: 18, DEGRADED: 22, DOWN: _HEIGHT, UNSEEN: 18}
_TOLD_MOST = 8
_HOUR_S, _MINUTE_S = 3600, 60


def state_of(day: Lasted | None) -> str:
    if day is None:
        return UNSEEN
    return DOWN if day.down_s else DEGRADED if day.degraded_s else UP


def picture(days: Sequence[Lasted | None], first: date, name: str) -> SafeString:
    """For those who hear it, the days that were not whole."""
    told = [(f"{_date(first, number)}: {words(day)}", state_of(day)) for number, day in enumerate(days)]
    bars = (
        (number * _STEP, _HEIGHT - _TALL[state], _WIDTH, _TALL[state], state, said)
        for number, (said, state) in enumerate(told)
    )
    return format_html(
        '<svg class="days" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        len(days) * _STEP,
        _HEIGHT,
        f"{name}, {len(days)} days. {_told([said for said, state in told if state in {DOWN, DEGRADED}])}",
        format_html_join(
            "",
            '<rect x="{}" y="{}" width="{}" height="{}" class="{}"><title>{}</title></rect>',
            bars,
        ),
    )


def words(day: Lasted | None) -> str:
    if day is None:
        return "no data"
    told = [("down", day.down_s), ("in part", day.degraded_s)]
    return (
        ", ".join(f"{word} for {lasting(seconds)}" for word, seconds in told if seconds) or "answered all day"
    )


def lasting(seconds: int) -> str:
    if seconds < _MINUTE_S:
        return "less than a minute"
    hours, rest = divmod(seconds, _HOUR_S)
    minutes = rest // _MINUTE_S
    return " ".join(filter(None, [f"{hours} h" if hours else "", f"{minutes} min" if minutes else ""]))


def _told(exceptions: Sequence[str]) -> str:
    if not exceptions:
        return "No day with trouble."
    more = f" And {len(exceptions) - _TOLD_MOST} more." if len(exceptions) > _TOLD_MOST else ""
    return f"{'; '.join(exceptions[-_TOLD_MOST:])}.{more}"


def _date(first: date, number: int) -> str:
    day = first + timedelta(days=number)
    return f"{day.day} {day:%b %Y}"
