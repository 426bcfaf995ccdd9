"""What staff hold of breakers, what breakers did, what came of it, and what billed probes found."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from gateway.core.lines import OneLineTexts
from providers.breaker import (
    BY_CREDENTIAL,
    BY_FAILURES,
    BY_MODEL_MISSING,
    BY_RATE,
    BY_RETRY_AFTER,
    BY_STAFF,
    CLOSED,
    HALF_OPEN,
    OPEN,
)

BY_PROBE = "probe"
"""Why there is an incident, though no breaker is open: probes of the provider fail."""


class Cause(models.TextChoices):
    FAILURES = BY_FAILURES, "failures in a row"
    RATE = BY_RATE, "too many of its calls fail"
    CREDENTIAL = BY_CREDENTIAL, "it refuses our credential or account"
    MODEL_MISSING = BY_MODEL_MISSING, "it does not know the model"
    RETRY_AFTER = BY_RETRY_AFTER, "it asked us to wait"
    STAFF = BY_STAFF, "staff hold it"


class BreakerHold(models.Model):
    """Staff's word on the breaker of an offering, or of all of a provider's. An offering's own goes before."""

    class Word(models.TextChoices):
        OPEN = OPEN, "open: no call goes there"
        CLOSED = CLOSED, "closed: calls go there, whatever fails"

    provider = models.OneToOneField(
        "providers.Provider", on_delete=models.CASCADE, null=True, related_name="breaker_hold"
    )
    offering = models.OneToOneField(
        "catalogue.Offering", on_delete=models.CASCADE, null=True, related_name="breaker_hold"
    )
    word = models.CharField(max_length=6, choices=Word)
    set_by = models.CharField(max_length=160, blank=True)
    set_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(provider__isnull=False, offering__isnull=True)
                | models.Q(provider__isnull=True, offering__isnull=False),
                name="breaker_hold_one_subject",
            ),
            models.CheckConstraint(
                condition=models.Q(word__in=[OPEN, CLOSED]), name="breaker_hold_word_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.offering or self.provider} held {self.word}"


class HealthEvent(models.Model):
    """A breaker changed its state: one row for each time, whichever and however many processes saw it."""

    class State(models.TextChoices):
        CLOSED = CLOSED, "closed"
        OPEN = OPEN, "open"
        HALF_OPEN = HALF_OPEN, "half-open"

    provider = models.ForeignKey("providers.Provider", on_delete=models.CASCADE, related_name="health_events")
    offering = models.ForeignKey(
        "catalogue.Offering", on_delete=models.CASCADE, null=True, related_name="health_events"
    )
    credential_id = models.PositiveBigIntegerField(null=True)
    way = models.CharField(max_length=48)
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=9, choices=State)
    cause = models.CharField(max_length=14, choices=Cause, blank=True)
    at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    told_by = models.CharField(max_length=160)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["way", "number"], name="health_event_once")]
        indexes = [
            models.Index(fields=["provider", "-at"], name="health_event_by_provider"),
            models.Index(fields=["offering", "-at"], name="health_event_by_offering"),
        ]

    def __str__(self) -> str:
        return f"{self.offering or self.provider}: {self.get_state_display()} at {self.at:%Y-%m-%d %H:%M:%S}"


class Incident(OneLineTexts, models.Model):
    """A breaker was open by itself, from the first time until calls got through again; probes of a provider failed; or
    what staff say there is.

    What staff opened counts for no uptime: that is of what calls and probes saw.
    """

    class Kind(models.TextChoices):
        SEEN = "seen", "Seen by health checks"
        INCIDENT = "incident", "Incident"
        MAINTENANCE = "maintenance", "Maintenance"

    kind = models.CharField(max_length=11, choices=Kind, default=Kind.SEEN, db_default=Kind.SEEN.value)
    title = models.CharField(
        max_length=160,
        blank=True,
        default="",
        db_default="",
        help_text="What the status page says, in one line; of what health checks saw, in place of what they say.",
    )
    is_public = models.BooleanField(
        "on the status page",
        default=True,
        db_default=True,
        help_text="Whether the status page and its feeds tell of it.",
    )
    opened_by = models.CharField(max_length=160, blank=True, default="", db_default="", editable=False)
    provider = models.ForeignKey(
        "providers.Provider",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="incidents",
        help_text="Whom it concerns; empty: nobody in particular.",
    )
    offering = models.ForeignKey(
        "catalogue.Offering", on_delete=models.CASCADE, null=True, related_name="incidents"
    )
    way = models.CharField(max_length=48, blank=True, editable=False)
    cause = models.CharField(
        max_length=14, choices=[*Cause.choices, (BY_PROBE, "its health checks fail")], blank=True
    )
    began_at = models.DateTimeField("began", default=timezone.now)
    ended_at = models.DateTimeField("ended", null=True, blank=True, help_text="Empty: it goes on.")

    class Meta:
        ordering = ["-began_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["way"],
                condition=models.Q(ended_at__isnull=True, kind="seen"),
                name="incident_open_once",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="seen", provider__isnull=False)
                | (models.Q(kind__in=["incident", "maintenance"]) & ~models.Q(title="")),
                name="incident_says_what",
            ),
        ]
        indexes = [models.Index(fields=["-began_at"], name="incident_by_start")]

    def __str__(self) -> str:
        return self.title or f"{self.offering or self.provider}: {self.get_cause_display()}"

    @property
    def is_seen(self) -> bool:
        """Opened and closed by health checks, which say when and why."""
        return self.kind == self.Kind.SEEN

    def clean(self) -> None:
        if not self.is_seen and not self.title:
            raise ValidationError({"title": "Say in one line what there is."})
        if self.ended_at and self.began_at and self.ended_at < self.began_at:
            raise ValidationError({"ended_at": "It cannot end before it began."})


class IncidentNote(OneLineTexts, models.Model):
    """What staff say of an incident, the newest last."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="notes")
    at = models.DateTimeField(default=timezone.now, editable=False)
    author = models.CharField(max_length=160, blank=True, editable=False)
    title = models.CharField(max_length=120, help_text="In a few words, such as “The provider has found it”.")
    text = models.TextField(max_length=4000, blank=True)
    is_public = models.BooleanField(
        "on the status page", default=True, help_text="Off: for staff alone. Who wrote it is never public."
    )

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return self.title


class BilledProbe(models.Model):
    """When an offering may next be asked at a cost, and what was found the last time."""

    offering = models.OneToOneField(
        "catalogue.Offering", on_delete=models.CASCADE, related_name="billed_probe"
    )
    next_at = models.DateTimeField()
    at = models.DateTimeField(null=True)
    is_healthy = models.BooleanField(null=True)
    latency_ms = models.FloatField(null=True)
    error = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"billed probe of {self.offering}"
