"""Teams and who belongs to them."""

from django.conf import settings
from django.db import models

from accounts.policies import POLICY_CHOICES, LifecyclePolicy
from gateway.core.lines import OneLineTexts


class Team(OneLineTexts, models.Model):
    """The party that owns keys and is charged for calls. Switching a team off stops all of its keys."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=60, unique=True)
    is_active = models.BooleanField(
        "active", default=True, help_text="Off: every key of this team is refused within a second."
    )
    lifecycle_policy = models.CharField(
        max_length=8,
        choices=POLICY_CHOICES,
        default=LifecyclePolicy.ADVISE.value,
        help_text="What its calls meet at the end of a model's life. An alias may have a policy of its own.",
    )
    keeps_responses = models.BooleanField(
        "may store responses",
        default=True,
        help_text="Answers of /v1/responses are kept, encrypted, so that clients can go on from them. "
        "A client that sends store: false has nothing kept in any case.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="teams")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(lifecycle_policy__in=list(LifecyclePolicy)),
                name="team_lifecycle_policy_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """That a person belongs to a team, and as what."""

    class Role(models.TextChoices):
        OWNER = "owner", "Owner"
        MEMBER = "member", "Member"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "user"], name="membership_once_per_team"),
            models.CheckConstraint(
                condition=models.Q(role__in=["owner", "member"]), name="membership_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"
