"""How calls were routed and translated, kept beside the ledger for receipts, and not as long."""

from django.db import models


class RoutingPlan(models.Model):
    """In which order offerings were to be tried, and why others were not; the same for all calls that it was for.

    `content` is JSON of `gateway.plane.notes`; its digest is the key.
    """

    id = models.UUIDField(primary_key=True)
    content = models.TextField()
    used_at = models.DateTimeField(db_index=True, help_text="The last day on which a call had it.")

    def __str__(self) -> str:
        return str(self.pk)


class RoutingNote(models.Model):
    """Which plan a call had. One that had no choice has none."""

    call_id = models.UUIDField(primary_key=True)
    plan_id = models.UUIDField()
    scores = models.TextField(default="", db_default="", help_text="JSON: see gateway.plane.notes.scores_of.")
    noted_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.pk)


class TranslationNote(models.Model):
    """What of a request an attempt's provider was told in other words, or not at all; as its client was told it."""

    attempt_id = models.UUIDField(primary_key=True)
    content = models.TextField(help_text="A JSON list of texts.")
    noted_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.pk)
