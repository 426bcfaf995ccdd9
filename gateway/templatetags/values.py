"""Values of fields as people read them."""

from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from accounts.measures import write_exactly

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
def exactly(amount: Decimal) -> str:
    """All digits."""
    return write_exactly(amount)


@register.simple_tag
def value(given: Any) -> str:
    """A list as one line an item, an object as `name: value`; what is empty is said to be none."""
    if isinstance(given, dict):
        given = [f"{name}: {each}" for name, each in given.items()]
    if isinstance(given, (list, tuple)):
        return format_html_join(_BREAK, "{}", ((each,) for each in given)) or _NOTHING
    if isinstance(given, bool):
        return "yes" if given else "no"
    return _NOTHING if given in (None, "") else str(given)
