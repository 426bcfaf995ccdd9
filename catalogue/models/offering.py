"""Offerings and their prices."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from catalogue.models import shapes
from catalogue.pricing.meters import METER_CHOICES
from gateway.core.lines import OneLineTexts
from providers.operations.registry import lacks


def check_range(begins: datetime | None, ends: datetime | None, end_field: str) -> None:
    """Raises ValidationError at `end_field` unless the end comes after the beginning. None is unknown."""
    if begins is not None and ends is not None and ends <= begins:
        raise ValidationError({end_field: f"This is not after its beginning ({begins:%Y-%m-%d %H:%M})."})


class Offering(OneLineTexts, models.Model):
    """One model at one provider under an upstream name. Being on or off is operational, outside editions."""

    model = models.ForeignKey(
        "catalogue.Model",
        on_delete=models.CASCADE,
        related_name="offerings",
        limit_choices_to={"kind": "model"},
    )
    provider = models.ForeignKey("providers.Provider", on_delete=models.PROTECT, related_name="offerings")
    upstream_name = models.CharField(
        max_length=200, validators=[shapes.refuse_nul], help_text="What the provider calls this model."
    )
    endpoints = models.JSONField(
        default=list,
        validators=[shapes.check_words],
        help_text="Such as chat.completions or embeddings. "
        "With one of the text endpoints, it can be called at all of them.",
    )
    params = models.JSONField(
        default=list,
        blank=True,
        validators=[shapes.check_words],
        help_text="Parameters it takes, such as tools temperature. Leave it empty if unknown: nothing is refused then.",
    )
    streams = models.BooleanField("supports streaming", default=True)
    context_length = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="In tokens, where it differs from the model's.",
    )
    max_output_tokens = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="In tokens, where it differs from the model's.",
    )
    quantization = models.CharField(
        max_length=20,
        blank=True,
        validators=[shapes.quantization_shape],
        help_text="The precision of its weights, such as fp8. Leave it empty if unknown.",
    )
    regions = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        blank=True,
        validators=[shapes.check_words, shapes.check_regions],
        help_text="Where the provider runs it, such as eu us-east-1; global means anywhere. Leave it empty if unknown.",
    )
    zero_retention = models.BooleanField(
        "zero data retention",
        null=True,
        blank=True,
        help_text="Whether nothing of a call is kept once it is answered. Unknown: as its provider says.",
    )
    collects_data = models.BooleanField(
        null=True,
        blank=True,
        help_text="Whether what it is sent is used for the provider's own ends, such as training. "
        "Unknown: as its provider says.",
    )
    position = models.PositiveSmallIntegerField(
        default=0, help_text="Lower is tried first among equally healthy ones."
    )
    is_enabled = models.BooleanField(
        "enabled", default=True, help_text="Once it is switched off, calls stop going there within a second."
    )
    patience_s = models.PositiveSmallIntegerField(
        "patience",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="How many seconds a stream may be silent, also before its first event; at most "
        "GATEWAY_TOTAL_TIMEOUT_S. Leave it empty for its provider's value.",
    )
    effective_from = models.DateTimeField(
        null=True, blank=True, help_text="Leave it empty if it has always been offered."
    )
    effective_to = models.DateTimeField(null=True, blank=True, help_text="Leave it empty if no end is known.")

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["model", "provider", "upstream_name"], name="offering_once_per_upstream_name"
            ),
            models.CheckConstraint(
                condition=models.Q(effective_from__isnull=True)
                | models.Q(effective_to__isnull=True)
                | models.Q(effective_to__gt=models.F("effective_from")),
                name="offering_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        """With its name there where that says more than the model's: a provider may have a model twice."""
        place = f"{self.model} at {self.provider}"
        plain = {self.model.slug, self.model.public_id}
        return place if self.upstream_name in plain else f"{place} as {self.upstream_name}"

    def clean(self) -> None:
        self.settle_words()
        self.check_dates()
        self.check_endpoints()
        if self.model_id and self.model.is_route:
            raise ValidationError({"model": f"{self.model} is a named route: models run at providers."})

    def settle_words(self) -> None:
        """Raises ValidationError for words that nobody knows and that were neither there before nor meant."""
        shapes.settle_words(self, ("endpoints", "params"))

    def check_endpoints(self) -> None:
        """Raises ValidationError for one that the provider's wire format is known not to have."""
        provider = self.provider if self.provider_id else None
        if provider is None or not isinstance(self.endpoints, list):
            return
        missing = [endpoint for endpoint in self.endpoints if lacks(provider.wire_format, endpoint)]
        if missing:
            spoken = provider.get_wire_format_display()
            raise ValidationError(
                {"endpoints": f"{provider} speaks {spoken}, which has no {', '.join(missing)}."}
            )

    def check_dates(self) -> None:
        check_range(self.effective_from, self.effective_to, "effective_to")


class Price(OneLineTexts, models.Model):
    """What one unit of one meter costs at an offering, from when to when. Appended, never rewritten."""

    offering = models.ForeignKey(Offering, on_delete=models.CASCADE, related_name="prices")
    meter = models.CharField(max_length=40, choices=METER_CHOICES)
    plan = models.CharField(
        max_length=20,
        default="standard",
        validators=[shapes.plan_shape],
        help_text="standard, batch, flex, priority …",
    )
    unit_size = models.PositiveBigIntegerField(
        default=1_000_000, validators=[MinValueValidator(1)], help_text="The amount buys this many units."
    )
    amount = models.DecimalField(max_digits=20, decimal_places=10, validators=[MinValueValidator(0)])
    currency = models.CharField(max_length=3, default="USD", validators=[shapes.currency_shape])
    conditions = models.JSONField(
        default=list,
        blank=True,
        validators=[shapes.check_conditions],
        help_text="When this price applies, such as a token tier.",
    )
    valid_from = models.DateTimeField(
        null=True, blank=True, help_text="Leave it empty for a price that has always applied."
    )
    valid_to = models.DateTimeField(null=True, blank=True, help_text="Leave it empty if no end is known.")
    source = models.CharField(max_length=300, blank=True, validators=[shapes.refuse_nul])
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["meter", "plan", "valid_from", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="price_not_negative"),
            models.CheckConstraint(condition=models.Q(unit_size__gte=1), name="price_unit_size_positive"),
            models.CheckConstraint(
                condition=models.Q(valid_from__isnull=True)
                | models.Q(valid_to__isnull=True)
                | models.Q(valid_to__gt=models.F("valid_from")),
                name="price_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} {self.currency} for {self.unit_size:,} {self.get_meter_display().lower()}"

    def clean(self) -> None:
        self.check_dates()

    def check_dates(self) -> None:
        check_range(self.valid_from, self.valid_to, "valid_to")
