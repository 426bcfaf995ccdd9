"""Values of fields as people read them."""

from typing import Any

from django import template
from django.utils.html import format_html, format_html_join

register = template.Library()

_NOTHING = "none"


@register.simple_tag
def value(given: Any) -> str:
    """A list as one line an item, an object as `name: value`; what is empty is said to be none."""
    if isinstance(given, dict):
        given = [f"{name}: {each}" for name, each in given.items()]
    if isinstance(given, (list, tuple)):
        return format_html_join(format_html("<br>"), "{}", ((each,) for each in given)) or _NOTHING
    if isinstance(given, bool):
        return "yes" if given else "no"
    return _NOTHING if given in (None, "") else str(given)
