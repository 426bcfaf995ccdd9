"""Bearer keys."""

from datetime import datetime

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from accounts.limits import TIMEOUT_MAX_MS
from accounts.models.limit import Limit
from accounts.models.restricted import RestrictedModel, list_field
from accounts.querysets import KeyQuerySet
from accounts.rights import Right
from accounts.scopes import scopes_of
from gateway.core.lines import OneLineTexts


def _former(column: str) -> "models.PositiveIntegerField[int | None, int | None]":
    """A limit as processes of the version before this one read it: written with the row that is the limit now."""
    return models.PositiveIntegerField(null=True, editable=False, db_column=column)


class Key(OneLineTexts, RestrictedModel):
    """What a client shows to be let in. Only a digest of it is stored: a lost key cannot be recovered."""

    class Scope(models.TextChoices):
        INFERENCE = "inference", "Inference: catalogue and calls"
        MANAGEMENT = "management", "Management: also issues and revokes keys"
        FEED = "feed", "Feed: only reads the catalogue, also as part of an address"

    class Lane(models.TextChoices):
        AUTO = "auto", "Automatic"
        WORKER = "worker", "Worker"
        DIRECT = "direct", "Direct"

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        EXPIRED = "expired", "Expired"
        REVOKED = "revoked", "Revoked"

    team = models.ForeignKey("accounts.Team", on_delete=models.PROTECT, related_name="keys")
    name = models.CharField(
        max_length=100, help_text="What uses this key, such as “billing service, production”."
    )
    public_id = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    scope = models.CharField(max_length=12, choices=Scope, default=Scope.INFERENCE)
    scopes = list_field("What it may do, in full. Empty: what its scope has always meant.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="owned_keys",
        help_text="The person whose key it is: it is refused once they leave the team. Empty: the team's own.",
    )
    service_account = models.ForeignKey(
        "accounts.ServiceAccount",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="keys",
        help_text="The program whose key it is, in place of a person.",
    )
    project = models.ForeignKey(
        "accounts.Project",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="keys",
        help_text="What all of its calls are for, whatever they say themselves. Empty: each call may say it.",
    )
    first = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        help_text="The first key of its lineage; empty for that one itself.",
    )
    replaces = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="successor", editable=False
    )
    former_requests_per_minute = _former("requests_per_minute")
    former_concurrency = _former("concurrency")
    model_patterns = models.JSONField(
        default=list, blank=True, help_text='Models this key may call, such as ["anthropic/*"]. Empty: all.'
    )
    lane = models.CharField(max_length=8, choices=Lane, default=Lane.AUTO)
    may_search_elsewhere = models.BooleanField(
        "may search elsewhere",
        default=False,
        db_default=False,
        help_text="Where a client asks for its vendor's web search and another vendor answers, that one's own search "
        "may stand in, at its price.",
    )
    timeout_ms = models.PositiveIntegerField(
        "deadline",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(TIMEOUT_MAX_MS)],
        help_text="Milliseconds that its calls are waited for, over all attempts: to the end of a whole answer, or "
        "until a stream begins. A request may ask for less by x-gateway-timeout-ms. Empty: as long as requests say.",
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
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    unused_told_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When somebody was told that it will expire for want of use.",
    )
    is_playground = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Made for the playground, by whoever was signed in there; it ends within the hour.",
    )
    known_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        help_text="Whose it was before it was handed over: they may know its text still. A rotated key is not known.",
    )
    revision = models.BigIntegerField(default=0, editable=False, db_index=True)

    objects = KeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [("revoke_key", "Can revoke keys")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(scope__in=["inference", "management", "feed"]), name="key_scope_known"
            ),
            models.CheckConstraint(
                condition=models.Q(lane__in=["auto", "worker", "direct"]), name="key_lane_known"
            ),
            models.CheckConstraint(
                condition=models.Q(owner__isnull=True) | models.Q(service_account__isnull=True),
                name="key_one_owner",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} (sk-gw-{self.public_id}-…)"

    @property
    def lineage_id(self) -> int:
        """What limits, budgets and history belong to: the same for a key and all that replaced it."""
        return self.first_id or self.pk

    @property
    def requests_per_minute(self) -> int | None:
        """Of its lineage; None: no limit. Reads rows, unless they were read with it (`with_limits`)."""
        return self._limit(Limit.Unit.REQUESTS, Limit.Window.MINUTE)

    @property
    def concurrency(self) -> int | None:
        """Likewise."""
        return self._limit(Limit.Unit.CONCURRENCY, Limit.Window.NONE)

    def _limit(self, unit: str, window: str) -> int | None:
        rows = self.lineage.limits.all() if self.pk else ()
        return next((row.amount for row in rows if (row.unit, row.window) == (unit, window)), None)

    @property
    def lineage(self) -> "Key":
        """Its first key, which has the limits of all of them."""
        return self.first or self

    @property
    def scope_set(self) -> frozenset[str]:
        return scopes_of(self.scope, self.scopes)

    @property
    def stopped_by(self) -> str:
        """Who keeps a key out that is neither revoked nor expired: `team`, `owner` or `service_account`; else empty.

        Reads the membership, unless the row was read with its `member_id`.
        """
        if self.team.state is not self.team.State.ACTIVE:
            return "team"
        if self.service_account is not None and not self.service_account.is_active:
            return "service_account"
        if self.owner is None:
            return ""
        known = vars(self)
        is_member = (
            known["member_id"] is not None
            if "member_id" in known
            else self.team.memberships.with_right(Right.CALL).filter(user=self.owner).exists()
        )
        return "" if is_member and self.owner.is_active else "owner"

    def state_at(self, at: datetime) -> State:
        if self.revoked_at is not None:
            return self.State.REVOKED
        is_expired = self.expires_at is not None and self.expires_at <= at
        return self.State.EXPIRED if is_expired else self.State.ACTIVE
