"""Who belongs to which team, as what, and why."""

from collections.abc import Iterable
from typing import Self

from django.conf import settings
from django.db import models

from accounts.models.team import Team
from accounts.rights import Right, Role, rights_of

ROLE_CHOICES = [(role.value, role.value.capitalize()) for role in Role]
ROLES_KNOWN = models.Q(role__in=[role.value for role in Role])


class MembershipQuerySet(models.QuerySet["Membership"]):
    def active(self) -> Self:
        """Without those that are over."""
        return self.filter(suspended_at__isnull=True)

    def in_roles(self, roles: Iterable[str]) -> Self:
        """Those that are active, in one of these roles."""
        return self.active().filter(role__in=[str(role) for role in roles])

    def with_right(self, right: Right) -> Self:
        """Those that are active, with a role that has it."""
        return self.in_roles(role for role in Role if right in rights_of(role))


class Membership(models.Model):
    """That a person belongs to a team, and as what: the highest role of its grants.

    Suspended: it is over, and kept for what it used. Read `active()` ones wherever anybody may do anything by it.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=ROLE_CHOICES, default=Role.MEMBER.value)
    suspended_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "user"], name="membership_once_per_team"),
            models.CheckConstraint(condition=ROLES_KNOWN, name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"

    @property
    def is_active(self) -> bool:
        return self.suspended_at is None

    @property
    def rights(self) -> frozenset[Right]:
        """None while it is suspended."""
        return rights_of(self.role) if self.is_active else frozenset()


class MembershipGrant(models.Model):
    """One reason why somebody has a role in a team: somebody's word, an identity provider's, or a request."""

    class Source(models.TextChoices):
        MANUAL = "manual", "By hand"
        SSO = "sso", "Single sign-on"
        SCIM = "scim", "SCIM"
        REQUEST = "request", "Access request"

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="grants")
    source = models.CharField(max_length=8, choices=Source)
    origin = models.CharField(
        max_length=64,
        blank=True,
        default="",
        help_text="Which identity provider, SCIM group or request it is. Empty: by hand.",
    )
    role = models.CharField(max_length=10, choices=ROLE_CHOICES)
    until = models.DateTimeField(null=True, blank=True, help_text="When it ends by itself. Empty: never.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "source", "origin"], name="membership_grant_once_per_origin"
            ),
            models.CheckConstraint(condition=ROLES_KNOWN, name="membership_grant_role_known"),
            models.CheckConstraint(
                condition=models.Q(source__in=["manual", "sso", "scim", "request"]),
                name="membership_grant_source_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()}: {self.membership} ({self.get_source_display()})"
