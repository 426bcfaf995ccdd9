"""What the worklist is not to show any more."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from catalogue.models.model import Model
from catalogue.models.offering import Offering
from gateway.core.lines import OneLineTexts


class IgnoredFinding(OneLineTexts, models.Model):
    """A finding that somebody has looked at and wants to see no more, and why. Another text is another finding.

    It is about a model, perhaps one of its offerings, or about a provider: then without its text, which counts models.
    """

    model = models.ForeignKey(Model, on_delete=models.CASCADE, null=True, related_name="ignored_findings")
    offering = models.ForeignKey(Offering, on_delete=models.CASCADE, null=True, related_name="+")
    provider = models.ForeignKey("providers.Provider", on_delete=models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=20)
    what = models.CharField(max_length=500)
    reason = models.CharField(max_length=300)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(model__isnull=True) ^ models.Q(provider__isnull=True),
                name="ignored_of_a_model_or_a_provider",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.model or self.provider}: {self.what}"
