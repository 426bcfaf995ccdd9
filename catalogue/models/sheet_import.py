"""Sheets that are being brought in."""

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class SheetImportQuerySet(models.QuerySet["SheetImport"]):
    def light(self) -> Self:
        """Without what is large."""
        return self.defer("upload", "report", "shown")

    def due(self, at: datetime) -> Self:
        """Those that a worker is to go on with, and that none has in hand."""
        free = models.Q(claimed_until=None) | models.Q(claimed_until__lte=at)
        return self.filter(free, state__in=SheetImport.IN_WORK)


class SheetImport(models.Model):
    """One sheet on its way into the catalogue: the upload, what was found in it, and how far it has come.

    It is in SQL so that any web process can show, confirm or cancel it, and any worker go on with it.
    """

    class Sheet(models.TextChoices):
        WORKBOOK = "workbook", "Whole workbook"
        ORGANISATIONS = "organisations", "Organisations"
        MODELS = "models", "Models"
        ALIASES = "aliases", "Aliases"
        OFFERINGS = "offerings", "Offerings"
        PRICES = "prices", "Prices"
        ROUTES = "routes", "Routes"

    class State(models.TextChoices):
        READING = "reading", "being read"
        REFUSED = "refused", "refused"
        READY = "ready", "to be confirmed"
        WRITING = "writing", "being written"
        DONE = "done", "done"
        STOPPED = "stopped", "broken off"
        CANCELLED = "cancelled", "cancelled"

    IN_WORK = (State.READING, State.WRITING)
    OPEN = (State.READING, State.READY, State.WRITING)

    sheet = models.CharField(max_length=13, choices=Sheet)
    file_name = models.CharField(max_length=200)
    is_workbook = models.BooleanField(default=False)
    has_decimal_comma = models.BooleanField(db_default=False)
    upload = models.BinaryField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    state = models.CharField(max_length=9, choices=State, default=State.READING)
    message = models.TextField(blank=True)
    row_count = models.PositiveIntegerField(default=0)
    done_rows = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    shown = models.JSONField(default=list)
    report = models.BinaryField(default=bytes)
    seal = models.CharField(max_length=64, blank=True)
    editions = models.JSONField(default=list)
    tries = models.PositiveSmallIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = SheetImportQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "claimed_until"], name="sheet_imports_due")]

    def __str__(self) -> str:
        return f"import of {self.file_name}"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def is_in_work(self) -> bool:
        return self.state in self.IN_WORK

    def set_now(self, *states: State, **values: Any) -> bool:
        """Set these columns if it is still in one of the states. In one statement: it is not ours alone."""
        mine = SheetImport.objects.filter(pk=self.pk, state__in=states)
        return mine.update(**values) == 1
