"""What people ask for and may not give themselves."""

import secrets
from typing import Self

from django.conf import settings
from django.db import models

from accounts.models.team import Team


def _request_id() -> str:
    return f"arq_{secrets.token_hex(8)}"


def _person(name: str = "+") -> "models.ForeignKey[models.Model | None, models.Model | None]":
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name=name
    )


class AccessRequestQuerySet(models.QuerySet["AccessRequest"]):
    def of_members(self) -> Self:
        """Without what staff ask each other."""
        return self.exclude(kind=AccessRequest.Kind.STAFF_BUDGET)


class AccessRequest(models.Model):
    """That somebody asks for a role, a model, a provider, a higher limit or more of a budget, and what came of it.

    Of the same thing one person has one open request. What was granted may end by itself.
    """

    class Kind(models.TextChoices):
        ROLE = "role", "Role"
        MODEL = "model", "Model"
        PROVIDER = "provider", "Provider"
        LIMIT = "limit", "Limit"
        BUDGET = "budget", "Budget"
        STAFF_BUDGET = "staff_budget", "Budget, changed by staff"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        GRANTED = "granted", "Granted"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"
        ENDED = "ended", "Ended"

    class Decider(models.TextChoices):
        TEAM = "team", "The team"
        STAFF = "staff", "Staff"

    public_id = models.CharField(max_length=40, unique=True, default=_request_id, editable=False)
    team = models.ForeignKey(
        Team,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="access_requests",
        help_text="Empty: it is about a budget of the operator's own.",
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="access_requests"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    asked = models.JSONField(help_text="What is asked for, in the words of the API.")
    summary = models.CharField(max_length=300, help_text="The same for people, as it was then.")
    fingerprint = models.CharField(max_length=64, editable=False, help_text="Of what is asked for.")
    reason = models.TextField(max_length=1_000)
    decider = models.CharField(max_length=5, choices=Decider, help_text="Whose decision it is.")
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    until = models.DateTimeField(null=True, blank=True, help_text="When it ends by itself. Empty: never.")
    endorsed_by = _person()
    decided_by = _person()
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(max_length=1_000, blank=True, help_text="What whoever decided says of it.")
    applied = models.JSONField(
        default=dict, editable=False, help_text="What a grant changed, to take it back."
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AccessRequestQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        permissions = [
            ("decide_reach", "Can decide access requests for models and providers"),
            ("decide_amounts", "Can decide access requests for limits and budgets"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "fingerprint"],
                condition=models.Q(state="open"),
                name="access_request_once_open",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["role", "model", "provider", "limit", "budget", "staff_budget"]),
                name="access_request_kind_known",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["open", "granted", "declined", "withdrawn", "ended"]),
                name="access_request_state_known",
            ),
            models.CheckConstraint(
                condition=models.Q(decider__in=["team", "staff"]), name="access_request_decider_known"
            ),
        ]
        indexes = [
            models.Index(fields=["until"], condition=models.Q(state="granted"), name="access_request_ends")
        ]

    def __str__(self) -> str:
        return f"{self.summary}, for {self.person}"
