"""Organisations that make models."""

from django.core.validators import RegexValidator
from django.db import models


class Organisation(models.Model):
    """Who made a model. Its id is the first half of every model id, so it never changes."""

    id = models.SlugField(primary_key=True, max_length=60)
    name = models.CharField(max_length=100)
    colour = models.CharField(
        max_length=7,
        blank=True,
        validators=[RegexValidator(r"^#[0-9a-f]{6}$", "Six lower-case hex digits after a #.")],
    )
    website = models.URLField(blank=True)
    country_code = models.CharField(max_length=2, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
