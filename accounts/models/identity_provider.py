"""Identity providers by which people sign in, and what their claims mean in teams."""

from django.db import models

from accounts.models.membership import ROLE_CHOICES, ROLES_KNOWN
from accounts.models.team import Team
from accounts.models.trusted_domains import TrustedDomainsModel
from accounts.rights import Role
from gateway.core.lines import OneLineTexts


class IdentityProvider(OneLineTexts, TrustedDomainsModel):
    """One that speaks OpenID Connect. People are known by its issuer and their subject there."""

    slug = models.SlugField(max_length=60, unique=True, help_text="Part of the address that it answers to.")
    name = models.CharField(max_length=100, help_text="As people know it: the sign-in says “Sign in with …”.")
    issuer = models.URLField(
        max_length=500,
        help_text="Its issuer, as its discovery document says it. A new issuer is a new identity provider.",
    )
    client_id = models.CharField("client id", max_length=255)
    sealed_secret = models.TextField(blank=True, default="", editable=False)
    scopes = models.CharField(
        max_length=200,
        default="openid profile email",
        help_text="What it is asked for, with blanks between. Some tell groups only where groups is asked for.",
    )
    is_active = models.BooleanField("active", default=True, help_text="Off: nobody signs in by it.")
    is_set = models.BooleanField(
        default=False, editable=False, help_text="By the environment, which its page cannot change."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ClaimRule(OneLineTexts, models.Model):
    """That whoever has a claim has a role in a team."""

    provider = models.ForeignKey(IdentityProvider, on_delete=models.CASCADE, related_name="rules")
    claim = models.CharField(
        max_length=100,
        default="groups",
        help_text="Such as groups, or realm_access.roles for one inside another.",
    )
    value = models.CharField(
        max_length=200, help_text="What it has to be, or to hold; a pattern such as llm-* matches more."
    )
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=10, choices=ROLE_CHOICES, default=Role.MEMBER.value)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "claim", "value", "team"], name="claim_rule_once_per_team"
            ),
            models.CheckConstraint(condition=ROLES_KNOWN, name="claim_rule_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.claim} {self.value}: {self.get_role_display()} of {self.team}"
