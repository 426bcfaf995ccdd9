"""What the status page keeps of days that are over: how long models and providers were down."""

from django.db import models


class StatusDay(models.Model):
    """A model or a provider on a day of UTC, by the id that clients know. Where nothing was seen there is no row."""

    class Kind(models.TextChoices):
        MODEL = "model", "Model"
        PROVIDER = "provider", "Provider"

    kind = models.CharField(max_length=8, choices=Kind)
    name = models.CharField(max_length=200, help_text="A model's id, or a provider's slug.")
    day = models.DateField()
    down_s = models.PositiveIntegerField(default=0, help_text="For how long nothing could answer.")
    degraded_s = models.PositiveIntegerField(
        default=0, help_text="For how long something failed, and not all."
    )
    bad = models.JSONField(default=list, help_text="Quarters of an hour, from 0, in which most calls failed.")
    shaky = models.JSONField(default=list, help_text="Those in which many did.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "kind", "name"], name="status_day_once")]

    def __str__(self) -> str:
        return f"{self.name} on {self.day}"


class StatusProgress(models.Model):
    """How far days are counted; one row. `version` changes with any day that is over."""

    version = models.PositiveIntegerField(default=0)
    today = models.DateField(help_text="Days before it are counted for good.")
    quarter = models.PositiveSmallIntegerField(
        default=0, help_text="Of today, the first that may still change."
    )
    back_to = models.DateField(help_text="The earliest day that is counted.")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="status_progress_one_row")]

    def __str__(self) -> str:
        return f"{self.back_to} to {self.today}"
