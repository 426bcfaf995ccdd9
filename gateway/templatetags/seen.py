"""A model with a team's eyes."""

from typing import Any

from django import template

register = template.Library()


@register.simple_tag
def seen(eyes: Any, model: Any) -> Any:
    """Whether it may be called, why not, and what was used of it."""
    return eyes.of(model)


@register.simple_tag
def charged(eyes: Any, model: Any) -> Any:
    """Prices as the team is charged, with what they are for."""
    return eyes.prices(model)
