"""News for people and their programs: what happened, whom it is told, and how that went."""

import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone

from gateway.core.lines import OneLineTexts


def _alert_id() -> str:
    return f"evt_{secrets.token_hex(12)}"


def _channel_id() -> str:
    return f"ach_{secrets.token_hex(8)}"


class Alert(models.Model):
    """Something that somebody has to hear of: one row for a kind, a cause and a window, whoever asked how often.

    It says in words of its own day what it is about, so that it can still be read when that has changed or gone.
    """

    public_id = models.CharField(max_length=40, unique=True, default=_alert_id, editable=False)
    fingerprint = models.CharField(
        max_length=64, unique=True, editable=False, help_text="Of kind, team, cause and window."
    )
    kind = models.CharField(max_length=40)
    cause = models.CharField(max_length=200)
    window = models.CharField(max_length=60, blank=True, help_text="Empty: it happens once.")
    team = models.ForeignKey(
        "accounts.Team",
        on_delete=models.CASCADE,
        null=True,
        related_name="alerts",
        help_text="Empty: it concerns the operator.",
    )
    people = models.JSONField(default=list, help_text="The ids of those whom it concerns in person.")
    data = models.JSONField(default=dict)
    title = models.CharField(max_length=200)
    text = models.TextField()
    raised_at = models.DateTimeField(default=timezone.now, db_index=True)
    spread_at = models.DateTimeField(null=True, help_text="When it was decided who is told.")

    class Meta:
        ordering = ["-raised_at", "-id"]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(spread_at__isnull=True), name="alert_not_spread")
        ]

    def __str__(self) -> str:
        return self.title


class AlertChannel(OneLineTexts, models.Model):
    """Where a team, or the operator, wants alerts to go besides people's own mail.

    Its address and its secrets are encrypted: whoever knows the address of a chat may write there.
    """

    class Kind(models.TextChoices):
        WEBHOOK = "webhook", "Webhook"
        SLACK = "slack", "Slack"
        TEAMS = "teams", "Microsoft Teams"
        DISCORD = "discord", "Discord"
        MAIL = "mail", "Mail"

    public_id = models.CharField(max_length=40, unique=True, default=_channel_id, editable=False)
    team = models.ForeignKey(
        "accounts.Team",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="alert_channels",
        help_text="Empty: the operator's.",
    )
    name = models.CharField(max_length=100, help_text="What it is, such as “on-call, production”.")
    kind = models.CharField(max_length=8, choices=Kind)
    kinds = models.JSONField(
        "alerts", default=list, blank=True, help_text="Kinds of alerts that go there. Empty: all."
    )
    hears_teams = models.BooleanField(
        default=False, help_text="Of the operator's: it also gets what concerns teams."
    )
    shown = models.CharField(max_length=300, editable=False, help_text="Of its address, what may be seen.")
    sealed_address = models.TextField(editable=False)
    sealed_secret = models.TextField(blank=True, editable=False)
    sealed_former_secret = models.TextField(blank=True, editable=False)
    former_until = models.DateTimeField(
        null=True, editable=False, help_text="So long it signs with the secret before this one, too."
    )
    is_active = models.BooleanField("active", default=True)
    disabled_because = models.CharField(
        max_length=200, blank=True, editable=False, help_text="Why it was switched off by itself."
    )
    failing_since = models.DateTimeField(null=True, editable=False)
    paused_until = models.DateTimeField(null=True, editable=False, help_text="It asked to be left alone.")
    delivered_at = models.DateTimeField(null=True, editable=False, help_text="When it took one last.")
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
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["webhook", "slack", "teams", "discord", "mail"]),
                name="alert_channel_kind_known",
            )
        ]

    def __str__(self) -> str:
        return self.name


class AlertDelivery(models.Model):
    """That one alert is told to one channel, or to one person by mail, and what came of each try."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        HELD = "held", "In the next digest"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(AlertChannel, on_delete=models.CASCADE, null=True, related_name="deliveries")
    address = models.CharField(max_length=254, blank=True, help_text="Of a person; empty: the channel's.")
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0, help_text="Since it was last asked for.")
    due_at = models.DateTimeField(default=timezone.now)
    claim = models.CharField(max_length=32, blank=True, help_text="Of the round that has it in hand.")
    claimed_until = models.DateTimeField(null=True)
    log = models.JSONField(default=list, help_text="The last tries: at, status, problem, took_ms.")
    delivered_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "alert deliveries"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state="waiting"), name="alert_delivery_due"),
            models.Index(
                fields=["address", "created_at"], condition=~models.Q(address=""), name="alert_delivery_mail"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "channel"],
                condition=models.Q(channel__isnull=False),
                name="alert_delivery_once_per_channel",
            ),
            models.UniqueConstraint(
                fields=["alert", "address"],
                condition=models.Q(channel__isnull=True),
                name="alert_delivery_once_per_address",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "held", "delivered", "failed"]),
                name="alert_delivery_state_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alert} to {self.channel or self.address}"


class AlertChoice(models.Model):
    """That a person wants alerts of a kind by mail, or does not; without one it is as the kind has it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alert_choices")
    kind = models.CharField(max_length=40)
    by_mail = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="alert_choice_once")]

    def __str__(self) -> str:
        return f"{self.kind}: {'by mail' if self.by_mail else 'no mail'}"
