"""Organisations that make models."""

from django.db import models

from catalogue.models import shapes
from gateway.core.lines import OneLineTexts


class Organisation(OneLineTexts, models.Model):
    """Who made a model. Its id is the first half of every model id, so it never changes."""

    id = models.SlugField(
        primary_key=True,
        max_length=60,
        validators=[shapes.organisation_shape],
        help_text="The first half of its models' ids, such as anthropic. It cannot be changed later.",
    )
    name = models.CharField(max_length=100, validators=[shapes.refuse_nul])
    colour = models.CharField(
        max_length=7,
        blank=True,
        validators=[shapes.colour_shape],
        help_text="Its colour in lists, such as #d97757.",
    )
    website = models.URLField(blank=True)
    country_code = models.CharField(
        max_length=2, blank=True, validators=[shapes.country_shape], help_text="Such as GB."
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
