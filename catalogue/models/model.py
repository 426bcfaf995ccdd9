"""Models and their other names."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now

slug_shape = RegexValidator(
    r"^[a-z0-9][a-z0-9._:-]*$", "Lower-case letters, digits, dots, dashes, underscores and colons."
)


class Model(models.Model):
    """What a client asks for, as staff edit it. Clients see the published copy."""

    class ReasoningTier(models.TextChoices):
        LOW = "low", "Low"
        MEDIUM = "medium", "Medium"
        HIGH = "high", "High"

    organisation = models.ForeignKey(
        "catalogue.Organisation", on_delete=models.PROTECT, related_name="models"
    )
    slug = models.CharField(max_length=120, validators=[slug_shape], help_text="The id is organisation/slug.")
    public_id = models.CharField(max_length=200, unique=True, editable=False)
    name = models.CharField(max_length=150)
    description = models.TextField(blank=True)
    release_at = models.DateTimeField("released", null=True, blank=True)
    deprecation_at = models.DateTimeField("deprecated", null=True, blank=True)
    retirement_at = models.DateTimeField("retired", null=True, blank=True)
    successor = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="predecessors",
        help_text="What to use instead once this model is deprecated.",
    )
    input_types = models.JSONField(default=list, blank=True, help_text='Such as ["text", "image"].')
    output_types = models.JSONField(default=list, blank=True, help_text='Such as ["text"].')
    context_length = models.PositiveIntegerField(null=True, blank=True, help_text="Tokens.")
    max_output_tokens = models.PositiveIntegerField(null=True, blank=True)
    tokenizer = models.CharField(max_length=60, blank=True)
    reasoning_tier = models.CharField(max_length=6, choices=ReasoningTier, blank=True)
    is_moderated = models.BooleanField("moderated", default=False)
    source = models.TextField(
        blank=True, help_text="Where these facts come from, with the date they were read."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    quarantine_reason = models.TextField(
        blank=True,
        editable=False,
        help_text="Why the working row could not be published; the last good one stays live.",
    )

    class Meta:
        ordering = ["public_id"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "slug"], name="model_slug_once_per_organisation"),
            models.CheckConstraint(
                condition=models.Q(release_at__isnull=True)
                | models.Q(deprecation_at__isnull=True)
                | models.Q(deprecation_at__gte=models.F("release_at")),
                name="model_deprecated_after_release",
            ),
            models.CheckConstraint(
                condition=models.Q(release_at__isnull=True)
                | models.Q(retirement_at__isnull=True)
                | models.Q(retirement_at__gte=models.F("release_at")),
                name="model_retired_after_release",
            ),
            models.CheckConstraint(
                condition=models.Q(deprecation_at__isnull=True)
                | models.Q(retirement_at__isnull=True)
                | models.Q(retirement_at__gte=models.F("deprecation_at")),
                name="model_retired_after_deprecation",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class Alias(models.Model):
    """Another name of exactly one model. Never equal to a model's id nor to another alias."""

    name = models.CharField(max_length=200, unique=True)
    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="aliases")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "aliases"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
