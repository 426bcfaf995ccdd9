"""What identity providers keep here by SCIM: their directories, the people and groups in them, and their tokens."""

import secrets

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from accounts.models.membership import ROLE_CHOICES, ROLES_KNOWN
from accounts.models.team import Team
from accounts.models.trusted_domains import TrustedDomainsModel
from accounts.rights import Role
from gateway.core.lines import OneLineTexts

_TEXT = 255


def _resource_id() -> str:
    return secrets.token_hex(16)


class ScimDirectory(OneLineTexts, TrustedDomainsModel):
    """An identity provider that keeps people and their teams here. Whoever shows one of its tokens is it."""

    name = models.CharField(max_length=100, unique=True, help_text="As people know it, such as “Okta”.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "SCIM directory"
        verbose_name_plural = "SCIM directories"

    def __str__(self) -> str:
        return self.name


class ScimToken(models.Model):
    """What a directory shows to be let in. Only a digest of it is stored."""

    directory = models.ForeignKey(ScimDirectory, on_delete=models.CASCADE, related_name="tokens")
    public_id = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = "SCIM token"

    def __str__(self) -> str:
        return f"scim-gw-{self.public_id}-…"


class ScimUser(OneLineTexts, models.Model):
    """A person whom a directory keeps; deleted there, the row stays, for the person may come back."""

    directory = models.ForeignKey(ScimDirectory, on_delete=models.PROTECT, related_name="people")
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="scim")
    resource_id = models.CharField(max_length=32, unique=True, default=_resource_id, editable=False)
    user_name = models.CharField(max_length=_TEXT)
    external_id = models.CharField(max_length=_TEXT, blank=True, default="")
    display_name = models.CharField(max_length=_TEXT, blank=True, default="")
    is_active = models.BooleanField(default=True)
    deleted_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["pk"]
        verbose_name = "SCIM user"
        constraints = [
            models.UniqueConstraint("directory", Lower("user_name"), name="scim_user_name_once"),
        ]

    def __str__(self) -> str:
        return self.user_name


class ScimGroup(OneLineTexts, models.Model):
    """A group of a directory. What its people are in teams is said here, by its roles."""

    directory = models.ForeignKey(ScimDirectory, on_delete=models.CASCADE, related_name="groups")
    resource_id = models.CharField(max_length=32, unique=True, default=_resource_id, editable=False)
    display_name = models.CharField(max_length=_TEXT)
    external_id = models.CharField(max_length=_TEXT, blank=True, default="")
    people = models.ManyToManyField(ScimUser, related_name="groups", blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["display_name", "pk"]
        verbose_name = "SCIM group"
        constraints = [
            models.UniqueConstraint("directory", Lower("display_name"), name="scim_group_name_once"),
        ]

    def __str__(self) -> str:
        return f"{self.display_name} ({self.directory})"


class ScimGroupRole(models.Model):
    """That the people of a group have a role in a team."""

    group = models.ForeignKey(ScimGroup, on_delete=models.CASCADE, related_name="roles")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=10, choices=ROLE_CHOICES, default=Role.MEMBER.value)

    class Meta:
        ordering = ["team__name"]
        verbose_name = "role of a SCIM group"
        verbose_name_plural = "roles of SCIM groups"
        constraints = [
            models.UniqueConstraint(fields=["group", "team"], name="scim_group_role_once_per_team"),
            models.CheckConstraint(condition=ROLES_KNOWN, name="scim_group_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} of {self.team}"
