"""Money, counts and shares as their reader writes numbers; what was left out of one stands in its `title`."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django import template
from django.utils.html import format_html

from gateway.core.locales import (
    write_number,
    write_percent,
    write_tokens,
    write_usd,
    write_usd_exactly,
)
from gateway.core.reader import current

register = template.Library()

_UNKNOWN = "—"


@register.filter
def usd(amount: Any) -> str:
    """Money with two decimals and all of its digits on hover, tap and focus. What is little is never nothing."""
    if (given := _number(amount)) is None:
        return _UNKNOWN
    locale = current().locale
    return _short(write_usd(given, locale), write_usd_exactly(given, locale))


@register.filter
def usd_text(amount: Any) -> str:
    """The same as a text alone, for attributes and options."""
    given = _number(amount)
    return _UNKNOWN if given is None else write_usd(given, current().locale)


@register.filter
def usd_exactly(amount: Any) -> str:
    given = _number(amount)
    return _UNKNOWN if given is None else write_usd_exactly(given, current().locale)


@register.filter
def count(amount: Any) -> str:
    """All digits, in groups."""
    given = _number(amount)
    return _UNKNOWN if given is None else write_number(given, current().locale)


@register.filter
def tokens(amount: Any) -> str:
    """Such as 128K, with all digits on hover, tap and focus."""
    if (given := _number(amount)) is None:
        return _UNKNOWN
    locale = current().locale
    return _short(write_tokens(int(given), locale), write_number(int(given), locale))


@register.filter
def percent(share: Any) -> str:
    """Of a share from 0 to 1, or more."""
    given = _number(share)
    return _UNKNOWN if given is None else write_percent(given * 100, current().locale)


def _short(text: str, exact: str) -> str:
    if text == exact:
        return text
    return format_html('<span class="amount" title="{}" tabindex="-1">{}</span>', exact, text)


def _number(given: Any) -> Decimal | None:
    """None for what is none: nothing, or a word."""
    try:
        found = Decimal(str(given))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
