"""Values of fields as people read them."""

from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from accounts.measures import duration, write_exactly
from gateway.core.locales import write_number
from gateway.core.reader import current

register = template.Library()

_NOTHING = "none"
_BREAK = mark_safe("<br>")


@register.filter
def code(text: str) -> str:
    """What stands between backticks as code, the rest as it is."""
    parts = enumerate(text.split("`"))
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", part) if at % 2 else part,) for at, part in parts)
    )


@register.simple_tag
def exactly(amount: Decimal | str) -> str:
    """All digits, as whoever reads the page writes numbers."""
    return write_number(Decimal(write_exactly(Decimal(amount))), current().locale)


@register.simple_tag
def number(amount: int | Decimal) -> str:
    return write_number(amount, current().locale)


@register.simple_tag
def lasted(milliseconds: float) -> str:
    """Such as 4.06 s, with all of its milliseconds behind it."""
    short, exact = duration(milliseconds), f"{number(round(milliseconds))} ms"
    return (
        short
        if short == exact
        else format_html('<span class="amount" title="{}" tabindex="-1">{}</span>', exact, short)
    )


@register.simple_tag
def value(given: Any) -> str:
    """A list as one line an item, an object as `name: value`; what is empty is said to be none."""
    if isinstance(given, dict):
        given = [f"{name}: {_plain(each)}" for name, each in given.items()]
    if isinstance(given, (list, tuple)):
        return format_html_join(_BREAK, "{}", ((_plain(each),) for each in given)) or _NOTHING
    return _NOTHING if given in (None, "") else _plain(given)


def _plain(given: Any) -> str:
    if isinstance(given, bool):
        return "yes" if given else "no"
    return number(given) if isinstance(given, (int, Decimal)) else str(given)
