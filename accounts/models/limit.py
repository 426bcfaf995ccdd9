"""How much of something may be had in a window, and limits of everybody who can own or spend."""

from django.core.exceptions import ValidationError
from django.db import models

from accounts import limits
from accounts.models.subject import KINDS, SubjectModel, one_subject
from accounts.querysets import LimitQuerySet
from gateway.core.refusals import InvalidField


class MeasuredModel(models.Model):
    """A row that says how much of a unit may be had in a window."""

    class Unit(models.TextChoices):
        REQUESTS = "requests", "requests"
        TOKENS = "tokens", "tokens, in and out"
        INPUT_TOKENS = "input_tokens", "input tokens"
        OUTPUT_TOKENS = "output_tokens", "output tokens"
        CONCURRENCY = "concurrency", "calls at once"

    class Window(models.TextChoices):
        MINUTE = "minute", "a minute"
        DAY = "day", "a day"
        NONE = "none", "at any time"

    unit = models.CharField(max_length=16, choices=Unit)
    window = models.CharField(
        max_length=6,
        choices=Window,
        default=Window.MINUTE,
        help_text="Calls at once have none: they count at any time.",
    )
    amount = models.PositiveBigIntegerField()

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gte=1), name="%(class)s_amount_positive"),
            models.CheckConstraint(
                condition=models.Q(unit="concurrency", window="none")
                | (
                    models.Q(unit__in=["requests", "tokens", "input_tokens", "output_tokens"])
                    & models.Q(window__in=["minute", "day"])
                ),
                name="%(class)s_unit_and_window_known",
            ),
        ]

    def __str__(self) -> str:
        unit = self.get_unit_display().partition(",")[0]
        window = "" if self.window == self.Window.NONE else f" {self.get_window_display()}"
        return f"{self.amount:,} {unit}{window}" if self.amount else unit

    def clean(self) -> None:
        """Whatever window stands beside calls at once, they have none."""
        if self.unit == self.Unit.CONCURRENCY:
            self.window = self.Window.NONE
        if not self.unit or self.amount is None:
            # Said at the field by whoever asked for it.
            return
        try:
            limits.check_measure(self.unit, self.window)
            limits.check_amount(self.unit, self.window, self.amount)
        except InvalidField as fault:
            raise ValidationError({fault.field: fault.message}) from None


class Limit(SubjectModel, MeasuredModel):
    """How much of something one subject may have: in a minute, in a day, or at the same time.

    All limits count that a call meets: its key's, its owner's, its project's and its team's.
    """

    most = models.PositiveBigIntegerField(
        null=True,
        blank=True,
        help_text="What staff allow: the team may set less, and cannot remove it. Empty: it is the team's own.",
    )
    set_by = models.CharField(
        max_length=160,
        blank=True,
        editable=False,
        help_text="Who set the amount: a person, or a key by its id.",
    )
    set_at = models.DateTimeField(auto_now=True)

    objects = LimitQuerySet.as_manager()

    class Meta:
        ordering = ["unit", "window", "id"]
        constraints = [
            *MeasuredModel.Meta.constraints,
            models.CheckConstraint(condition=one_subject(), name="limit_one_subject"),
            models.CheckConstraint(
                condition=models.Q(most__isnull=True) | models.Q(amount__lte=models.F("most")),
                name="limit_within_most",
            ),
            *(
                models.UniqueConstraint(fields=[kind, "unit", "window"], name=f"limit_once_per_{kind}")
                for kind in KINDS
            ),
        ]
