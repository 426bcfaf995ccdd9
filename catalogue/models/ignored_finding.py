"""What the worklist is not to show any more."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from catalogue.models.model import Model
from catalogue.models.offering import Offering
from gateway.core.lines import OneLineTexts


class IgnoredFinding(OneLineTexts, models.Model):
    """A finding that somebody has looked at and wants to see no more, and why. Another text is another finding."""

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="ignored_findings")
    offering = models.ForeignKey(Offering, on_delete=models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=20)
    what = models.CharField(max_length=500)
    reason = models.CharField(max_length=300)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.kind} of {self.model.public_id}: {self.what}"
