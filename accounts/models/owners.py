"""Who owns keys besides people, and what spending is told by inside a team."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models

from accounts.limits import PROJECT
from gateway.core.lines import OneLineTexts


class ServiceAccount(OneLineTexts, models.Model):
    """A program of a team, as the owner of keys: it outlives the people who made it. Off: its keys are refused."""

    team = models.ForeignKey("accounts.Team", on_delete=models.PROTECT, related_name="service_accounts")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=100, help_text="What it is, such as “nightly reports”.")
    is_active = models.BooleanField(
        "active", default=True, help_text="Off: every key of it is refused within a second."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["slug"]
        constraints = [models.UniqueConstraint(fields=["team", "slug"], name="service_account_once_per_team")]

    def __str__(self) -> str:
        return f"{self.name} ({self.team})"


class Project(OneLineTexts, models.Model):
    """What a team spends on. Calls name it by its slug, or their key is bound to it. Archived: no
    key may be bound to it, and keys that are take no more calls."""

    team = models.ForeignKey("accounts.Team", on_delete=models.PROTECT, related_name="projects")
    slug = models.CharField(
        max_length=64,
        validators=[
            RegexValidator(
                rf"\A{PROJECT.pattern}\Z", "1 to 64 letters, digits, dots, colons, dashes and underscores."
            )
        ],
        help_text="As calls name it, in x-gateway-project-id or project_id.",
    )
    name = models.CharField(max_length=100)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["slug"]
        constraints = [models.UniqueConstraint(fields=["team", "slug"], name="project_once_per_team")]

    def __str__(self) -> str:
        return f"{self.name} ({self.team})"
