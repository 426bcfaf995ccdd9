"""How far the ledger has been written to files elsewhere."""

from django.db import models


class ExportedDay(models.Model):
    """A day of UTC whose rows of the ledger are written to files, part by part: the cursor of the export.

    Attempts come on the day on which they began, what corrects them on the day on which it was booked.
    """

    class Reading(models.TextChoices):
        ATTEMPTS = "attempts", "Attempts"
        CORRECTIONS = "corrections", "Corrections"
        NOTHING = "nothing", "Nothing more"

    day = models.DateField(unique=True)
    reading = models.CharField(max_length=11, choices=Reading, default=Reading.ATTEMPTS)
    last_at = models.DateTimeField(null=True, help_text="Of the last row that is written: when it is of.")
    last_id = models.UUIDField(null=True, help_text="Of the last row that is written.")
    attempts = models.PositiveBigIntegerField(default=0, help_text="Attempts that are written.")
    corrections = models.PositiveBigIntegerField(default=0, help_text="Corrections that are written.")
    files = models.JSONField(default=list, help_text="Of each its name, rows, bytes and SHA-256, in order.")
    claimed_until = models.DateTimeField(
        null=True, help_text="Until then one process writes it, and no other."
    )
    closed_at = models.DateTimeField(null=True, help_text="When its list of files was written.")

    class Meta:
        ordering = ["-day"]

    def __str__(self) -> str:
        return f"{self.day}"
