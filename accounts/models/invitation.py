"""Invitations to teams."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models.membership import ROLE_CHOICES
from accounts.models.team import Team
from accounts.rights import Role
from gateway.core.lines import OneLineTexts


class Invitation(OneLineTexts, models.Model):
    """That whoever shows its secret may join a team, once and for a week; of each address the team has one at most.

    Only a digest of the secret is kept. Made anew, it has another one, and the former opens nothing.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ACCEPTED = "accepted", "Accepted"
        WITHDRAWN = "withdrawn", "Withdrawn"
        EXPIRED = "expired", "Expired"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254, help_text="Whom it is for, in small letters.")
    role = models.CharField(max_length=10, choices=ROLE_CHOICES)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was mailed last. Empty: handed on."
    )

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "email"],
                condition=models.Q(accepted_at__isnull=True),
                name="invitation_once_per_address",
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in Role]), name="invitation_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.team}"

    def state_at(self, at: datetime) -> State:
        if self.accepted_at is not None:
            return self.State.ACCEPTED
        if self.withdrawn_at is not None:
            return self.State.WITHDRAWN
        return self.State.EXPIRED if self.expires_at <= at else self.State.OPEN

    @property
    def state(self) -> State:
        return self.state_at(timezone.now())
